package container

import (
	"fmt"
	"path"
	"strings"

	"bootrace/harness/machine"
	"bootrace/images"
)

// endOfFile ends a file within the script; no file of a machine has such a line.
const endOfFile = "END_OF_FILE_OF_BOOTRACE"

// ByHand implements machine.Backend.
func (b *Backend) ByHand(spec machine.Spec) string {
	var s strings.Builder
	fmt.Fprintf(&s, "#!/bin/sh\n# Boots %s as bootrace does, by the engine's own commands. Secrets are replaced by their names.\nset -eu\ndir=$(mktemp -d)\n", spec.Name)
	put := func(role string, f machine.File) {
		name := path.Join("$dir", role, f.Path)
		fmt.Fprintf(&s, "mkdir -p \"%s\"\ncat > \"%s\" <<'%s'\n%s\n%s\nchmod %04o \"%s\"\n", path.Dir(name), name, endOfFile,
			strings.TrimSuffix(string(f.Data), "\n"), endOfFile, f.Mode.Perm(), name)
	}
	put("cloud", machine.File{Path: cloudConfig, Mode: 0o600, Data: spec.CloudConfig})
	s.WriteString("mkdir -p \"$dir/worker\"\n")
	for _, f := range spec.Files {
		put("worker", f)
	}
	// Nobody holds a lock for it: as a kept machine it goes with bootrace clean alone.
	create := func(role string) string {
		return fmt.Sprintf(`docker create --name "%sby-hand-%s-${dir##*/}-%s" --label %s=by-hand --label %s=%s --label %s=%s`,
			keptPrefix, printable(spec.Name), role, images.LabelRun, images.LabelUID, b.own[images.LabelUID], images.LabelRole, role)
	}
	fmt.Fprintf(&s, `copy() { tar -C "$dir/$1" --owner=0 --group=0 -c . | docker cp - "$2:/"; }
cloud=$(%s --network none --dns 127.0.0.1 --dns-search . --cap-add NET_ADMIN %s)
copy cloud "$cloud"
docker start "$cloud" >/dev/null
worker=$(%s -t -e container=docker --network "container:$cloud" %s --security-opt seccomp=unconfined \
  --security-opt apparmor=unconfined --cgroupns private --tmpfs /run --tmpfs /run/lock --tmpfs /tmp %s)
copy worker "$worker"
docker start "$worker" >/dev/null
rm -r "$dir"
echo "docker logs -f $cloud                # the cloud's requests"
echo "docker exec -it $worker bash         # systemctl, journalctl"
echo "docker rm -f $worker $cloud"
`, create("cloud"), spec.CloudImage, create("worker"), "--cap-add "+strings.Join(b.grant, " --cap-add "), spec.WorkerImage)
	return s.String()
}
