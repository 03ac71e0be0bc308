package derive

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
)

// Scenario is the scenario file of a boot that a log is of, as far as the log says what a
// scenario says: when worker.env came, what the cloud answered, who started Vector again.
// Behind each value stands the line that it rests on, or that it is not known.
func Scenario(name string, b boot.Facts) string {
	w := &writer{}
	w.comment("derived from the log of %s: %s", b.Case, filesOf(b))
	for _, why := range []string{b.Missing[timeline.Journal]} {
		if why != "" {
			w.comment("what the log lacks: %s", why)
		}
	}
	w.line("version: 1", "")
	w.line("name: "+name, "")
	w.line("description: a boot of "+plainWord(b.Case)+", derived from its log", "")
	delay, written, final := workerEnv(w, b)
	faults(w, b)
	settle := during(w, b, delay, written, final)
	look(w, delay, settle, final.At, written)
	w.line("expect:", "")
	switch {
	case !written:
		w.line("  registered: false", "a worker without worker.env cannot register")
	case delay >= pendingTTL:
		w.line("  registered: false", "worker.env came after the control plane had given up (10min, the default)")
	default:
		w.line("  registered: true", "")
	}
	for _, step := range b.Origin.Steps {
		w.comment("no scenario sets a machine's clock: %s", step)
	}
	return w.String()
}

func filesOf(b boot.Facts) string {
	var out []string
	for _, f := range b.Origin.Files {
		out = append(out, f.Name)
	}
	return strings.Join(out, ", ")
}

var notInNames = regexp.MustCompile(`[^A-Za-z0-9.-]+`)

func plainWord(s string) string { return notInNames.ReplaceAllString(s, "-") }

// workerEnv says when worker.env came: before the boot, so long after cloud-final's start,
// never, or not known.
func workerEnv(w *writer, b boot.Facts) (delay time.Duration, written bool, final boot.Moment) {
	w.line("worker_env:", "")
	final, begun := b.FirstStart(boot.CloudFinal)
	there, before := b.RoleEnvThere()
	env, seen := b.RoleEnvWritten()
	awaited, waits := b.RoleEnvAwaited()
	switch {
	case before:
		w.line("  when: before-boot", stands(there.Evidence))
		return 0, true, final
	case seen && begun && env.At >= final.At && !waits:
		w.line("  when: after", stands(final.Evidence))
		delay = (env.At - final.At).Round(100 * time.Millisecond)
		basis := stands(env.Says)
		if delay > longest {
			basis, delay = fmt.Sprintf("cut: it came after %s, longer than a scenario looks: %s", delay, basis), longest
		}
		if env.AtMost {
			basis = "at the latest, by " + basis
		}
		w.line("  delay: "+span(delay), basis)
		return delay, true, final
	case waits && b.End-awaited.At >= 0 && finished(b):
		w.line("  when: never", "it is awaited still, though cloud-final.service is done: "+stands(awaited.Evidence))
		return 0, false, final
	}
	w.line("  when: after", "")
	basis := "not known: the log does not say when worker.env was complete; an assumption"
	if waits {
		basis = fmt.Sprintf("not known: it is awaited at %s still, at the log's end; an assumption", timeline.Since(awaited.At))
		if delay = min(b.End-final.At, longest); begun && delay > unknownDelay {
			w.line("  delay: "+span(delay.Round(time.Second)), "at least: "+stands(awaited.Evidence))
			return delay.Round(time.Second), true, final
		}
	} else if !begun && seen {
		basis = "not known: the start of cloud-final.service, which it counts from, is not in the log; an assumption"
	}
	w.line("  delay: "+span(unknownDelay), basis)
	return unknownDelay, true, final
}

// longest is the longest delay that is derived: a scenario looks for a day at most.
const longest = 12 * time.Hour

// finished: cloud-final.service, which writes worker.env, is done.
func finished(b boot.Facts) bool {
	return slices.ContainsFunc(b.Of(timeline.Started), func(ev timeline.Event) bool {
		return ev.Unit == boot.CloudFinal && strings.HasPrefix(ev.Text, "Finished ")
	})
}

// answer is a row: words of a program that asked the cloud, and the fault that they tell of.
type answer struct {
	service string
	says    *regexp.Regexp // its groups are status and secret, by name
	kind    string
}

