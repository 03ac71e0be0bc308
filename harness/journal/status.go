package journal

import (
	"cmp"
	"regexp"
	"strings"
)

var (
	// Of systemctl status.
	// The sign in front is lost where somebody has copied what he saw.
	statusHead = regexp.MustCompile(`^(?:[●×○*↻x•?_\x{FFFD}] ` + unitNamed + `(?: - (.*))?|` + unitNamed + ` - (.*))$`)
	// What triggers a unit, or what it triggers, is listed with signs of their own, one a line.
	triggersLine = regexp.MustCompile(`^(?:TriggeredBy|Triggers): [●×○*↻x] `)
	loadedAs     = regexp.MustCompile(`^Loaded: [\w-]+ \(\S*/` + unitNamed + `[;)>…]`)
	badFile      = regexp.MustCompile(`^Loaded: (?:bad-setting \(|error \(Reason: Invalid argument)`)
	unitDisabled = regexp.MustCompile(`^Loaded: loaded \([^;]+; disabled[;)>…]`)
	unmet        = regexp.MustCompile(`^(?:└─ ?)?(Condition\w+=.+) was not met$`)
	triggersIt   = regexp.MustCompile(`^TriggeredBy: [●*] ` + unitNamed + `$`) // a trigger that is active
	statusText   = regexp.MustCompile(`^Status: "(.+?)"?[>…]?$`)
	shownAs      = regexp.MustCompile(`^(Result|Id|ActiveState)=([A-Za-z0-9:_.\\@-]+)$`)
	loadedFrom   = regexp.MustCompile(`^Loaded: [\w-]+ \(\S*/(systemd/user|\.config/containers/systemd|run/user/\d+/systemd|systemd/system)/`)
	activeLine   = regexp.MustCompile(`^Active: (failed|active|inactive|activating|deactivating|reloading)(?:[>…]?$| \(R?e?s?u?l?t?:?[>…]?$| \((?:Result: )?([a-z-]*)(?:[>…]?$|\)(?: \(Result: ([a-z-]*))?))`) // or cut
	failingUnits = regexp.MustCompile(`^Failed Units: [1-9]\d*$`)
	unitAlone    = regexp.MustCompile(`^[A-Za-z0-9:_.\\@-]+\.(?:service|socket|target|device|mount|automount|swap|timer|path|slice|scope)$`)
	notThere     = regexp.MustCompile(`^Unit ` + unitNamed + ` could not be found\.$`)
	failedUnits  = regexp.MustCompile(`^Failed: \d+ units?$`)
	processLine  = regexp.MustCompile(`^(?:Main PID: (\d+)|Process: (\d+) (Exec[A-Za-z]+)=\S+.*?) .*?\((code=[a-z]+, (?:status|signal)=[^)]+)\)`)
)

