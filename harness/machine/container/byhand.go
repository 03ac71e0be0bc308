package container

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"bootrace/harness/machine"
	"bootrace/images"
)

// endOfFile ends a file within the script; no file of a machine has such a line.
const endOfFile = "END_OF_FILE_OF_BOOTRACE"

// ByHand implements machine.Backend.
func (b *Backend) ByHand(spec machine.Spec, later ...machine.Later) string {
	var s strings.Builder
	fmt.Fprintf(&s, "#!/bin/sh\n# Boots %s as bootrace does, by the engine's own commands. Secrets are replaced by their names.\nset -eu\ndir=$(mktemp -d)\nengine() { %s \"$@\"; }\n", spec.Name, strings.Join(b.cli, " "))
	put := func(role string, f machine.File) {
		name := path.Join("$dir", role, f.Path)
		fmt.Fprintf(&s, "mkdir -p \"%s\"\ncat > \"%s\" <<'%s'\n%s\n%s\nchmod %04o \"%s\"\n", path.Dir(name), name, endOfFile,
			strings.TrimSuffix(string(f.Data), "\n"), endOfFile, f.Mode.Perm(), name)
	}
	putAll := func(config []byte, files []machine.File) {
		put("cloud", machine.File{Path: cloudConfig, Mode: 0o600, Data: config})
		s.WriteString("mkdir -p \"$dir/worker\"\n")
		for _, f := range files {
			put("worker", f)
		}
	}
	putAll(spec.CloudConfig, append(slices.Clone(spec.Files), resolver))
	// Nobody holds a lock for it: only bootrace clean removes it, as a kept machine.
	create := func(role string) string {
		return fmt.Sprintf(`engine create --name "%sby-hand-%s-${dir##*/}-%s" --label %s=by-hand --label %s=%s --label %s=%s`,
			keptPrefix, printable(spec.Name), role, images.LabelRun, images.LabelUID, b.own[images.LabelUID], images.LabelRole, role)
	}
	// What Docker mounts over the machine's resolv.conf. Podman mounts nothing, and
	// refuses to be told where the network is none.
	dns := " --dns 127.0.0.1 --dns-search ."
	if b.cli[0] == "podman" {
		dns = ""
	}
	fmt.Fprintf(&s, `copy() { tar -C "$dir/$1" --owner=0 --group=0 -c . | engine cp - "$2:/"; }
cloud=$(%s --network none%s --cap-add NET_ADMIN %s)
copy cloud "$cloud"
engine start "$cloud" >/dev/null
worker=$(%s -t -e container=docker --network "container:$cloud" %s --security-opt seccomp=unconfined \
  --security-opt apparmor=unconfined --cgroupns private --tmpfs /run --tmpfs /run/lock --tmpfs /tmp %s)
copy worker "$worker"
engine start "$worker" >/dev/null
rm -r "$dir"
`, create("cloud"), dns, spec.CloudImage, create("worker"), "--cap-add "+strings.Join(b.grant, " --cap-add "), spec.WorkerImage)
	for i, l := range later {
		end := `engine stop --time 100 "$worker"`
		if l.After == machine.PowerLoss {
			end = `engine kill "$worker"`
		}
		fmt.Fprintf(&s, "echo 'Enter ends boot %d, and begins the next'\nread -r _\n%s >/dev/null\nengine stop --time 0 \"$cloud\" >/dev/null\nmkdir -p \"$dir\"\n", i+1, end)
		putAll(l.CloudConfig, l.Files)
		s.WriteString("copy cloud \"$cloud\"\ncopy worker \"$worker\"\nengine start \"$cloud\" >/dev/null\nsleep 1\nengine start \"$worker\" >/dev/null\nrm -r \"$dir\"\n")
	}
	fmt.Fprintf(&s, `echo "%[1]s logs -f $cloud                # the cloud's requests"
echo "%[1]s exec -it $worker bash         # systemctl, journalctl"
echo "%[1]s rm -f $worker $cloud"
`, strings.Join(b.cli, " "))
	return s.String()
}