// The populator's words (populator/vault/error.go), curl's, and Vector's for Axiom.
var answers = []answer{
	{"imds", regexp.MustCompile(`managed identity: (?P<status>[1-5]\d\d)\b`), "status"},
	{"imds", regexp.MustCompile(`managed identity: connection refused|Failed to connect to 169\.254\.169\.254`), "refused"},
	{"imds", regexp.MustCompile(`managed identity: no answer in time`), "hang"},
	{"imds", regexp.MustCompile(`managed identity: the connection broke`), "reset"},
	{"keyvault", regexp.MustCompile(`key vault [^,:;]+(?:, secret (?P<secret>[0-9A-Za-z-]{1,127}))?: (?P<status>[1-5]\d\d)\b`), "status"},
	{"keyvault", regexp.MustCompile(`key vault [^,:;]+(?:, secret (?P<secret>[0-9A-Za-z-]{1,127}))?: connection refused`), "refused"},
	{"keyvault", regexp.MustCompile(`key vault [^,:;]+(?:, secret (?P<secret>[0-9A-Za-z-]{1,127}))?: no answer in time`), "hang"},
	{"keyvault", regexp.MustCompile(`key vault [^,:;]+(?:, secret (?P<secret>[0-9A-Za-z-]{1,127}))?: the connection broke`), "reset"},
	{"keyvault", regexp.MustCompile(`\.vault\.azure\.net does not resolve|Could not resolve host: \S+\.vault\.azure\.net`), "no-such-host"},
	{"axiom", regexp.MustCompile(`Http status: (?P<status>[1-5]\d\d)\b`), "status"},
}

// failing is a fault while it lasts.
type failing struct {
	answer
	status, secret string
	first, last    timeline.Event
	over           *timeline.Event
}

// faults are what the cloud answered, by those who asked.
func faults(w *writer, b boot.Facts) {
	var all []*failing
	asked := false
	for i, ev := range b.Events {
		if ev.Kind != timeline.Log || ev.Manager || ev.Untimed {
			continue
		}
		asked = asked || strings.Contains(ev.Text, "vector.env")
		told := map[*failing]bool{}
		for _, a := range answers {
			m := a.says.FindStringSubmatch(ev.Text)
			if m == nil {
				continue
			}
			f := failing{answer: a, first: ev, last: ev}
			for g, group := range a.says.SubexpNames() {
				switch group {
				case "status":
					f.status = m[g]
				case "secret":
					f.secret = m[g]
				}
			}
			k := slices.IndexFunc(all, func(o *failing) bool {
				return o.service == f.service && o.kind == f.kind && o.status == f.status && o.secret == f.secret && o.over == nil
			})
			if k < 0 {
				k = len(all)
				all = append(all, &f)
			}
			all[k].last = ev
			told[all[k]] = true
		}
		if !strings.Contains(ev.Text, "vector.env") {
			continue
		}
		for _, f := range all { // the populator says all that is wrong at once
			if !told[f] && f.over == nil && f.service != "axiom" {
				f.over = &b.Events[i]
			}
		}
	}
	if len(all) == 0 {
		if asked {
			w.comment("cloud.faults: none: the populator's log tells of no trouble with the cloud")
		} else {
			w.comment("cloud.faults: not known: no program's log in it says what IMDS, the vault and Axiom answered; none, the default")
		}
		return
	}
	w.line("cloud:", "")
	w.line("  faults:", "when they began is not known: from the first request on")
	for _, f := range all {
		parts := []string{"service: " + f.service, "kind: " + f.kind}
		if f.secret != "" {
			parts = append(parts, "secret: "+f.secret)
		}
		if status, err := strconv.Atoi(f.status); err == nil {
			parts = append(parts, fmt.Sprintf("status: %d", max(200, status)))
		}
		says := stands(f.first.Evidence)
		until := f.last.At
		if f.over != nil {
			until = f.over.At
			says += "; no more at " + stands(f.over.Evidence)
		} else if f.service != "axiom" {
			until = 0
			says += "; its end is not in the log"
		}
		if until > 0 {
			parts = append(parts, "until: "+span(max(until.Round(time.Second), time.Second)))
		}
		w.line("    - {"+strings.Join(parts, ", ")+"}", says)
	}
}

// ownDoing is how soon after vector.env the populator itself starts Vector again; Vector has
// up to 60 s to drain.
const ownDoing = 65 * time.Second

