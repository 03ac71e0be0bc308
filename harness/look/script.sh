# What lies in a worker image before it boots: a line for each thing, its kind first.
look() { printf 'look\t%s\t%s\t%s\n' "$1" "$2" "$3"; }
local_unit() { [ -e "/etc/systemd/system/$1" ] || [ -e "/usr/local/lib/systemd/system/$1" ]; }
if [ ! -e /etc/machine-id ]; then
  id=missing
else
  case "$(head -n 1 /etc/machine-id)" in
    '') id=empty ;;
    uninitialized) id=uninitialized ;;
    *) id=filled ;;
  esac
fi
look machine-id "$id" ''
case $id in missing | uninitialized)
  # machine-id(5), systemd.preset(5): the first boot presets all units.
  SYSTEMD_OFFLINE=1 systemctl list-unit-files --no-legend --no-pager --full 2>/dev/null | while read -r unit state preset rest; do
    if [ "$state" = disabled ] && [ "$preset" = enabled ]; then
      if local_unit "$unit"; then look first-boot "$unit" local; else look first-boot "$unit" ''; fi
    fi
  done
esac
for f in /var/lib/cloud/instance /var/lib/cloud/instances/* /var/lib/cloud/data/* /var/lib/cloud/sem/*; do
  if [ -e "$f" ] || [ -L "$f" ]; then look cloud-init "$f" ''; fi
done
for f in /etc/opensandbox/worker.env /etc/opensandbox/server.env; do
  if [ -L "$f" ]; then look role-env "$f" "$(readlink "$f")"; elif [ -e "$f" ]; then look role-env "$f" ''; fi
done
if [ -e /etc/opensandbox/vector.env ] || [ -L /etc/opensandbox/vector.env ]; then look vector-env /etc/opensandbox/vector.env ''; fi
dir=$(sed -n 's/^data_dir *[:=] *//p' /etc/vector/vector.yaml /etc/vector/vector.toml 2>/dev/null | tr -d "\"'" | head -n 1)
find "${dir:-/var/lib/vector}" -mindepth 1 -type f 2>/dev/null | head -n 5 | while read -r f; do look vector-data "$f" ''; done
find /var/log/journal -name '*.journal*' 2>/dev/null | head -n 5 | while read -r f; do look journal "$f" ''; done
for f in /etc/ssh/ssh_host_*_key; do
  if [ -e "$f" ]; then look ssh-host-key "$f" ''; fi
done
for f in /etc/systemd/system/*; do
  if [ -L "$f" ] && [ "$(readlink "$f")" = /dev/null ]; then look masked "${f##*/}" ''; fi
done
for f in /etc/systemd/system-preset/*.preset /usr/local/lib/systemd/system-preset/*.preset; do
  if [ -e "$f" ]; then look preset "$f" ''; fi
done
# A unit that is skipped where a file is, and the file is there: it ran when the image was built.
for f in /etc/systemd/system/*.* /etc/systemd/system/*.d/*.conf /usr/local/lib/systemd/system/*.*; do
  if [ -f "$f" ]; then
    unit=${f##*/}
    case $f in *.conf) unit=${f%.d/*} unit=${unit##*/} ;; esac
    sed -n 's/^ConditionPathExists=!\(\/.*\)/\1/p' "$f" | while read -r stamp; do
      case $stamp in /run/* | /proc/* | /sys/* | /dev/* | /tmp/*) continue ;; esac
      if [ -e "$stamp" ]; then look ran-already "$unit" "$stamp"; fi
    done
  fi
done
# systemd.timer(5), Persistent=.
for f in /var/lib/systemd/timers/stamp-*; do
  unit=${f##*/stamp-}
  if local_unit "$unit"; then look timer-ran "$unit" "$f"; fi
