package conformance

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// enters writes entries of all kinds and a last one, and tells what arrives: message and unit.
func enters(source string) func(*lab) string {
	return func(l *lab) string {
		l.config(pipeline{source: source}.String())
		l.enter(
			l.entry("of x", entry{"_SYSTEMD_UNIT": "x.service"}),
			l.entry("of the worker", nil),
			l.entry("of y", entry{"_SYSTEMD_UNIT": "y.service"}),
			l.entry("of no unit", entry{"_SYSTEMD_UNIT": nil}),
			l.entry("of a user's unit", entry{"_SYSTEMD_USER_UNIT": "u.service"}),
			l.entry("an error", entry{"PRIORITY": "3"}),
			l.entry("last", nil),
		)
		l.start()
		l.until(func() bool { return l.axiom.took("last") })
		return strings.Join(l.axiom.messages(), ", ")
	}
}

// entered is the event of an entry: its message and whether it is a string, or that there is none.
func entered(message any) func(*lab) string {
	return func(l *lab) string {
		l.config(pipeline{source: "    include_units: [opensandbox-worker]\n"}.String())
		l.enter(l.entry(message, nil))
		l.journal("last")
		l.start()
		l.until(func() bool { return l.axiom.took("last") })
		event := l.axiom.event(0)
		got, err := json.Marshal(event["message"])
		if err != nil {
			return err.Error()
		}
		return string(got)
	}
}

const follow = "--follow --all --show-cursor --output=json "

var journald = []row{
	{name: "the arguments of the first start", source: measured, want: both(follow + "--since=2000-01-01"), play: first(pipeline{}, func(l *lab, _ request) string { return l.argument(0) })},
	{name: "the arguments after a checkpoint", source: only56, want: both(follow + "--after-cursor=s=1;i=0"), play: func(l *lab) string {
		l.config(pipeline{}.String())
		l.journal("a")
		p := l.start()
		l.until(func() bool { return l.axiom.took("a") && l.checkpoint() != "" })
		p.stops()
		l.start()
		l.until(func() bool { return len(l.arguments()) == 2 })
		return l.argument(1)
	}},
	{name: "a checkpoint is the cursor of the last entry", source: measured, want: both("s=1;i=4\n"), play: func(l *lab) string {
		l.config(pipeline{sink: disk}.String())
		l.journal("a", "b", "c", "d", "e")
		l.start()
		l.until(func() bool { return l.axiom.took("e") && l.checkpoint() == "s=1;i=4\n" })
		return l.checkpoint()
	}},
	{name: "all units when none is named", source: reference("configuration/sources/journald"), want: both("of x, of the worker, of y, of no unit, of a user's unit, an error, last"), play: enters("")},
	{name: "the units named, with and without .service", source: measured, want: both("of the worker, of y, of a user's unit, an error, last"), play: enters("    include_units: [opensandbox-worker, y.service]\n")},
	{name: "all but the units named", source: reference("configuration/sources/journald"), want: both("of the worker, of no unit, of a user's unit, an error, last"), play: enters("    exclude_units: [x, y.service]\n")},
	{name: "the matches named", source: reference("configuration/sources/journald"), want: both("of x, last"), play: func(l *lab) string {
		l.config(pipeline{source: "    include_matches: {_SYSTEMD_UNIT: [x.service, last.service]}\n"}.String())
		l.enter(l.entry("of x", entry{"_SYSTEMD_UNIT": "x.service"}), l.entry("of the worker", nil), l.entry("last", entry{"_SYSTEMD_UNIT": "last.service"}))
		l.start()
		l.until(func() bool { return l.axiom.took("last") })
		return strings.Join(l.axiom.messages(), ", ")
	}},
	{name: "all but the matches named", source: reference("configuration/sources/journald"), want: both("of x, of the worker, of y, of no unit, of a user's unit, last"), play: enters("    exclude_matches: {PRIORITY: ['3']}\n")},
	{name: "a message of bytes is a string", source: measured, want: both(`"hi"`), play: entered([]int{104, 105})},
	{name: "a message of lines is one", source: measured, want: both(`"multi\nline"`), play: entered("multi\nline")},
	{name: "an entry without a message is left out", source: measured, want: both(`"last"`), play: entered(nil)},
	{name: "a field of a user's unit is kept", source: measured, want: both("u.service"), play: func(l *lab) string {
		l.config(pipeline{}.String())
		l.enter(l.entry("user", entry{"_SYSTEMD_USER_UNIT": "u.service"}))
		l.start()
		l.until(func() bool { return l.axiom.took("user") })
		return fmt.Sprint(l.axiom.event(0)["_SYSTEMD_USER_UNIT"])
	}},
	{name: "a line that is no entry is passed over", source: reference("configuration/sources/journald"), want: both("a, b"), play: func(l *lab) string {
		l.config(pipeline{}.String())
		l.journal("a")
		f, err := os.OpenFile(l.path("journal.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			return err.Error()
		}
		_, _ = f.WriteString("no JSON\n")
		_ = f.Close()
		l.journal("b")
		l.start()
		l.until(func() bool { return l.axiom.took("b") })
		return strings.Join(l.axiom.messages(), ", ")
	}},
	{name: "a journalctl that may not read is started again and again", source: only56, want: both("alive, says so, nothing arrives"), play: func(l *lab) string {
		l.script("journalctl", `case "$*" in *--version*) echo systemd 257; exit 0;; esac
echo started >>`+l.path("arguments")+`
echo "No journal files were opened due to insufficient permissions." >&2
exit 1`)
		l.config(pipeline{}.String())
		p := l.start()
		l.until(func() bool { return len(l.arguments()) >= 3 })
		return fmt.Sprintf("%s, %s, %s", p.alive(), says(p.log.String(), "Journalctl process stopped."), yes(len(l.axiom.requests()) == 0, "nothing arrives"))
	}},
	{name: "what a journalctl complains of is told", source: only56, want: both("says so"), play: func(l *lab) string {
		l.script("journalctl", `case "$*" in *--version*) echo systemd 257; exit 0;; esac
echo started >>`+l.path("arguments")+`
echo "No journal files were opened due to insufficient permissions." >&2
exit 1`)
		l.config(pipeline{}.String())
		p := l.start()
		l.until(func() bool { return len(l.arguments()) >= 3 })
		return says(p.log.String(), "Warning journalctl stderr: No journal files were opened due to insufficient permissions.")
	}},
	{name: "a journalctl that ends is followed by one that goes on", source: only56, want: both("[a b], --after-cursor=s=1;i=0"), play: func(l *lab) string {
		script, err := os.ReadFile(l.path("bin/journalctl"))
		if err != nil {
			return err.Error()
		}
		l.script("journalctl", strings.Replace(string(script), " -f ", " ", 1))
		l.config(pipeline{}.String())
		l.journal("a")
		l.start()
		l.until(func() bool { return l.axiom.took("a") })
		l.journal("b")
		l.until(func() bool { return l.axiom.took("b") })
		second := l.argument(1)
		return fmt.Sprintf("%v, %s", l.axiom.messages(), second[strings.LastIndex(second, " ")+1:])
	}},
}
