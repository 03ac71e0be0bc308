#!/bin/sh
set -e
mkdir -p /etc/systemd/system-preset
echo "disable *" > /etc/systemd/system-preset/00-fleet.preset
echo uninitialized > /etc/machine-id
