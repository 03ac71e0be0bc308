package picture

import (
	"fmt"
	"time"

	"bootrace/harness/timeline"
	"bootrace/results"
)

// course draws one unit from what PID 1 says of it: one span goes on at a time.
type course struct {
	unit string
	last timeline.Unit // as it was at the end; zero: not recorded
	out  []results.Event

	open   results.Event // the span that goes on; no lane: none
	again  string        // of the start to come: which automatic one it is, counted from 1
	gone   bool          // it was deactivated within its start: a oneshot without RemainAfterExit=
	failed bool          // this failure was shown
}

func (c *course) begin(at time.Duration, lane results.Lane, text string) {
	c.end(at)
	c.open = results.Event{At: at, Lane: lane, Name: c.unit, Text: text}
}

// noTime is below the difference between the stamps of systemd and of journald.
const noTime = time.Millisecond

// end ends what goes on. A start that takes no time is none (a target, a
// Type=simple service); a unit that was active was so however short it was.
func (c *course) end(at time.Duration) {
	if c.open.Lane == results.LaneActive || c.open.Lane != "" && at-c.open.At >= noTime {
		c.out = append(c.out, span(c.open, at))
	}
	c.open = results.Event{}
}

func (c *course) moment(at time.Duration, lane results.Lane, text string, bad bool) {
	c.out = append(c.out, results.Event{At: at, Lane: lane, Name: c.unit, Text: clip(text), Bad: bad})
}

// beforeTheJournal adds the start of a unit that was on its way before journald
// was, from systemd's own timestamps. first is its first start in the journal.
func (c *course) beforeTheJournal(said []timeline.Event, first int) {
	began, up := c.last.InactiveExit, c.last.ActiveEnter
	switch {
	case began <= 0, len(said) > 0 && said[0].At < began: // the stamps are of a later start
	case first >= 0, c.last.Active == "activating":
		c.begin(began, results.LaneStart, "")
	case c.last.Active == "active" && up >= began && len(said) == 0:
		c.begin(began, results.LaneStart, "")
		c.begin(up, results.LaneActive, "")
	}
}

func (c *course) see(ev timeline.Event) {
	starting := c.open.Lane == results.LaneStart
	switch ev.Kind {
	case timeline.Starting:
		c.begin(ev.At, results.LaneStart, c.again)
		c.again, c.gone, c.failed = "", false, false
	case timeline.Started:
		if c.open.Lane == results.LaneActive {
			break
		}
		c.end(ev.At)
		if !c.gone {
			c.begin(ev.At, results.LaneActive, "")
		}
		c.gone, c.failed = false, false
	case timeline.StartFailed:
		c.fails(ev.At)
		if !c.failed {
			c.moment(ev.At, results.LaneFailed, "the start job ended with "+ev.Change.JobResult, true)
		}
		c.failed = true
	case timeline.Failed:
		c.fails(ev.At)
		c.end(ev.At)
		if !c.failed {
			c.moment(ev.At, results.LaneFailed, "failed: "+ev.Change.Result, true)
		}
		c.failed = true
	case timeline.Refused: // systemd repeats the result of the failure before
		c.moment(ev.At, results.LaneFailed, "refused: "+ev.Text, true)
		c.failed = true
	case timeline.Skipped:
		c.end(ev.At)
		c.moment(ev.At, results.LaneStart, "skipped: a condition was not met", false)
	case timeline.Stopping:
		c.begin(ev.At, results.LaneStop, "")
	case timeline.Stopped, timeline.Succeeded:
		if starting && ev.Kind == timeline.Succeeded {
			c.gone = true
			break
		}
		c.end(ev.At)
	case timeline.Restart:
		c.failed = false
		c.again = fmt.Sprintf("automatic restart %d", ev.Change.Count)
	}
}

// fails ends a start, or the wait for it, that came to nothing.
func (c *course) fails(at time.Duration) {
	if c.open.Lane == results.LaneStart || c.open.Lane == results.LaneWaiting {
		c.open.Bad = true
		c.end(at)
	}
}
