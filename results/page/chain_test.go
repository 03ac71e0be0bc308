package page

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/results"
)

func chainOf(units string) []results.Link {
	var out []results.Link
	for _, u := range strings.Fields(units) {
		out = append(out, results.Link{Unit: u, Began: 100 * ms, Ended: 200 * ms})
	}
	return out
}

func TestTwoChainsSideBySide(t *testing.T) {
	for name, tc := range map[string]struct{ this, other, want string }{
		"the same":                        {"m v b", "m v b", "m v b"},
		"a unit only here":                {"m v x b", "m v b", "m v x< b"},
		"a unit only there":               {"m v b", "m v x b", "m v x> b"},
		"both":                            {"m y b", "m x b", "m y< x> b"},
		"nothing in common":               {"a b", "c d", "a< b< c> d>"},
		"another order":                   {"m a b", "m b a", "m a b"},
		"another order, and one between":  {"m a b", "m b x a", "m x> a b"},
		"no other chain":                  {"m a", "", "m< a<"},
		"no chain here: it never came up": {"", "m a", "m> a>"},
		"neither":                         {"", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, r := range compared(chainOf(tc.this), chainOf(tc.other)) {
				got = append(got, r.Unit+map[string]string{"": "", "only in this boot": "<", "only in the other": ">"}[r.Only()])
			}
			assert.Equal(t, tc.want, strings.Join(got, " "))
		})
	}
}

func TestDifferencesHaveASignAndNothingIsZeroThatIsNotThere(t *testing.T) {
	this, other := results.Link{Began: 1000 * ms, Ended: 1500 * ms}, results.Link{Began: 1100 * ms, Ended: 1400 * ms}
	r := chainRow{This: &this, Other: &other}
	assert.Equal(t, []string{"+0.100", "+0.200"}, []string{r.Later(), r.Longer()})
	assert.Equal(t, []string{"1.500", "0.500"}, []string{reached(r.This), took(r.This)})
	r.Other = nil
	assert.Equal(t, []string{"", "", "", ""}, []string{r.Later(), r.Longer(), reached(r.Other), took(r.Other)})
	assert.Equal(t, "60", comparison{Most: 500 * ms}.Bar(&other))
	assert.Equal(t, "0", comparison{}.Bar(&other))
}

func TestWhatAChainIsComparedWith(t *testing.T) {
	p := nightly()
	of := func(id string) string {
		for _, c := range p.Run.Cases {
			if c.ID == id+"@trixie#1" {
				k, ok := p.against(c)
				require.True(t, ok)
				return k.Other
			}
		}
		t.Fatal(id)
		return ""
	}
	assert.Equal(t, "delay-45s@trixie#1, the fastest other boot of this run that passed", of("delay-0s"))
	assert.Equal(t, "delay-4m@trixie#1, the fastest other boot of this run that passed", of("delay-45s"), "not itself")

	slow := booted("slow", "pass", "pass", "", goodBoot(0))
	slow.Base = "bookworm"
	slow.Attempts[0].Boot.Chain[0].Ended = 1
	p.Run.Cases = append(p.Run.Cases, slow)
	assert.Equal(t, "delay-45s@trixie#1, the fastest other boot of this run that passed", of("delay-0s"), "of the same base first")

	p.Against = results.Run{ID: "earlier", Cases: []results.Case{booted("delay-0s", "pass", "pass", "", goodBoot(0))}}
	assert.Equal(t, "the same case of run earlier (pass)", of("delay-0s"))
	assert.Equal(t, "delay-45s@trixie#1, the fastest other boot of this run that passed", of("imds-503"), "which that run has not")

	alone := Page{Run: results.Run{Cases: p.Run.Cases[:1]}}
	k, ok := alone.against(alone.Run.Cases[0])
	require.True(t, ok)
	assert.Empty(t, k.Other)
	_, ok = alone.against(booted("x", "pass", "error", "", nil))
	assert.False(t, ok, "there is nothing to show")
}
