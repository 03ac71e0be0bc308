#!/bin/sh
# Runs bootrace on Debian's own kernel and control groups, in an emulated machine:
#
#   boot.sh DIR [ARGS]      as root; prints what bootrace printed, exits as it did
#
# DIR has what the host made: bootrace, src (the sources), cache (the built
# programs), images.tar (docker save). Debian with a container engine is made in
# DIR/root once, and its engine loads the images out here, on a real processor: an
# emulated one takes a quarter of an hour. Nothing in there has a network.
set -eu
cd "$1"
shift
limit=${BOOTRACE_KERNEL_LIMIT:-60m}
suite=trixie

need=
command -v qemu-system-x86_64 >/dev/null || need="$need qemu-system-x86 seabios"
command -v mmdebstrap >/dev/null || need="$need mmdebstrap"
command -v mke2fs >/dev/null || need="$need e2fsprogs"
if [ -n "$need" ]; then
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $need; } >apt.log 2>&1 ||
    { cat apt.log; exit 1; }
fi

if [ ! -e root.ext4 ]; then
  [ -d root ] || mmdebstrap --quiet --variant=minbase \
    --include=systemd-sysv,udev,docker.io,docker-cli,linux-image-cloud-amd64,initramfs-tools $suite root
  # The host built the programs: go build finds them up to date.
  cat >root/usr/local/bin/go <<'END'
#!/bin/sh
[ "$1" != version ] || echo "go version of the host"
END
  mkdir -p root/payload root/root/.cache
  cat >root/usr/local/sbin/run-bootrace <<'END'
#!/bin/sh
exec >/dev/ttyS1 2>&1
stty -F /dev/ttyS1 raw 2>/dev/null
uname -r
stat -f -c 'control groups: %T' /sys/fs/cgroup
cp -r /payload/cache /root/.cache/bootrace
docker image ls
cd /payload/src
export HOME=/root
/payload/bootrace doctor
/payload/bootrace $(cat /payload/args)
code=$?
/payload/bootrace show --json
echo "bootrace exited $code"
END
  cat >root/etc/systemd/system/run-bootrace.service <<'END'
[Unit]
Requires=docker.service
After=docker.service
SuccessAction=poweroff-force
FailureAction=poweroff-force
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/run-bootrace
[Install]
WantedBy=multi-user.target
END
  chmod 0755 root/usr/local/bin/go root/usr/local/sbin/run-bootrace
  chroot root systemctl -q enable run-bootrace.service
  printf '/dev/vda / ext4 rw 0 1\n/dev/vdb /payload ext4 rw 0 2\n/payload/docker /var/lib/docker none bind 0 0\n' >root/etc/fstab
  cp root/boot/vmlinuz-* kernel
  cp root/boot/initrd.img-* initrd
  mke2fs -q -t ext4 -d root root.ext4.part 4G
  mv root.ext4.part root.ext4
fi

echo "$@" >args
rm -rf payload payload.ext4
mkdir payload
cp -r --reflink=auto bootrace src cache args payload/
mkdir -p payload/docker root/var/lib/docker
unshare --net --mount --pid --fork --kill-child --mount-proc=root/proc sh -eu -c '
  mount --rbind root root # docker load makes its / private, which must be a mount
  mount --rbind /sys root/sys
  mount --bind payload/docker root/var/lib/docker
  mount -t tmpfs none root/run
  chroot root dockerd --bridge=none --iptables=false --ip6tables=false >dockerd.log 2>&1 &
  for i in $(seq 60); do chroot root docker info >/dev/null 2>&1 && break || sleep 1; done
  chroot root docker load -q <images.tar || { tail dockerd.log; exit 1; }
  kill $!
  wait $! || :'
mke2fs -q -F -t ext4 -d payload payload.ext4 4G
rm -r payload

# Two serial lines: the kernel and systemd speak on the first, bootrace on the second.
# icount: a clock that goes by instructions (2 ns each), so that what is emulated slowly is
# not late by its own clock, and systemd's time limits and ours hold on any host.
: >out
timeout "$limit" qemu-system-x86_64 -accel tcg -icount shift=1 -rtc clock=vm -cpu max -smp 2 -m 4G -nodefaults -no-reboot -display none -nic none \
  -kernel kernel -initrd initrd -append 'root=/dev/vda rw console=ttyS0 panic=-1 psi=1' \
  -drive file=root.ext4,format=raw,if=virtio,snapshot=on -drive file=payload.ext4,format=raw,if=virtio,snapshot=on \
  -serial file:console.log -serial file:out </dev/null >qemu.log 2>&1 || { tail -n 20 qemu.log console.log; exit 1; }
cat out
exit "$(sed -n 's/^bootrace exited \([0-9]*\).*/\1/p' out | grep . || echo 1)"
