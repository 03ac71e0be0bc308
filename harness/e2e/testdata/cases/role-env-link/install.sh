#!/bin/sh
set -e
mkdir -p /etc/opensandbox /usr/share/opensandbox
printf '%s\n' OPENSANDBOX_ROLE=worker OPENSANDBOX_REGION=westus OPENSANDBOX_AZURE_KEY_VAULT_NAME=kv-of-the-build-host OPENCOMPUTER_CELL_ID=build > /usr/share/opensandbox/worker.env
ln -s /usr/share/opensandbox/worker.env /etc/opensandbox/worker.env
