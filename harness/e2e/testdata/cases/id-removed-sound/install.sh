#!/bin/sh
rm -f /etc/machine-id
