#!/bin/sh
set -e
f=/etc/systemd/system/vk-fetch.service
mv "$f" /usr/lib/systemd/system/
systemctl enable vk-stub.service vk-fetch.service
ln -s /dev/null "$f"