// during are the starts of Vector and of the populator that somebody asked for while the
// machine ran, those that the populator asks for left out: how long is to be looked after
// worker.env is given back.
func during(w *writer, b boot.Facts, delay time.Duration, written bool, final boot.Moment) (settle time.Duration) {
	settle = defaultSettle
	asked, own := askedOfVector(b, final)
	if own > 0 {
		w.comment("vector.service was started again %d times by its Restart=, which the subject must show by itself", own)
	}
	asked = append(asked, stoppedAndStarted(b, boot.Populator, final)...)
	if len(asked) == 0 || !written {
		return settle
	}
	slices.SortStableFunc(asked, func(x, y restart) int { return cmp.Compare(x.At, y.At) })
	w.line("during:", "")
	for _, s := range asked[:min(len(asked), 10)] {
		at := (s.At - final.At).Round(100 * time.Millisecond)
		w.line("  - {at: "+span(at)+", do: restart, unit: "+s.unit+"}", stands(s.Evidence))
		settle = max(settle, at-delay+2*defaultSettle)
	}
	return settle
}

// restart is one that somebody asked for.
type restart struct {
	boot.Moment
	unit string
}

// askedOfVector are those of Vector after cloud-final's start, but for the first after
// worker.env, which is the populator's; own counts those that its Restart= made.
func askedOfVector(b boot.Facts, final boot.Moment) (asked []restart, own int) {
	env, _ := b.RoleEnvWritten()
	for i, s := range b.Starts(boot.Vector).All {
		switch {
		case i == 0:
		case s.By == boot.ByItself:
			own++
		case env.At > 0 && s.At >= env.At && s.At-env.At < ownDoing && len(asked) == 0:
		case s.At > final.At && s.At-final.At < longest:
			asked = append(asked, restart{s.Moment, boot.Vector})
		}
	}
	return asked, own
}

// stoppedAndStarted are the stops of a unit, asked for after cloud-final's start, that a start
// follows: what ends by itself PID 1 does not say to be stopping.
func stoppedAndStarted(b boot.Facts, unit string, final boot.Moment) []restart {
	var out []restart
	var stop *boot.Moment
	for _, ev := range b.Of(timeline.Stopping, timeline.Starting, timeline.Started) {
		switch {
		case ev.Unit != unit || ev.Untimed || ev.At <= final.At || ev.At-final.At >= longest:
		case ev.Kind == timeline.Stopping:
			stop = &boot.Moment{At: ev.At, Evidence: ev.Evidence}
		case stop != nil:
			out = append(out, restart{*stop, unit})
			stop = nil
		}
	}
	return out
}

// defaultSettle is the scenarios' own.
const defaultSettle = 10 * time.Second

// look says how long: the window counts from the machine's start, the delay from cloud-final's,
// which a boot that is held comes to late.
func look(w *writer, delay, settle, final time.Duration, written bool) {
	w.line("look:", "")
	if settle != defaultSettle {
		w.line("  settle: "+span(settle), "until after what is done to units")
	}
	length := delay + settle + window
	if !written {
		length = 2 * window
	}
	why := "not of the log: what a boot needs after worker.env"
	if final >= heldBoot {
		length += final
		why += ", and what this one took until cloud-final.service"
	}
	w.line("  window: "+span(length.Round(time.Second)), why)
}

// heldBoot is from when on a boot is late to come to cloud-final: within window there is room
// for less.
const heldBoot = 15 * time.Second

// stands is where a value is from.
func stands(e timeline.Evidence) string {
	text := strings.Join(strings.Fields(e.Text), " ")
	if r := []rune(text); len(r) > 140 {
		text = string(r[:140]) + "…"
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, text)
}

// writer writes YAML of which every line may have a comment.
type writer struct{ b strings.Builder }

func (w *writer) line(text, comment string) {
	w.b.WriteString(text)
	if comment != "" {
		w.b.WriteString("  # " + oneLine(comment))
	}
	w.b.WriteByte('\n')
}

func (w *writer) comment(format string, args ...any) {
	w.b.WriteString("# " + oneLine(fmt.Sprintf(format, args...)) + "\n")
}

// oneLine keeps what a log says within a comment.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\u0085' || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
}

func (w *writer) String() string { return w.b.String() }
