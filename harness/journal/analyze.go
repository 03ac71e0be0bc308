package journal

import (
	"bufio"
	"bytes"
	"regexp"
	"strings"
	"time"

	"bootrace/harness/timespan"
)

// maxUnits bounds what a file may say of units.
const maxUnits = 20_000

func (r *reader) set(form Form, name string, line int, change func(*Unit)) {
	u, has := r.report.Units[name]
	if !has && len(r.report.Units) >= maxUnits {
		return
	}
	if !has {
		u.Line = line
	}
	change(&u)
	r.report.Units[name] = u
	r.report.Forms[form]++
}

// chainLine is one of systemd-analyze critical-chain: "└─a.service @2.1s +10.2s".
var chainLine = regexp.MustCompile(`^[│└├─| ` + "`" + `-]*([A-Za-z0-9:_.\\@-]+\.(?:service|socket|target|device|mount|automount|swap|timer|path|slice|scope)) @([0-9a-z. ]+?)(?: \+([0-9a-z. ]+))?$`)

// describe keeps what a unit is called, for sentences that have nothing else of it.
func (r *reader) describe(unit, as string) {
	if as = strings.TrimSpace(as); as != "" && len(r.report.Described) < maxUnits && !strings.HasSuffix(as, "…") {
		r.report.Described[as] = unit
	}
}

// chainLink is the line before, which the next hangs below if it is indented more.
type chainLink struct {
	unit  string
	up    time.Duration
	depth int
}

func (t *textReader) chain(n int, s string) bool {
	m := chainLine.FindStringSubmatch(s)
	if m == nil {
		return false
	}
	up, err := timespan.Parse(m[2])
	if err != nil {
		return false
	}
	took, _ := timespan.Parse(m[3])
	t.set(Analyze, m[1], n, func(u *Unit) { u.Up, u.Took = up, took })
	link := chainLink{m[1], up, strings.Index(s, m[1])}
	if t.above.unit != "" && link.depth > t.above.depth {
		t.set(Analyze, t.above.unit, n, func(u *Unit) { u.Behind, u.Gap = m[1], t.above.up-up-took })
	}
	t.above = link
	return true
}

// Lines of systemd-analyze blame, systemctl list-jobs and systemctl list-units.
const unitNamed = `([A-Za-z0-9:_.\\@-]+\.(?:service|socket|target|device|mount|automount|swap|timer|path|slice|scope))`

var (
	blameLine = regexp.MustCompile(`^((?:\d+[a-z]+ )*[0-9.]+m?s) ` + unitNamed + `$`)
	jobLine   = regexp.MustCompile(`^\d+ +` + strings.Replace(unitNamed, "@-", "@…-", 1) + ` +(start|stop|restart|reload|verify-active) +(running|waiting)$`)
	listLine  = regexp.MustCompile(`^(?:[●×*○↻] ?|[^\w\s]{1,3} |_ )?` + unitNamed + ` +(loaded|not-found|masked|error) +(failed|active|inactive|activating|deactivating) +(\S+)(?: +(\S.*?))?(?: *>)?$`)
)

// unitsHead is the first line of what systemctl list-units and list-jobs print.
var unitsHead = regexp.MustCompile(`^(?:UNIT +LOAD +ACTIVE +SUB|JOB +UNIT +TYPE) `)

// listed reads those lines.
func (t *textReader) listed(n int, s string) bool {
	if strings.Contains(t.prior, "systemctl ") {
		t.listUser = strings.Contains(t.prior, " --user")
	} else if unitsHead.MatchString(s) {
		t.listUser = false
	}
	if m := blameLine.FindStringSubmatch(s); m != nil {
		took, err := timespan.Parse(m[1])
		if err == nil {
			t.set(Analyze, m[2], n, func(u *Unit) { u.Took = took })
		}
		return err == nil
	}
	if m := jobLine.FindStringSubmatch(s); m != nil && !t.listUser {
		t.set(Status, m[1], n, func(u *Unit) { u.Job = m[2] + " " + m[3] })
		return true
	}
	if m := listLine.FindStringSubmatch(s); m != nil && t.listUser {
		if m[3] == "failed" {
			t.hold(Entry{Line: n, Form: Status, Ident: "systemd", PID: UsersManager, Message: m[1] + " is failed"}, 1)
		}
		return true
	} else if m != nil {
		t.set(Status, m[1], n, func(u *Unit) { u.Load, u.Active, u.Sub = m[2], m[3], m[4] })
		t.describe(m[1], m[5])
		return true
	}
	return false
}

func isDump(head []byte) bool {
	return bytes.HasPrefix(head, []byte("-> Unit ")) || bytes.Contains(head, []byte("\n-> Unit ")) || bytes.HasPrefix(head, []byte("Manager: systemd "))
}

// dump reads systemd-analyze dump: what each unit is.
func (r *reader) dump(br *bufio.Reader) error {
	unit, job := "", false
	r.report.AllUnits = true
	return r.eachLine(br, func(n int, b []byte) {
		s := Clean(b)
		name, begins := strings.CutPrefix(s, "-> Unit ")
		switch {
		case begins:
			unit, job = strings.TrimSuffix(name, ":"), false
		case strings.HasPrefix(s, "-> Job "):
			job = true
		}
		key, value, ok := strings.Cut(strings.TrimSpace(s), ": ")
		if !ok || unit == "" && !job {
			return
		}
		switch {
		case job && key == "Action":
			if of, action, ok := strings.Cut(value, " -> "); ok {
				r.set(Analyze, of, n, func(u *Unit) { u.Job = action + " waiting" })
				unit = of
			}
		case job && key == "State" && unit != "":
			r.set(Analyze, unit, n, func(u *Unit) { u.Job, _, _ = strings.Cut(u.Job, " "); u.Job += " " + value })
		case key == "Unit Load State":
			r.set(Analyze, unit, n, func(u *Unit) { u.Load = value })
		case key == "Unit Active State":
			r.set(Analyze, unit, n, func(u *Unit) { u.Active = value })
		case strings.HasSuffix(key, " State") && !strings.HasPrefix(key, "Unit ") && !strings.Contains(key, "File"):
			r.set(Analyze, unit, n, func(u *Unit) {
				if u.Sub == "" {
					u.Sub = value
				}
			})
		}
	})
}

func isPlot(head []byte) bool {
	return bytes.Contains(head, []byte("<svg")) && bytes.Contains(head, []byte("ystemd"))
}

// plotted is a unit in systemd-analyze plot, with how long its start took.
var plotted = regexp.MustCompile(`<text [^>]*>([A-Za-z0-9:_.\\@-]+\.[a-z]+)(?: \(([0-9a-z. ]+)\))?</text>`)

// plot reads systemd-analyze plot: which units there were and how long each took.
func (r *reader) plot(br *bufio.Reader) error {
	return r.eachLine(br, func(n int, b []byte) {
		for _, m := range plotted.FindAllSubmatch(b, -1) {
			took, err := timespan.Parse(string(m[2]))
			if err != nil {
				took = 0
			}
			r.set(Analyze, Clean(m[1]), n, func(u *Unit) { u.Took = max(u.Took, took) })
		}
	})
}
