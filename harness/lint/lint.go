// Package lint says what can be seen of a subject without booting it: what
// systemd-analyze says of the units, and what they promise together. It reads
// what [Script] prints in the baked image, booted to basic.target and no further.
//
//	out, err := backend.Examine(ctx, name, image, lint.Script(units))
//	remarks, err := lint.Read(out, units, populator)
package lint

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"bootrace/harness/timespan"
	"bootrace/scenarios"
)

// Level says what a remark means.
type Level string

const (
	Problem Level = "problem" // a boot will show it
	Note    Level = "note"    // a boot may show it, under the wrong timing
	// Untestable: no boot of a container shows it, and Vector or the populator needs it.
	Untestable Level = "untestable"
)

// Remark is one thing seen.
type Remark struct {
	Level Level
	Unit  string
	Text  string
}

// OnlyABoot is what lint cannot see.
const OnlyABoot = "only a boot shows: what the programs do, how long they take, what is asked of the cloud, whether Vector " +
	"gets the credentials and what was logged arrives"

// vector is the unit whose restarts ask for what it wants.
const vector = "vector.service"

// between ends what systemd-analyze says and begins what systemctl shows.
const between = "---- units ----"

// properties are what the rules need of a unit (systemd.unit(5), systemd.service(5)).
var properties = []string{
	"Id", "LoadState", "UnitFileState", "Type", "RemainAfterExit", "Restart", "TimeoutStartUSec", "StartLimitIntervalUSec", "StartLimitBurst",
	"PIDFile", "Before", "After", "WantedBy", "RequiredBy", "TriggeredBy", "Wants", "Requires", "BindsTo", "Triggers", "Paths", "DefaultDependencies",
	"OnFailure", "UpheldBy", "OnFailureOf", "OnSuccessOf", "RuntimeMaxUSec",
}

// Script is the command whose output [Read] reads. The whole boot transaction is
// verified, so that cycles through units of others are seen as well; cloud-init is
// in it by its generator only. systemctl shows nothing of a template, and then
// nothing of the rest either.
func Script(units []string) []string {
	args := append(slices.Clone(units), vector)
	return append([]string{"/bin/sh", "-c",
		`systemd-analyze verify --man=no --generators=yes multi-user.target "$@" 2>&1; echo "$0"; systemctl show -p ` + strings.Join(properties, ",") + ` $(printf '%s\n' "$@" | grep -v @\\.)
echo; echo "` + files + `"; systemctl cat --no-pager "$@" 2>/dev/null; echo "` + controllers + `"; cat /sys/fs/cgroup/cgroup.controllers 2>/dev/null; true`,
		between}, args...)
}

// unit is what systemctl show says of one.
type unit map[string]string

func (u unit) list(property string) []string { return strings.Fields(u[property]) }
func (u unit) is(property string, values ...string) bool {
	return slices.Contains(values, u[property])
}

