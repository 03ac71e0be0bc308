package boot

import (
	"path"
	"slices"
	"strings"

	"bootrace/harness/timeline"
)

// noRoot is how a root device that does not come is told, with its name.
const noRoot = "the initrd found no root device "

// damaged is the initrd's trouble that is none where the machine boots all the same: Ubuntu's kernel
// says so of what is after an initrd that is whole.
const damaged = "the kernel could not unpack the initrd"

// inVain is dracut's timeout, of which another line says what did not come.
const inVain = "the initrd waited in vain for what it boots from (dracut-initqueue timed out)"

// NoSwap is what the initrd misses that no boot needs but its timeout.
const NoSwap = "the initrd found no swap device "

// withoutRoot tells apart what an initrd waited for: the root, what is resumed from, others; and
// leaves out what the machine boots without.
func (b Facts) withoutRoot(troubles []Trouble) []Trouble {
	var root, resume string
	for _, ev := range b.Of(timeline.Log) {
		if _, line, ok := strings.Cut(ev.Text, "ommand line: "); ok {
			for word := range strings.FieldsSeq(line) {
				if name, is := strings.CutPrefix(word, "root="); is {
					root = deviceOf(name)
				} else if name, is := strings.CutPrefix(word, "resume="); is {
					resume = deviceOf(name)
				}
			}
		}
	}
	for i, t := range troubles {
		name, ok := strings.CutPrefix(t.Text, noRoot)
		if !ok || name == "" {
			continue
		}
		switch dev := deviceOf(name); {
		case dev == resume || isSwap(dev):
			troubles[i].Text = NoSwap + name
		case strings.HasPrefix(root, "/dev/") && dev != root && !sameMapped(dev, root):
			troubles[i].Text = "the initrd found no device " + name
		}
	}
	halts := func(t Trouble) bool {
		return strings.HasPrefix(t.Text, "the kernel cannot") || strings.HasPrefix(t.Text, "the kernel gave up")
	}
	if slices.ContainsFunc(troubles, halts) {
		return troubles
	}
	up := b.Up() != ""
	named := slices.ContainsFunc(troubles, func(t Trouble) bool { return strings.HasPrefix(t.Text, "the initrd found no ") })
	return slices.DeleteFunc(troubles, func(t Trouble) bool {
		return strings.HasPrefix(t.Text, damaged) || named && (t.Text == inVain || t.Text == notBooted) || t.Text == inShell && (len(troubles) > 1 || b.ShellAsked() != "") || up && strings.HasPrefix(t.Text, "the initrd found no ")
	})
}

// deviceOf is a device's path by what the command line has: "UUID=…", "LABEL=…", a path.
func deviceOf(name string) string {
	name = strings.TrimPrefix(name, "block:")
	if kind, value, ok := strings.Cut(name, "="); ok {
		return "/dev/disk/by-" + strings.ToLower(kind) + "/" + strings.Trim(value, `"`)
	}
	return name
}

// isSwap: it is called so, as installers call it.
func isSwap(dev string) bool { return strings.Contains(strings.ToLower(path.Base(dev)), "swap") }

// sameMapped: a logical volume has two names, /dev/vg/lv and /dev/mapper/vg-lv.
func sameMapped(x, y string) bool {
	mapped := func(dev string) string {
		if rest, ok := strings.CutPrefix(dev, "/dev/mapper/"); ok {
			return rest
		}
		vg, lv, _ := strings.Cut(strings.TrimPrefix(dev, "/dev/"), "/")
		return strings.ReplaceAll(vg, "-", "--") + "-" + strings.ReplaceAll(lv, "-", "--")
	}
	return mapped(x) == mapped(y)
}
