package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/boot"
	"bootrace/harness/derive"
	"bootrace/harness/judge"
	"bootrace/harness/likeness"
	"bootrace/harness/recording"
	"bootrace/harness/timeline"
	"bootrace/results"
	"bootrace/scenarios"
)

// recordedBoots are those of the recordings that package judge is tested by.
const recordedBoots = "../../judge/testdata"

func journalOf(t *testing.T, name string) judge.Judgement {
	t.Helper()
	boots, err := timeline.ReadLogs(t.Context(), []timeline.LogFile{{Name: "journal", Open: func() (io.ReadCloser, error) {
		return os.Open(filepath.Join(recordedBoots, name, recording.JournalFile))
	}}})
	require.NoError(t, err)
	return judge.Log(boots[0].Timeline(), limits(), boot.Control{})
}

func bootedAgain(verdicts map[string]string) results.Run {
	r := results.Run{ID: "20260102-0304", Planned: 3, Dir: "/r", Started: time.Unix(0, 0), Ended: time.Unix(30, 0)}
	for _, id := range []string{"#1", "#2", "#3"} {
		name, verdict, _ := strings.Cut(verdicts[id], " ")
		r.Cases = append(r.Cases, results.Case{ID: derivedName + "@trixie" + id, Expected: "pass", Verdict: verdict, Reason: "as it is", Recording: filepath.Join(recordedBoots, name)})
	}
	return r
}

func TestMostBootsOfAReproductionAreJudged(t *testing.T) {
	t.Parallel()
	const exits, good = "exit-1-delay-45s-trixie", "populator-delay-0s-trixie"
	for _, tt := range []struct {
		name string
		run  map[string]string
		code int
		says []string
	}{
		{"all are alike", map[string]string{"#1": exits + " fail", "#2": exits + " fail", "#3": exits + " fail"}, exitOK, []string{
			"reproduced     ", "the boots fail in what the journal does: no-unit-failed, no-start-limit, start-rate", "\n  no-unit-failed       fail        3 of 3   ",
			"\n  vector-active        cannot show 3 of 3   ", "worker.env 45s after cloud-final's start", "  a populator starts ", "    journal |", "    #3      |", "3 of 3 boots compared in 30.0s"}},
		{"one was spoilt", map[string]string{"#1": exits + " fail", "#2": exits + " invalid", "#3": exits + " fail"}, exitOK, []string{"no-unit-failed       fail        2 of 2", "2 of 3 boots compared"}},
		{"two were", map[string]string{"#1": exits + " fail", "#2": exits + " invalid", "#3": exits + " error"}, exitInvalid, []string{"undecided", "1 of 3 boots were judged; reproduced@trixie#3: error: as it is"}},
		{"none is alike", map[string]string{"#1": good + " pass", "#2": good + " pass", "#3": good + " pass"}, exitFailure, []string{
			"not-reproduced ", ": no-unit-failed fails in the journal, in 0 of 3 boots: ", "\n  differs no-start-limit fails in the journal, in 0 of 3 boots: ", "\n  try     ", "\n  no-unit-failed       fail        0 of 3   "}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			j := journalOf(t, exits)
			l, err := compared(t.Context(), j, bootedAgain(tt.run))
			require.NoError(t, err)
			assert.Equal(t, tt.code, likenessCodes[l.Verdict], l.Reason)
			s, err := scenarios.Parse("x.yaml", []byte(derive.Scenario("x", j.Boot)))
			require.NoError(t, err)
			var out bytes.Buffer
			printLikeness(streams{out: &out}, likened{l, j, s, bootedAgain(tt.run)})
			for _, text := range tt.says {
				assert.Contains(t, out.String(), text)
			}
		})
	}
}

func TestEveryVerdictOfAReproductionHasItsCode(t *testing.T) {
	t.Parallel()
	for _, v := range []likeness.Verdict{likeness.Reproduced, likeness.NotReproduced, likeness.Undecided} {
		assert.Contains(t, likenessCodes, v)
	}
}

func TestEventsAreDrawnInTheirOrderWhateverFallsTogether(t *testing.T) {
	t.Parallel()
	at := func(s ...float64) (out []*time.Duration) {
		for _, v := range s {
			d := time.Duration(v * float64(time.Second))
			if v < 0 {
				out = append(out, nil)
				continue
			}
			out = append(out, &d)
		}
		return out
	}
	for _, tt := range []struct {
		name string
		at   []*time.Duration
		last time.Duration
		want string
	}{
		{"apart", at(0, 5, 10), 10 * time.Second, "a" + strings.Repeat(".", 31) + "b" + strings.Repeat(".", 32) + "c"},
		{"together at both ends", at(0.1, 0, 10, 9.99), 10 * time.Second, "ba..............................................................dc"},
		{"one that never came", at(0, -1, 10), 10 * time.Second, "a................................................................c"},
		{"none", at(-1), 0, strings.Repeat(".", drawnColumns)},
		{"all at once", at(0, 0), 0, "ab" + strings.Repeat(".", drawnColumns-2)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, drawn(tt.at, tt.last))
		})
	}
	many := make([]*time.Duration, 2*drawnColumns)
	for i := range many {
		many[i] = at(1)[0]
	}
	assert.Len(t, []rune(drawn(many, time.Second)), drawnColumns)
}