// Read returns the remarks on the units, what a container cannot show first, then problems.
// populator is the one that fetches the credentials; empty: it is not known.
func Read(output []byte, units []string, populator string) ([]Remark, error) {
	said, shown, ok := bytes.Cut(output, []byte(between+"\n"))
	if !ok {
		return nil, fmt.Errorf("systemd-analyze and systemctl printed nothing to judge: %.200q", output)
	}
	shown, cat, _ := bytes.Cut(shown, []byte(files+"\n"))
	cat, given, _ := bytes.Cut(cat, []byte(controllers+"\n"))
	var out []Remark
	for line := range strings.Lines(string(said)) {
		if r, ok := verified(strings.TrimSpace(line), units); ok && !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	all := map[string]unit{}
	for block := range strings.SplitSeq(string(shown), "\n\n") {
		u := unit{}
		for line := range strings.Lines(block) {
			if name, value, ok := strings.Cut(strings.TrimRight(line, "\n"), "="); ok {
				u[name] = strings.TrimSpace(u[name] + " " + value) // of several lines, as Paths= has
			}
		}
		if u["Id"] != "" {
			all[u["Id"]] = u
		}
	}
	for _, id := range units {
		u, ok := all[id]
		if !ok && !strings.Contains(id, "@.") {
			return nil, fmt.Errorf("systemctl shows nothing of %s", id)
		}
		for _, rule := range rules {
			if level, text := rule(u, all); text != "" {
				out = append(out, Remark{level, id, text})
			}
		}
	}
	for _, rule := range []func(unit) string{endsForGood, endsInTime} {
		if text := rule(all[vector]); text != "" {
			out = append(out, Remark{Problem, vector, text})
		}
	}
	out = append(out, beyond(cat, given, units, all, populator)...)
	slices.SortStableFunc(out, func(a, b Remark) int { return strings.Compare(string(b.Level), string(a.Level)) })
	return out, nil
}

// verified takes a line of systemd-analyze verify, if it is about the units or
// about the boot's order.
func verified(line string, units []string) (Remark, bool) {
	cycle := strings.Contains(line, "ordering cycle") || strings.Contains(line, "deleted to break")
	for _, id := range units {
		if named(id).MatchString(line) {
			return Remark{Problem, id, "systemd-analyze: " + line}, true
		}
	}
	if m := dropIn.FindStringSubmatch(line); m != nil {
		return Remark{Problem, m[1], "systemd-analyze: " + line}, true
	}
	about, _, _ := strings.Cut(line, ":") // "UNIT: Found ordering cycle on …"
	return Remark{Problem, about, "systemd-analyze: " + line}, cycle
}

// dropIn is how a file is named that changes a unit of others: what the image has of
// those in /etc is the subject's, or as good as the worker's are.
var dropIn = regexp.MustCompile(`/etc/systemd/system/([^/\s]+)\.d/[^/\s]+\.conf:`)

// named finds a unit's name where it is all of a name: a.service is not in
// data.service, and t@.service is in t@i.service.
func named(unit string) *regexp.Regexp {
	const inName = `[A-Za-z0-9:_.\\@-]`
	name := strings.Replace(regexp.QuoteMeta(unit), `@\.`, `@`+inName+`*\.`, 1)
	return regexp.MustCompile(`(?:^|[^A-Za-z0-9:_.\\@-])` + name + `(?:$|[^A-Za-z0-9_-])`)
}

// asks reports whether a start of one unit starts the other.
func (u unit) asks(id string) bool {
	return slices.Contains(slices.Concat(u.list("Wants"), u.list("Requires"), u.list("BindsTo")), id)
}

// asked reports whether another unit starts it with itself, or by one of those ways besides.
func (u unit) asked(besides ...string) bool {
	return slices.ContainsFunc(append([]string{"WantedBy", "RequiredBy", "UpheldBy"}, besides...), func(by string) bool { return len(u.list(by)) > 0 })
}

// rules look at one unit among all, and say nothing or one thing.
var rules = []func(u unit, all map[string]unit) (Level, string){
	notLoaded, neverAsked, holdsTheBoot, successEndsIt, secondTrigger, triggersItself, childIsKilled, burnsItsStarts,
}

func notLoaded(u unit, _ map[string]unit) (Level, string) {
	if u.is("LoadState", "loaded", "") {
		return "", ""
	}
	return Problem, fmt.Sprintf("it is %s, systemd will not start it", u["LoadState"])
}

func neverAsked(u unit, _ map[string]unit) (Level, string) {
	if u.asked("TriggeredBy", "OnFailureOf", "OnSuccessOf") || !u.is("LoadState", "loaded") {
		return "", ""
	}
	return Note, "nothing in the image wants, requires or triggers it: it starts only if a program asks for it"
}

func holdsTheBoot(u unit, all map[string]unit) (Level, string) {
	waits := u.is("Type", "oneshot", "notify", "notify-reload", "dbus", "forking")
	asked := slices.Contains(u.list("WantedBy"), "multi-user.target") || all[vector].asks(u["Id"])
	ordered := u["DefaultDependencies"] == "yes" || slices.Contains(all[vector].list("After"), u["Id"])
	if !waits || !asked || !ordered {
		return "", ""
	}
	limit, err := timespan.Parse(u["TimeoutStartUSec"])
	switch {
	case err != nil:
		return Note, fmt.Sprintf("how long the boot waits for it cannot be read (TimeoutStartSec): %v", err)
	case limit == timespan.Infinity:
		return Note, fmt.Sprintf("Type=%s, TimeoutStartSec=infinity and before multi-user.target: the boot waits for as long as it likes, and cloud-final comes after multi-user.target", u["Type"])
	case limit > scenarios.BootBudget:
		return Note, fmt.Sprintf("the boot waits up to %s for it (TimeoutStartSec), more than its budget of %s", timespan.Format(limit), timespan.Format(scenarios.BootBudget))
	}
	return "", ""
}

func successEndsIt(u unit, _ map[string]unit) (Level, string) {
	if !u.is("Type", "oneshot") || !u.is("Restart", "on-failure", "on-abnormal") || !u.is("RemainAfterExit", "yes") {
		return "", ""
	}
	return Note, fmt.Sprintf("exit 0 ends it for good (Restart=%s retries failures only, RemainAfterExit=yes keeps it active): work that is put off must not exit 0", u["Restart"])
}

func secondTrigger(u unit, all map[string]unit) (Level, string) {
	if len(u.list("TriggeredBy")) == 0 || !u.is("RemainAfterExit", "yes") {
		return "", ""
	}
	once := func(by string) bool { // a file that is there is there for good
		paths := all[by]["Paths"]
		return strings.Count(paths, "(") > 0 && strings.Count(paths, "(") == strings.Count(paths, "(PathExists)")
	}
	// Whoever else asks for it has it active before the file is there.
	alone := !u.asked() && !all[vector].asks(u["Id"])
	if alone && !slices.ContainsFunc(u.list("TriggeredBy"), func(by string) bool { return !once(by) }) {
		return Note, fmt.Sprintf("%s triggers it once only (RemainAfterExit=yes): what is not done in that one start is never done", u["TriggeredBy"])
	}
	return Problem, fmt.Sprintf("%s triggers it once only: with RemainAfterExit=yes it counts as active, and the next trigger starts nothing", u["TriggeredBy"])
}

func triggersItself(u unit, all map[string]unit) (Level, string) {
	if !strings.Contains(u["Paths"], "/etc/opensandbox (") {
		return "", ""
	}
	for _, id := range u.list("Triggers") {
		if t := all[id]; t["StartLimitIntervalUSec"] == "0" {
			return Problem, fmt.Sprintf("whatever lies in the directory starts %s, its own vector.env as well, and no start limit ends that", id)
		}
	}
	return Note, "whatever is written in the directory triggers it, its own vector.env as well"
}

func childIsKilled(u unit, _ map[string]unit) (Level, string) {
	if !u.is("Type", "forking") || u["PIDFile"] != "" {
		return "", ""
	}
	return Note, "Type=forking without PIDFile=: systemd guesses the main process, and a stop or restart kills the child that waits"
}

func burnsItsStarts(u unit, all map[string]unit) (Level, string) {
	if path.Ext(u["Id"]) == ".target" { // it cannot fail, and its starts are not counted (src/core/target.c)
		return "", ""
	}
	if !all[vector].asks(u["Id"]) || u.is("StartLimitIntervalUSec", "0", "") || u.is("StartLimitBurst", "0", "") || u.is("Type", "notify", "notify-reload") {
		return "", ""
	}
	return Note, fmt.Sprintf("each restart of Vector asks for it: while it fails, its %s starts in %s are gone after as many restarts of Vector, 0.1 s apart",
		u["StartLimitBurst"], u["StartLimitIntervalUSec"])
}

// endsForGood is of Vector, whichever units the subject brings. These do not answer
// an unclean signal (systemd.service(5), the table of Restart=).
func endsForGood(u unit) string {
	switch {
	case u.is("LoadState", "masked"):
		return "it is masked, and nothing starts it"
	case len(u.list("OnFailure"))+len(u.list("UpheldBy")) > 0:
	case u.is("Restart", "no", "on-success", "on-watchdog"):
		return fmt.Sprintf("Restart=%s: the first crash of Vector ends log shipping for good", u["Restart"])
	}
	return ""
}

// endsInTime is of Vector, too: a service that has run for so long is ended as a failure
// (systemd.service(5), RuntimeMaxSec=), however it is started again.
func endsInTime(u unit) string {
	if u.is("RuntimeMaxUSec", "infinity", "") {
		return ""
	}
	return fmt.Sprintf("RuntimeMaxSec=%s: Vector fails (timeout) each time it has run for so long", u["RuntimeMaxUSec"])
}
