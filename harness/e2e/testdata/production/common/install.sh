#!/bin/bash
# install.sh ROLE: makes a worker of the image that is being built. Packer runs it as
# root with PACKER_BUILD=1, in the directory that it was copied to.
set -euo pipefail

role=${1:?usage: install.sh ROLE}
if [[ $role != worker ]]; then
  echo "no such role here: $role" >&2
  exit 1
fi
if [[ ${PACKER_BUILD:-} != 1 ]]; then
  echo 'this changes the system it runs on: for image builds only' >&2
  exit 1
fi
for program in curl jq vector systemctl; do
  command -v "$program" >/dev/null || { echo "$program is not installed" >&2; exit 1; }
done
cd "$(dirname "$(readlink -f "$0")")/files"

install -d -m 0755 /etc/opensandbox /usr/local/lib/opensandbox /etc/vector
install -m 0644 worker.yaml /etc/vector/vector.yaml
install -D -m 0644 vector.conf /etc/systemd/system/vector.service.d/50-opensandbox.conf
install -m 0644 credentials.sh /usr/local/lib/opensandbox/credentials.sh
install -m 0755 populate-vector-env /usr/local/bin/populate-vector-env

# The units: what all designs have, then what this one adds.
units=/etc/systemd/system
install -m 0644 populate-vector-env.service "$units/"
if [[ -e design.conf ]]; then
  install -D -m 0644 design.conf "$units/populate-vector-env.service.d/design.conf"
fi
enable=(vector.service populate-vector-env.service)
for unit in populate-vector-env-wait.service populate-vector-env.path; do
  [[ -e $unit ]] || continue
  install -m 0644 "$unit" "$units/"
  if grep -q '^\[Install\]' "$unit"; then
    enable+=("$unit")
  fi
done

vector validate --no-environment /etc/vector/vector.yaml || echo 'the variables come at boot'
systemctl daemon-reload
systemctl enable "${enable[@]}"