// statusOf reads systemctl status: the unit that follows, and that it failed.
func (t *textReader) statusOf(n int, s string) bool {
	if strings.Contains(t.prior, "systemctl ") { // as somebody has typed it
		t.asUser = strings.Contains(t.prior, " --user")
	}
	if m := shownAs.FindStringSubmatch(s); m != nil {
		t.property(n, m[1], m[2])
		return true
	}
	if m := statusHead.FindStringSubmatch(s); m != nil {
		if t.block.listing && m[2]+m[4] == "" { // the list goes on
			t.block.listed = m[1] + m[3]
			return true
		}
		t.begin(m[1] + m[3])
		t.describe(t.unit, m[2]+m[4])
		return true
	}
	if strings.HasPrefix(s, "Loaded: ") {
		t.loaded(n, s)
		if m := loadedFrom.FindStringSubmatch(s); m != nil && t.unit != "" {
			t.block.ofUser = m[1] != "systemd/system"
			return true
		}
	}
	t.block.listed = ""
	if m := triggersIt.FindStringSubmatch(s); m != nil && t.unit != "" && !t.block.ofUser {
		t.set(Status, t.unit, n, func(u *Unit) { u.TriggeredBy = m[1] })
	}
	if t.block.listing = triggersLine.MatchString(s); t.block.listing {
		return t.unit != ""
	}
	if t.failing = failingUnits.MatchString(s) || t.failing && unitAlone.MatchString(s); t.failing { // CoreOS' word at login
		if name := unitAlone.FindString(s); name != "" {
			t.set(Status, name, n, func(u *Unit) { u.Load, u.Active, u.Sub = "loaded", "failed", "failed" })
		}
		return true
	}
	if m := notThere.FindStringSubmatch(s); m != nil && !t.asUser {
		t.set(Status, m[1], n, func(u *Unit) { u.Load, u.Active, u.Sub = "not-found", "inactive", "dead" })
		return true
	}
	if failedUnits.MatchString(s) { // of the machine as a whole
		t.hold(Entry{Line: n, Form: Status, Ident: "systemd", PID: pidOf(t.asUser), Message: s}, 1)
		return true
	}
	if t.raw > 0 && t.held.Form == Status && strings.HasPrefix(s, "CGroup: /user.slice/user-") && strings.Contains(s, "/user@") && !(strings.HasPrefix(t.unit, "user@") && strings.HasSuffix(s, "/"+t.unit)) {
		t.held.PID, t.block.ofUser = UsersManager, true
		return true
	}
	if t.unit == "" {
		return false
	}
	if m := unmet.FindStringSubmatch(s); m != nil && !t.block.ofUser {
		t.set(Status, t.unit, n, func(u *Unit) { u.Unmet = m[1] })
		return true
	}
	if strings.HasPrefix(s, "Active: *") { // emphasis of whoever copied it
		s = strings.ReplaceAll(s, "*", "")
	}
	message := ""
	if m := activeLine.FindStringSubmatch(s); m != nil {
		result := cmp.Or(m[3], m[2])
		switch {
		case (m[1] == "failed" || m[3] != "" && m[1] != "active") && len(result) >= tellsResult: // what has started is through with its Result=
			t.block.failed = true
			message = t.unit + ": Failed with result '" + result + "'."
		case t.block.ofUser:
			message = t.unit + " is " + m[1]
		default:
			t.set(Status, t.unit, n, func(u *Unit) {
				u.Load, u.Active, u.Sub, u.Disabled = "loaded", m[1], cmp.Or(m[2], m[1]), t.block.disabled
			})
			return true
		}
	} else if m := processLine.FindStringSubmatch(s); m != nil {
		which := "Main"
		if t.pids == nil {
			t.pids = map[string]string{}
		}
		t.pids[cmp.Or(m[1], m[2])] = t.unit
		if (m[3] == "ExecReload" || strings.HasPrefix(m[3], "ExecStop")) && !strings.Contains(m[4], "status=2") { // no start fails of it, if it was run
			return true
		}
		if m[3] != "" && m[3] != "ExecStart" {
			if strings.HasPrefix(m[4], "code=exited, status=0") { // which ended nothing
				return true
			}
			which = "Control"
		}
		message = t.unit + ": " + which + " process exited, " + strings.Replace(m[4], "signal=", "status=", 1)
	} else if m := statusText.FindStringSubmatch(s); m != nil && t.block.failed && !t.block.ofUser { // STATUS= of sd_notify(3)
		t.hold(Entry{Line: n, Form: Bare, Ident: t.unit, Of: t.unit, Message: StatusSays + m[1]}, 1)
		return true
	}
	if message == "" {
		return false
	}
	t.hold(Entry{Line: n, Form: Status, Ident: "systemd", PID: pidOf(t.block.ofUser), Message: message}, 1)
	return true
}

// StatusSays is before what a unit's program told PID 1 of how it is.
const StatusSays = "its status: "

// loaded reads where a unit's file lies: the heading above may have no description, or be lost.
func (t *textReader) loaded(n int, s string) {
	name := cmp.Or(t.block.listed, unitAlone.FindString(t.prior))
	if m := loadedAs.FindStringSubmatch(s); name == "" && !t.block.headed && m != nil {
		name = m[1]
	}
	if name != "" {
		t.begin(name)
	}
	t.block.disabled = unitDisabled.MatchString(s)
	if t.block.headed = false; t.unit != "" && badFile.MatchString(s) {
		t.hold(Entry{Line: n, Form: Status, Ident: "systemd", PID: pidOf(t.block.ofUser), Message: t.unit + ": " + s}, 1)
	}
}

// property reads systemctl show, which has a unit's result before its name, and that before its
// state.
func (t *textReader) property(n int, key, value string) {
	switch key {
	case "Result":
		t.result = value
	case "Id":
		t.unit = unitAlone.FindString(value)
	case "ActiveState":
		switch {
		case t.unit == "":
		case value == "failed" && t.result != "" && t.result != "success":
			t.hold(Entry{Line: n, Form: Status, Ident: "systemd", PID: pidOf(t.asUser), Message: t.unit + ": Failed with result '" + t.result + "'."}, 1)
		case !t.asUser:
			t.set(Status, t.unit, n, func(u *Unit) { u.Load, u.Active, u.Sub = "loaded", value, value })
		}
		t.unit, t.result = "", ""
	}
}

func pidOf(ofUser bool) int {
	if ofUser {
		return UsersManager
	}
	return 1
}

// tellsResult is how much of a result tells it from the others, where the line is cut.
const tellsResult = 3

// begin is a status' head.
func (t *textReader) begin(unit string) {
	t.unit, t.block = unit, statusBlock{unit: unit, ofUser: t.asUser, headed: true}
	clear(t.pids)
}
