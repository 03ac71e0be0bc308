#!/bin/sh
set -eu
systemctl mask apt-daily.timer apt-daily-upgrade.timer console-getty.service
