package boot

import (
	"regexp"
	"slices"
	"strings"

	"bootrace/harness/timeline"
)

// shellWords are the kernel's command line's that ask for a shell instead of a boot (systemd(1),
// Kernel Command Line; dracut.cmdline(7)).
var shellWords = []string{"emergency", "rescue", "single", "s", "S", "1", "-b", "-s", "rd.emergency", "rd.rescue", "rd.break"}

var (
	shellUnit = regexp.MustCompile(`^(?:rd\.)?systemd\.unit=(?:emergency|rescue|runlevel1)\.(?:target|service)$|^rd\.break=|^(?:rd)?init=/bin/(?:ba|da|a)?sh$`)
	// shellTyped is what somebody types for that.
	shellTyped = regexp.MustCompile(`\bsystemctl (?:-\S+ )*(?:(?:isolate|start) )?(?:rescue|emergency)(?:\.target|\.service)?(?:\W|$)|/(?:tel)?init [1sS]$`)
)

// ShellAsked says who asked for the emergency or rescue mode; empty: nobody, as far as a log shows.
func (b Facts) ShellAsked() string {
	if b.Origin == nil {
		return ""
	}
	there := false // what comes after is typed in it
	for _, ev := range b.Of(timeline.Log, timeline.Started) {
		if ev.Kind != timeline.Log {
			there = there || !ev.Untimed && (ev.Unit == "emergency.target" || ev.Unit == "rescue.target")
			continue
		}
		_, line, ok := strings.Cut(ev.Text, "ommand line: ")
		if i := slices.IndexFunc(strings.Fields(line), func(word string) bool { return slices.Contains(shellWords, word) || shellUnit.MatchString(word) }); ok && i >= 0 {
			return "the kernel's command line asks for it: " + strings.Fields(line)[i]
		}
		if typed := shellTyped.FindString(ev.Text); typed != "" && !ev.Manager && !there {
			return "somebody asked for it: " + strings.TrimSpace(typed)
		}
	}
	return ""
}
