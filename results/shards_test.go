package results

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEachCaseOfAPlanIsInOneShard(t *testing.T) {
	t.Parallel()
	var plan []int
	for i := range 11 {
		plan = append(plan, i)
	}
	for of := 1; of <= 11; of++ {
		var all []int
		for p := range of {
			s, err := ParseShard(fmt.Sprintf("%d/%d", p+1, of))
			require.NoError(t, err)
			got := Take(s, plan)
			assert.InDelta(t, 11/of, len(got), 1, "%s", s)
			all = append(all, got...)
		}
		assert.ElementsMatch(t, plan, all, "of %d", of)
	}
	for _, text := range []string{"", "1", "0/2", "3/2", "-1/2", "1/0", "a/b", "1/2/3", "1.5/2"} {
		_, err := ParseShard(text)
		assert.Error(t, err, text)
	}
}

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// shards are three that have a plan of seven cases.
func shards() (out []Run) {
	var plan []Case
	for i := range 7 {
		plan = append(plan, Case{ID: fmt.Sprintf("pre@trixie#%d", i+1), Subject: "mine", Verdict: "pass", Expected: "pass", Started: noon.Add(time.Duration(i) * time.Minute)})
	}
	for p := 1; p <= 3; p++ {
		s := Shard{Part: p, Of: 3, Whole: len(plan)}
		cases := Take(s, plan)
		out = append(out, Run{
			ID: fmt.Sprint("run-", p), Subject: "mine", Hash: "h", Vector: "real", Plan: "p", Dir: fmt.Sprint("/runs/", p), Shard: &s, Planned: len(cases), Cases: cases,
			Started: noon.Add(-time.Duration(p) * time.Second), Ended: noon.Add(time.Duration(p) * time.Hour), Request: &Request{},
			Versions: map[string]string{"bootrace": "v1", "kernel": fmt.Sprint("6.", p%2)}, Labels: map[string]string{"host": fmt.Sprint("host-", p), "commit": "c"},
			Images: map[string]string{"trixie": fmt.Sprint("sha256:", p)}, Bases: map[string]string{"trixie": "sha256:b"},
			Found: []ImageFinding{{Subject: "mine", Base: "trixie", Name: "machine-id"}},
		})
	}
	return out
}

func TestShardsBecomeTheRunThatTheyAre(t *testing.T) {
	t.Parallel()
	of := shards()
	of[0], of[2] = of[2], of[0]
	of[1].Cases[0].Verdict = "fail"
	whole, err := MergeShards(of)
	require.NoError(t, err)
	var ids []string
	for _, c := range whole.Cases {
		ids = append(ids, c.ID[len(c.ID)-1:])
	}
	assert.Equal(t, []string{"1", "2", "3", "4", "5", "6", "7"}, ids, "in the order of their starts")
	assert.Equal(t, "fail", whole.Cases[1].Verdict)
	whole.Cases = nil
	assert.Equal(t, Run{
		ID: "run-1", Subject: "mine", Hash: "h", Vector: "real", Plan: "p", Planned: 7, Shards: []string{"run-1", "run-2", "run-3"},
		Started: noon.Add(-3 * time.Second), Ended: noon.Add(3 * time.Hour),
		Versions: map[string]string{"bootrace": "v1", "kernel": "6.1, 6.0"}, Labels: map[string]string{"host": "host-1, host-2, host-3", "commit": "c"},
		Images: map[string]string{}, Bases: map[string]string{"trixie": "sha256:b"},
		Found: []ImageFinding{{Subject: "mine", Base: "trixie", Name: "machine-id"}},
	}, whole)
	assert.Equal(t, map[string]string{"bootrace": "v1", "kernel": "6.1"}, shards()[0].Versions, "what is merged stays as it was")
}

func TestAShardThatWasCutOffLeavesItsCasesMissing(t *testing.T) {
	t.Parallel()
	of := shards()
	of[0].Cases, of[0].Ended = of[0].Cases[:1], time.Time{}
	whole, err := MergeShards(of)
	require.NoError(t, err)
	assert.Len(t, whole.Cases, 5)
	assert.Equal(t, 7, whole.Planned)
	assert.Zero(t, whole.Ended)
}

func TestWhatIsNotWholeIsNotMerged(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func([]Run) []Run{
		"there is no run":                                   func([]Run) []Run { return nil },
		"the plan is not whole: missing shard 2/3":          func(r []Run) []Run { return []Run{r[0], r[2]} },
		"the plan is not whole: missing shard 2/3, 3/3":     func(r []Run) []Run { return r[:1] },
		"shard 1/3 is there twice, as runs run-1 and run-1": func(r []Run) []Run { return append(r, r[0]) },
		"run run-2 is no shard":                             func(r []Run) []Run { r[1].Shard = nil; return r },
		"the number of shards is 3 there and 4 here":        func(r []Run) []Run { r[1].Shard.Of = 4; return r },
		"the plan is p there and q here":                    func(r []Run) []Run { r[1].Plan = "q"; return r },
		"the subject's hash is h there and i here":          func(r []Run) []Run { r[1].Hash = "i"; return r },
		"the subject is mine there and yours here":          func(r []Run) []Run { r[2].Subject = "yours"; return r },
		"Vector is real there and stand-in here":            func(r []Run) []Run { r[2].Vector = "stand-in"; return r },
		"bootrace is v1 there and v2 here":                  func(r []Run) []Run { r[2].Versions["bootrace"] = "v2"; return r },
		"the image is  there and sha256:a here":             func(r []Run) []Run { r[2].Given = []string{"sha256:a"}; return r },
		"were to boot 6 cases, and the plan has 7":          func(r []Run) []Run { r[2].Planned = 1; return r },
		"case pre@trixie#1 is in runs run-1 and run-2": func(r []Run) []Run {
			r[1].Cases[0].ID = "pre@trixie#1"
			return r
		},
	} {
		_, err := MergeShards(change(shards()))
		assert.ErrorContains(t, err, want)
	}
}
