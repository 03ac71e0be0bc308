#!/bin/sh
# Serves the container engine of a Debian release on DIR/serve/engine.sock, as root:
#
#   serve.sh DIR SUITE docker|podman [USER]
#
# The release is bootstrapped into DIR/root once. The engine has namespaces of its own,
# its data in DIR/data and no network; with USER it is a rootless one. It ends with this
# process, and all that it has started with it.
set -eu
mkdir -p "$1"
cd "$1"
suite=$2 engine=$3 user=${4:-root}

case $engine in
docker) packages=docker.io,docker-cli,fuse-overlayfs ;;
podman) packages=podman,runc,fuse-overlayfs,uidmap ;;
esac
[ "$suite" != bookworm ] || packages=$(echo "$packages" | sed 's/docker-cli,//')
if [ ! -e root ]; then
  rm -rf root.part
  # A mirror may be a copy of some weeks ago; that it is Debian's is still checked.
  mmdebstrap --quiet --variant=minbase --aptopt='Acquire::Check-Valid-Until "false"' --include="$packages" "$suite" root.part
  chroot root.part useradd --create-home rootless
  mv root.part root
fi
mkdir -p data serve root/serve
rm -f serve/*

exec unshare --net --mount --pid --fork --kill-child sh -eu -c '
  engine=$1 user=$2
  mount --rbind root root
  mount -t proc proc root/proc
  mount --rbind /sys root/sys
  mount --rbind /dev root/dev
  mount -t tmpfs none root/run
  mount --bind serve root/serve
  case $engine-$user in
  docker-*) store=var/lib/docker ;;
  podman-root) store=var/lib/containers ;;
  *) store=home/$user/.local/share/containers ;;
  esac
  mkdir -p "root/$store"
  mount --bind data "root/$store"
  if [ "$user" != root ]; then # as systemd delegates a group to who logs in
    groups=/sys/fs/cgroup/unified
    [ -e "$groups/cgroup.procs" ] || groups=/sys/fs/cgroup
    mkdir -p "$groups/bootrace-rootless"
    chown "$(chroot root id -u "$user")" "$groups/bootrace-rootless" "$groups"/bootrace-rootless/cgroup.procs "$groups"/bootrace-rootless/cgroup.subtree_control
    echo 0 >"$groups/bootrace-rootless/cgroup.procs"
  fi
  # No chroot: in a container of such an engine, what is run later has the root of the host.
  cd root
  mkdir -p old
  pivot_root . old
  umount -l old
  case $engine in
  docker) exec dockerd --bridge=none --iptables=false --ip6tables=false --host unix:///serve/engine.sock ;;
  podman)
    mkdir -p /etc/containers /run/user
    printf "[engine]\nruntime = \"runc\"\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\n" >/etc/containers/containers.conf
    home=$(getent passwd "$user" | cut -d: -f6)
    chown -R "$user:" /serve /run/user
    [ "$user" = root ] || chown "$user:" "$home/.local" "$home/.local/share" "/$store"
    # No exec: what changes its user is no longer told that its parent has died.
    setpriv --reuid "$user" --regid "$user" --init-groups env HOME="$home" XDG_RUNTIME_DIR=/run/user \
      podman system service --time 0 unix:///serve/engine.sock
    ;;
  esac' serve "$engine" "$user"
