package check

import (
	"slices"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
)

// measure is a row of the table of measures.
type measure struct {
	name  string   // that of the record; with _s it is in seconds
	needs []string // sources it rests on, as in Check
	of    func(boot.Facts, Expect) (float64, bool)
}

func measures() []measure {
	return []measure{
		{"multi_user_s", []string{timeline.Journal, timeline.Units}, func(b boot.Facts, _ Expect) (float64, bool) {
			up, reached := b.Reached(boot.MultiUser).First()
			return up.At.Seconds(), reached
		}},
		{"control_s", nil, func(_ boot.Facts, e Expect) (float64, bool) {
			return e.ControlMultiUser.Seconds(), e.ControlMultiUser > 0
		}},
		{"credentials_s", vectorCredentialed.Needs, func(b boot.Facts, e Expect) (float64, bool) {
			took, ok := credentials(b, e)
			return took.Seconds(), ok
		}},
		{"restarts", []string{timeline.Journal}, func(b boot.Facts, _ Expect) (float64, bool) {
			n := len(b.Starts(boot.Vector).All)
			return float64(n - 1), n > 0
		}},
		{"start_headroom", []string{timeline.Journal, timeline.Units}, func(b boot.Facts, e Expect) (float64, bool) {
			limits := startLimits(b, e)
			if len(limits) == 0 {
				return 0, false
			}
			return float64(slices.MinFunc(limits, func(a, b boot.StartLimit) int { return a.Left() - b.Left() }).Left()), true
		}},
		{"lines_logged", []string{timeline.Journal}, func(b boot.Facts, e Expect) (float64, bool) {
			return float64(len(Lines(b, e))), journalGaps(b, logged(b), owedBy(b, logged(b))) == ""
		}},
		{"lines_delivered", logsDelivered.Needs, func(b boot.Facts, e Expect) (float64, bool) {
			n := 0
			for _, l := range Lines(b, e) {
				if l.Arrived {
					n++
				}
			}
			return float64(n), journalGaps(b, logged(b), owedBy(b, logged(b))) == ""
		}},
		{"credential_requests", cloudPoliteness.Needs, func(b boot.Facts, _ Expect) (float64, bool) {
			n := requests(b)
			return float64(n["imds"] + n["keyvault"]), true
		}},
	}
}

// Measure takes the figures of a boot that checks judge by and trends are drawn
// of, by name. A figure that cannot be taken, because what it is of did not
// happen or the sources it rests on are not whole, is absent.
func Measure(b boot.Facts, e Expect) map[string]float64 {
	e = e.withDefaults()
	out := map[string]float64{}
	for _, m := range measures() {
		if b.Unknown(m.needs...) != "" {
			continue
		}
		if v, ok := m.of(b, e); ok {
			out[m.name] = v
		}
	}
	return out
}
