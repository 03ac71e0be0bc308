package lint

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"bootrace/harness/boot"
)

// files ends what systemctl shows and begins the units' files, and controllers those that
// the kernel gives this machine (cgroups(7)).
const (
	files       = "---- files ----"
	controllers = "---- controllers ----"
)

// setting is a line of a unit's files, as systemctl cat prints them.
type setting struct{ unit, name, value string }

// settings are those that hold: an empty one takes the ones before it back
// (systemd.syntax(7)).
func settings(cat []byte) []setting {
	var out []setting
	unit, joined := "", ""
	for line := range bytes.Lines(cat) {
		text := strings.TrimSpace(string(line))
		if file, ok := strings.CutPrefix(text, "# /"); ok && joined == "" {
			if unit = path.Base(file); path.Ext(unit) == ".conf" {
				unit = strings.TrimSuffix(path.Base(path.Dir(file)), ".d")
			}
			continue
		}
		if rest, goesOn := strings.CutSuffix(text, `\`); goesOn {
			joined += rest + " "
			continue
		}
		name, value, ok := strings.Cut(joined+text, "=")
		joined = ""
		if !ok || strings.HasPrefix(name, "#") || strings.HasPrefix(name, ";") {
			continue
		}
		s := setting{unit, strings.TrimSpace(name), strings.TrimSpace(value)}
		if s.value == "" {
			out = slices.DeleteFunc(out, func(o setting) bool { return o.unit == s.unit && o.name == s.name })
			continue
		}
		out = append(out, s)
	}
	return out
}

// only are programs that do what a container may not, whoever runs them.
var only = regexp.MustCompile(`(^|[/\s;&|'"@+!-])(modprobe|insmod|losetup|hwclock|iptables|ip6tables|nft|ethtool|sysctl|mkfs\S*|fsck\S*|mdadm|cryptsetup|ip\s+(-\S+\s+)*(link|addr|address|route|rule|netns)\s+(add|set|del|delete|replace|change)|tc\s+\S+\s+(add|replace))\b`)

// limits are settings that a controller carries out (systemd.resource-control(5)).
var limits = []struct {
	name       *regexp.Regexp
	controller string
}{
	{regexp.MustCompile(`^Memory(Max|High|Low|Min|SwapMax)$`), "memory"},
	{regexp.MustCompile(`^CPU(Quota|Weight)$`), "cpu"},
	{regexp.MustCompile(`^IO`), "io"},
	{regexp.MustCompile(`^TasksMax$`), "pids"},
	{regexp.MustCompile(`^AllowedCPUs$`), "cpuset"},
}

// beyond says what of the units' files no machine of this kind can show. It is for who is
// needed, and a note otherwise.
func beyond(cat, given []byte, units []string, all map[string]unit, populator string) []Remark {
	var out []Remark
	needed := func(id string) bool {
		u := all[id]
		by := slices.Concat(u.list("WantedBy"), u.list("RequiredBy"), u.list("TriggeredBy"), u.list("UpheldBy"))
		return id == populator || id == vector || slices.Contains(by, vector) || populator != "" && slices.Contains(by, populator) ||
			populator == "" && strings.HasSuffix(id, ".service")
	}
	add := func(id, text string) {
		level := Note
		if needed(id) {
			level = Untestable
		}
		if r := (Remark{level, id, text}); !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	have := strings.Fields(string(given))
	for _, s := range settings(cat) {
		if s.unit != vector && !slices.Contains(units, s.unit) {
			continue
		}
		said := s.name + "=" + s.value
		here, real := boot.Virtualization(said)
		switch kind := strings.HasSuffix(s.name, "Virtualization"); {
		case kind && here && !real:
			add(s.unit, said+": it runs in a container, and on no real worker")
		case kind && !here && real:
			add(s.unit, said+": it is skipped in a container, and runs on a real worker")
		case kind:
		case s.name == "PrivateNetwork" && slices.Contains([]string{"yes", "true", "on", "1"}, s.value):
			level := Note // a stub needs none
			if s.unit == populator || s.unit == vector {
				level = Untestable
			}
			out = append(out, Remark{level, s.unit, said + ": in a container systemd may leave it the machine's network (257 does, 252 does not); on a real worker it has none"})
		case (strings.HasPrefix(s.name, "Condition") || strings.HasPrefix(s.name, "Assert")) && boot.NotHere([]string{said}):
			out = append(out, Remark{Note, s.unit, said + ": it may not hold in a container, as it does on a real worker"})
		case strings.HasPrefix(s.name, "Exec") && only.MatchString(s.value):
			out = append(out, Remark{Note, s.unit, said + ": a container may not; what becomes of it a boot here cannot show"})
		}
		for _, l := range limits {
			if l.name.MatchString(s.name) && given != nil && !slices.Contains(have, l.controller) {
				out = append(out, Remark{Note, s.unit, fmt.Sprintf("%s is not kept here: machines on this host have no %s controller", said, l.controller)})
			}
		}
	}
	return out
}

// Asked are remarks on what an image's files ask for, that no container has.
func Asked(asks []boot.Asked) []Remark {
	var out []Remark
	for _, a := range asks {
		level := Note
		if a.Boot {
			level = Untestable
		}
		out = append(out, Remark{level, "image", a.What})
	}
	return out
}
