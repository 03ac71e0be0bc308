package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"bootrace/results"
)

// The Trace Event Format, as Perfetto and chrome://tracing open it: "Trace Event
// Format", Google, JSON Object Format. Times are in microseconds.
type (
	chromeTrace struct {
		Events []chromeEvent     `json:"traceEvents"`
		Unit   string            `json:"displayTimeUnit"`
		Other  map[string]string `json:"otherData"`
	}
	chromeEvent struct {
		Name  string         `json:"name"`
		Cat   string         `json:"cat,omitempty"`
		Phase string         `json:"ph"` // X complete, i instant, C counter, M metadata
		TS    float64        `json:"ts"`
		Dur   *float64       `json:"dur,omitempty"` // of X
		PID   int            `json:"pid"`
		TID   int            `json:"tid"`
		Scope string         `json:"s,omitempty"` // of i
		Args  map[string]any `json:"args,omitempty"`
	}
)

// Chrome writes the boots of a run as Chrome trace JSON, which Perfetto opens: a
// process a case, in it a thread a unit, file and service. All clocks begin with
// PID 1, so that boots lie one below the other. A case without a boot is a
// process that says so; a run without any boot is an error.
func Chrome(w io.Writer, r results.Run) error {
	trace := chromeTrace{Unit: "ms", Other: map[string]string{"run": r.ID, "subject": r.Subject, "vector": r.RanVector()}}
	boots := 0
	for i, c := range r.Cases {
		p := process{pid: i + 1}
		boot := c.Decided().Boot
		if boot == nil {
			p.named(c.ID + ": " + c.Verdict + ", no boot was recorded")
		} else {
			boots++
			p.named(c.ID + ": " + c.Verdict)
			p.draw(*boot)
		}
		trace.Events = append(trace.Events, p.events...)
	}
	if boots == 0 {
		return fmt.Errorf("write Chrome trace: run %s has no boot to draw: neither its records nor its recordings have one", r.ID)
	}
	if err := json.NewEncoder(w).Encode(trace); err != nil {
		return fmt.Errorf("write Chrome trace: %w", err)
	}
	return nil
}

// process is a case as the trace has it.
type process struct {
	pid    int
	events []chromeEvent
}

func (p *process) named(name string) {
	p.add(chromeEvent{Name: "process_name", Phase: "M", Args: map[string]any{"name": name}})
	p.add(chromeEvent{Name: "process_sort_index", Phase: "M", Args: map[string]any{"sort_index": p.pid}})
}

func (p *process) add(e chromeEvent) {
	e.PID = p.pid
	p.events = append(p.events, e)
}

func (p *process) draw(b results.Boot) {
	for tid, t := range threads(b.Events) {
		tid++ // 0 is the process itself
		p.add(chromeEvent{Name: "thread_name", Phase: "M", TID: tid, Args: map[string]any{"name": t.name}})
		p.add(chromeEvent{Name: "thread_sort_index", Phase: "M", TID: tid, Args: map[string]any{"sort_index": tid}})
		for _, e := range t.events {
			p.add(drawn(e, tid))
		}
	}
	for _, l := range b.Lines {
		p.add(chromeEvent{Name: "log lines", Phase: "C", TS: micro(l.At), Args: map[string]any{"logged": l.Logged, "delivered": l.Delivered}})
	}
}

func drawn(e results.Event, tid int) chromeEvent {
	out := chromeEvent{Name: label(e), Cat: string(e.Lane), Phase: "i", Scope: "t", TS: micro(e.At), TID: tid,
		Args: map[string]any{"name": e.Name}}
	if e.Text != "" {
		out.Args["text"] = e.Text
	}
	if e.Bad {
		out.Args["bad"] = true
	}
	if e.Until > 0 {
		dur := micro(e.Until - e.At)
		out.Phase, out.Scope, out.Dur = "X", "", &dur
	}
	return out
}

// label is what stands on an event.
func label(e results.Event) string {
	switch {
	case e.Text == "":
		return string(e.Lane)
	case unitLane(e.Lane):
		return string(e.Lane) + ": " + e.Text
	}
	return e.Text
}

func unitLane(l results.Lane) bool {
	switch l {
	case results.LaneWaiting, results.LaneStart, results.LaneActive, results.LaneStop, results.LaneFailed:
		return true
	}
	return false
}

// thread is a row on which no two spans overlap: the format nests by time, and
// what crosses is drawn wrongly.
type thread struct {
	name   string
	events []results.Event
	end    time.Duration // of its last span
}

// threads gives each unit, file and service a row, and further ones where its
// spans overlap, as those of requests at once do.
func threads(events []results.Event) []thread {
	rows := map[string][]thread{}
	var names []string
	rank := map[string]int{}
	for _, e := range events {
		if rows[e.Name] == nil {
			names, rank[e.Name] = append(names, e.Name), order(e.Lane)
			rows[e.Name] = []thread{{name: e.Name}}
		}
		at := 0
		if e.Until > 0 {
			if at = slices.IndexFunc(rows[e.Name], func(t thread) bool { return t.end <= e.At }); at < 0 {
				at = len(rows[e.Name])
				rows[e.Name] = append(rows[e.Name], thread{name: fmt.Sprintf("%s (%d)", e.Name, at+1)})
			}
		}
		t := &rows[e.Name][at]
		t.events, t.end = append(t.events, e), max(t.end, e.Until)
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(rank[a], rank[b]) })
	var out []thread
	for _, name := range names {
		out = append(out, rows[name]...)
	}
	return out
}

// order puts the scenario above the files, those above the units, and the cloud last.
func order(l results.Lane) int {
	switch l {
	case results.LaneMoment:
		return 0
	case results.LaneFile:
		return 1
	case results.LaneRequest:
		return 3
	}
	return 2
}

func micro(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
