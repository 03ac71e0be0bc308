package check

import (
	"slices"

	"bootrace/harness/timeline"
)

// Names of what Measure measures. Durations are in seconds.
const (
	MultiUserSeconds   = "multi_user_s"        // PID 1's start to multi-user.target
	ControlSeconds     = "control_s"           // the same of the control boot
	CredentialsSeconds = "credentials_s"       // worker.env complete to Vector running with the vault's values
	Restarts           = "restarts"            // starts of Vector after its first
	StartHeadroom      = "start_headroom"      // starts left of StartLimitBurst, of the unit that has the fewest left
	LinesLogged        = "lines_logged"        // numbered lines in the journal
	LinesDelivered     = "lines_delivered"     // those of them that are at Axiom
	CredentialRequests = "credential_requests" // requests to IMDS and the vault
)

// measure is a row of the table of measures.
type measure struct {
	name  string
	needs []string // sources it rests on, as in Check
	of    func(timeline.Timeline, Expect) (float64, bool)
}

func measures() []measure {
	return []measure{
		{MultiUserSeconds, []string{timeline.Journal, timeline.Units}, func(tl timeline.Timeline, _ Expect) (float64, bool) {
			at, reached := tl.Reached(MultiUser)
			return at.Seconds(), reached
		}},
		{ControlSeconds, nil, func(_ timeline.Timeline, e Expect) (float64, bool) {
			return e.ControlMultiUser.Seconds(), e.ControlMultiUser > 0
		}},
		{CredentialsSeconds, vectorCredentialed.Needs, func(tl timeline.Timeline, e Expect) (float64, bool) {
			took, ok := credentials(tl, e)
			return took.Seconds(), ok
		}},
		{Restarts, []string{timeline.Journal}, func(tl timeline.Timeline, _ Expect) (float64, bool) {
			n := len(starts(tl)[Vector])
			return float64(n - 1), n > 0
		}},
		{StartHeadroom, []string{timeline.Journal, timeline.Units}, func(tl timeline.Timeline, e Expect) (float64, bool) {
			budgets := startBudgets(tl, e)
			if len(budgets) == 0 {
				return 0, false
			}
			return float64(slices.MinFunc(budgets, func(a, b startBudget) int { return a.left() - b.left() }).left()), true
		}},
		{LinesLogged, []string{timeline.Journal}, func(tl timeline.Timeline, e Expect) (float64, bool) {
			return float64(len(Lines(tl, e))), journalGaps(tl, logged(tl)) == ""
		}},
		{LinesDelivered, logsDelivered.Needs, func(tl timeline.Timeline, e Expect) (float64, bool) {
			n := 0
			for _, l := range Lines(tl, e) {
				if l.Arrived {
					n++
				}
			}
			return float64(n), journalGaps(tl, logged(tl)) == ""
		}},
		{CredentialRequests, cloudPoliteness.Needs, func(tl timeline.Timeline, _ Expect) (float64, bool) {
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
