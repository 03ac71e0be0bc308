#!/bin/sh
set -eu
systemctl mask vector.service