done
# What a program carries out that the image has not: tables of cron(8), hooks of dispatchers, what supervisors run.
# Those files that packages brought are the base's own.
carries() { # the program's name, where it would be, and then what it would carry out
  name=$1 found=
  for p in $2; do
    if [ -x "$p" ]; then found=$p; fi
  done
  if [ -n "$found" ]; then return; fi
  shift 2
  for f in "$@"; do
    if [ -f "$f" ] && ! grep -qxF "$f" /var/lib/dpkg/info/*.list 2>/dev/null; then look carried "$f" "$name"; fi
  done
}
carries cron '/usr/sbin/cron /usr/sbin/crond /usr/sbin/anacron /usr/sbin/fcron' \
  /etc/crontab /etc/anacrontab /etc/cron.d/* /etc/cron.hourly/* /etc/cron.daily/* /var/spool/cron/root /var/spool/cron/crontabs/*
carries networkd-dispatcher /usr/bin/networkd-dispatcher /etc/networkd-dispatcher/*.d/* /usr/lib/networkd-dispatcher/*.d/*
carries NetworkManager /usr/sbin/NetworkManager /etc/NetworkManager/dispatcher.d/* /etc/NetworkManager/dispatcher.d/*.d/*
carries ifupdown '/sbin/ifup /usr/sbin/ifup' /etc/network/if-up.d/*
carries dhclient '/sbin/dhclient /usr/sbin/dhclient' /etc/dhcp/dhclient-enter-hooks.d/* /etc/dhcp/dhclient-exit-hooks.d/*
carries supervisord '/usr/bin/supervisord /usr/local/bin/supervisord' /etc/supervisord.conf /etc/supervisor/conf.d/*.conf /etc/supervisord.d/*
carries runit '/usr/bin/runsvdir /usr/sbin/runsvdir' /etc/service/*/run /etc/sv/*/run
carries monit '/usr/bin/monit /usr/sbin/monit' /etc/monit/conf.d/* /etc/monit/conf-enabled/*
carries upstart /sbin/initctl /etc/init/*.conf
# Units of users' managers, of which there is one for who logs in or lingers (loginctl(1)).
if [ -z "$(ls /var/lib/systemd/linger 2>/dev/null)" ]; then
  for f in /etc/systemd/user/*.*; do
    if [ -f "$f" ] && [ ! -L "$f" ]; then look user-unit "$f" ''; fi
  done
fi
# What cloud-init runs of the image's before the user data.
for f in /var/lib/cloud/scripts/per-boot/* /var/lib/cloud/scripts/per-instance/* /var/lib/cloud/scripts/per-once/*; do
  if [ -x "$f" ] && [ -f "$f" ]; then look cloud-script "$f" ''; fi
done
# What keeps a service from the network or from its role, in silence (systemd.exec(5)).
for f in /etc/systemd/system/*.service /usr/local/lib/systemd/system/*.service; do
  if [ ! -f "$f" ]; then continue; fi
  unit=${f##*/}
  text=$(cat "$f" /etc/systemd/system/"$unit".d/*.conf 2>/dev/null || true)
  confines() { # a line, unless another one says otherwise
    if [ -n "$2" ] && printf '%s\n' "$text" | grep -Eq "$2"; then return; fi
    line=$(printf '%s\n' "$text" | grep -E "$1" | head -n 1)
    if [ -n "$line" ]; then look confines "$unit" "$line"; fi
  }
  confines '^RestrictAddressFamilies=([^~]|~.*AF_INET)' '^RestrictAddressFamilies=([^~].*)?AF_INET'
  confines '^SystemCallFilter=~.*@network-io' ''
  confines '^PrivateNetwork=(yes|true|on|1)' ''
  confines '^IPAddressDeny=(.* )?any' '^IPAddressAllow=.*(any|[1-9][0-9]*[.]|link-local)'
  confines '^(TemporaryFileSystem|InaccessiblePaths)=(.* )?-?/etc(/opensandbox)?/?(:| |$)' '^(ReadWrite|Bind|BindReadOnly)Paths=.*/etc/opensandbox'
done
# What only a real machine has: a container ignores each without a word.
if [ -r /etc/fstab ]; then
  while read -r what where type options rest; do
    case $what in /dev/* | UUID=* | LABEL=* | PARTUUID=* | PARTLABEL=*) ;; *) continue ;; esac
    case $where in / | /boot | /boot/* | /efi | none | swap | '') continue ;; esac
    look disk "$what $where" "$options"
  done < /etc/fstab
fi
# Where cloud-init looks on Azure: of its files the last one counts, and ours is none of the image's.
list=
for f in /etc/cloud/cloud.cfg /etc/cloud/cloud.cfg.d/*.cfg; do
  case $f in */zz-bootrace.cfg) continue ;; esac
  if [ -f "$f" ] && grep -q '^datasource_list:' "$f"; then list=$f; fi
done
if [ -n "$list" ] && ! sed -n '/^datasource_list:/,$p' "$list" | sed '1!{/^[^[:space:]#-]/q;}' | grep -q Azure; then look datasource "$list" ''; fi
settings='^[[:space:]]*[^#;[:space:]]'
for f in /etc/modules /etc/modules-load.d/*.conf /usr/local/lib/modules-load.d/*.conf; do
  if [ -f "$f" ]; then
    sed -n 's/^[[:space:]]*\([^#;[:space:]][^[:space:]]*\).*/\1/p' "$f" | while read -r module; do look module "$module" "$f"; done
  fi
done
for f in /etc/sysctl.conf /etc/sysctl.d/*.conf /usr/local/lib/sysctl.d/*.conf; do
  if [ -f "$f" ] && grep -q "$settings" "$f"; then look sysctl "$f" ''; fi
done
for f in /etc/systemd/network/*.network /etc/systemd/network/*.netdev /etc/systemd/network/*.link; do
  if [ -f "$f" ] && [ "$f" != /etc/systemd/network/10-eth0.network ]; then look network "$f" ''; fi
done
for f in /etc/udev/rules.d/*.rules; do
  if [ -f "$f" ] && grep -q "$settings" "$f"; then look udev "$f" "$(grep -v '^[[:space:]]*#' "$f" | grep -o 'SYSTEMD_WANTS}*[+:]*="[^"]*"' | cut -d '"' -f 2 | tr '\n' ' ')"; fi
done
