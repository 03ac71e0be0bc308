#!/bin/sh
set -eu
mkdir -p /usr/local/share/vk
cp /usr/share/ca-certificates/mozilla/DigiCert_Global_Root_G2.crt /usr/local/share/vk/roots.pem
