package check

import (
	"slices"

	"bootrace/harness/timeline"
)

// measure is a row of the table of measures.
type measure struct {
	name  string   // that of the record; with _s it is in seconds
	needs []string // sources it rests on, as in Check
	of    func(timeline.Timeline, Expect) (float64, bool)
}

func measures() []measure {
	return []measure{
		{"multi_user_s", []string{timeline.Journal, timeline.Units}, func(tl timeline.Timeline, _ Expect) (float64, bool) {
			at, reached := tl.Reached(MultiUser)
			return at.Seconds(), reached
		}},
		{"control_s", nil, func(_ timeline.Timeline, e Expect) (float64, bool) {
			return e.ControlMultiUser.Seconds(), e.ControlMultiUser > 0
		}},
		{"credentials_s", vectorCredentialed.Needs, func(tl timeline.Timeline, e Expect) (float64, bool) {
			took, ok := credentials(tl, e)
			return took.Seconds(), ok
		}},
		{"restarts", []string{timeline.Journal}, func(tl timeline.Timeline, _ Expect) (float64, bool) {
			n := len(starts(tl)[Vector])
			return float64(n - 1), n > 0
		}},
		{"start_headroom", []string{timeline.Journal, timeline.Units}, func(tl timeline.Timeline, e Expect) (float64, bool) {
			budgets := startBudgets(tl, e)
			if len(budgets) == 0 {
				return 0, false
			}
			return float64(slices.MinFunc(budgets, func(a, b startBudget) int { return a.left() - b.left() }).left()), true
		}},
		{"lines_logged", []string{timeline.Journal}, func(tl timeline.Timeline, e Expect) (float64, bool) {
			return float64(len(Lines(tl, e))), journalGaps(tl, logged(tl), owedBy(tl, logged(tl))) == ""
		}},
		{"lines_delivered", logsDelivered.Needs, func(tl timeline.Timeline, e Expect) (float64, bool) {
			n := 0
			for _, l := range Lines(tl, e) {
				if l.Arrived {
					n++
				}
			}
			return float64(n), journalGaps(tl, logged(tl), owedBy(tl, logged(tl))) == ""
		}},
		{"credential_requests", cloudPoliteness.Needs, func(tl timeline.Timeline, _ Expect) (float64, bool) {
			n := requests(tl)
			return float64(n["imds"] + n["keyvault"]), true
		}},
	}
}

// Measure takes the figures of a boot that checks judge by and trends are drawn
// of, by name. A figure that cannot be taken, because what it is of did not
// happen or the sources it rests on are not whole, is absent.
func Measure(tl timeline.Timeline, e Expect) map[string]float64 {
	e = e.withDefaults()
	out := map[string]float64{}
	for _, m := range measures() {
		if gaps(tl, m.needs) != "" {
			continue
		}
		if v, ok := m.of(tl, e); ok {
			out[m.name] = v
		}
	}
	return out
}
