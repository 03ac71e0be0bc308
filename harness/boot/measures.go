package boot

import (
	"slices"

	"bootrace/harness/timeline"
)

// measure is a row of the table of measures.
type measure struct {
	name  string   // that of the record; with _s it is in seconds
	needs []string // sources it rests on
	of    func(Facts, Setup, Control) (float64, bool)
}

func measures() []measure {
	return []measure{
		{"multi_user_s", []string{timeline.Journal, timeline.Units}, func(b Facts, _ Setup, _ Control) (float64, bool) {
			up, reached := b.Reached(MultiUser).First()
			return up.At.Seconds(), reached
		}},
		{"control_s", nil, func(_ Facts, _ Setup, c Control) (float64, bool) {
			return c.MultiUser.Seconds(), c.MultiUser > 0
		}},
		{"credentials_s", []string{timeline.Journal, timeline.Units, timeline.Processes, timeline.Cloud}, func(b Facts, s Setup, _ Control) (float64, bool) {
			complete, isComplete := b.RoleEnvComplete(s)
			at, has := b.Credentials(s)
			return (at - complete).Seconds(), isComplete && has && s.Delivers() && len(s.EnvDigests) > 0
		}},
		{"restarts", []string{timeline.Journal}, func(b Facts, _ Setup, _ Control) (float64, bool) {
			n := len(b.Starts(Vector).All)
			return float64(n - 1), n > 0
		}},
		{"start_headroom", []string{timeline.Journal, timeline.Units}, func(b Facts, s Setup, _ Control) (float64, bool) {
			limits := b.StartLimits(s)
			if len(limits) == 0 {
				return 0, false
			}
			return float64(slices.MinFunc(limits, func(a, b StartLimit) int { return a.Left() - b.Left() }).Left()), true
		}},
		{"lines_logged", []string{timeline.Journal}, func(b Facts, s Setup, _ Control) (float64, bool) {
			return float64(len(b.Lines(s))), b.LinesLost() == ""
		}},
		{"lines_delivered", []string{timeline.Journal, timeline.Cloud}, func(b Facts, s Setup, _ Control) (float64, bool) {
			n := 0
			for _, l := range b.Lines(s) {
				if l.Arrived {
					n++
				}
			}
			return float64(n), b.LinesLost() == ""
		}},
		{"credential_requests", []string{timeline.Cloud}, func(b Facts, _ Setup, _ Control) (float64, bool) {
			n := b.Requests()
			return float64(n[IMDS] + n[KeyVault]), true
		}},
	}
}

// Measures are the figures of a boot that checks judge by and trends are drawn of, by
// name. A figure that cannot be taken, because what it is of did not happen or the
// sources it rests on are not whole, is absent.
func (b Facts) Measures(s Setup, c Control) map[string]float64 {
	out := map[string]float64{}
	for _, m := range measures() {
		if b.Unknown(m.needs...) != "" {
			continue
		}
		if v, ok := m.of(b, s, c); ok {
			out[m.name] = v
		}
	}
	return out
}
