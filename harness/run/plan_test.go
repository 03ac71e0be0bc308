package run

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"bootrace/images/azure/fault"
	"bootrace/scenarios"
)

func after(name string, delay time.Duration) scenarios.Scenario {
	s := scenarios.Scenario{Name: name}
	s.WorkerEnv.When, s.WorkerEnv.Delay.Duration = scenarios.After, delay
	return s
}

func TestTheLongestWaitComesFirst(t *testing.T) {
	cases := Plan([]scenarios.Scenario{after("short", 0), after("long", time.Minute)}, Matrix{Bases: []string{"trixie", "bookworm"}, Repeat: 2})
	var ids []string
	for _, c := range cases {
		ids = append(ids, c.ID)
	}
	assert.Equal(t, []string{
		"long@trixie#1", "long@bookworm#1", "long@trixie#2", "long@bookworm#2",
		"short@trixie#1", "short@bookworm#1", "short@trixie#2", "short@bookworm#2",
	}, ids)
}

func TestWhatBootsTwiceAndWhatIsRefusedFirstComesBeforeWhatWaitsAsLong(t *testing.T) {
	twice, refused, forever := after("twice", 0), after("refused", 0), after("forever", 0)
	twice.Boots = []scenarios.Again{{}}
	refused.Cloud.Faults = []fault.Fault{{Requests: "1-2,4"}}
	forever.Cloud.Faults = []fault.Fault{{Requests: "4-"}}
	var names []string
	for _, c := range Plan([]scenarios.Scenario{after("plain", 0), forever, refused, twice}, Matrix{Bases: []string{"trixie"}}) {
		names = append(names, c.Scenario.Name)
	}
	assert.Equal(t, []string{"twice", "refused", "plain", "forever"}, names)
}

func TestABaseNamedTwiceCountsOnce(t *testing.T) {
	cases := Plan([]scenarios.Scenario{after("a", 0)}, Matrix{Bases: []string{"trixie", "bookworm", "trixie"}, Repeat: 1})
	var ids []string
	for _, c := range cases {
		ids = append(ids, c.ID)
	}
	assert.Equal(t, []string{"a@trixie#1", "a@bookworm#1"}, ids)
}

func TestEveryCombinationIsThereOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfDistinct(rapid.StringMatching(`[a-z]{1,5}`), rapid.ID[string]).Draw(t, "names")
		bases := rapid.SliceOfDistinct(rapid.SampledFrom([]string{"trixie", "bookworm", "other"}), rapid.ID[string]).Draw(t, "bases")
		repeat := rapid.IntRange(0, 4).Draw(t, "repeat")
		var list []scenarios.Scenario
		for _, n := range names {
			list = append(list, after(n, time.Duration(rapid.IntRange(0, 300).Draw(t, "delay"))*time.Second))
		}
		cases := Plan(list, Matrix{Bases: bases, Repeat: repeat})
		seen := map[string]bool{}
		for i, c := range cases {
			assert.False(t, seen[c.ID], "%s twice", c.ID)
			seen[c.ID] = true
			if i > 0 {
				assert.GreaterOrEqual(t, cases[i-1].Scenario.Waits(), c.Scenario.Waits())
			}
		}
		assert.Len(t, cases, len(names)*len(bases)*max(1, repeat))
	})
}

func TestSubjectsTakeTurns(t *testing.T) {
	of := func(subject string) []Case {
		return Plan([]scenarios.Scenario{after("s", 0), after("l", time.Minute)}, Matrix{Bases: []string{"trixie"}, Subject: subject, Repeat: 2})
	}
	var ids []string
	for _, c := range Merge(of("old"), of("new")) {
		ids = append(ids, c.ID)
	}
	assert.Equal(t, []string{
		"old/l@trixie#1", "new/l@trixie#1", "old/l@trixie#2", "new/l@trixie#2",
		"old/s@trixie#1", "new/s@trixie#1", "old/s@trixie#2", "new/s@trixie#2",
	}, ids)
}
