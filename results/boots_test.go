package results_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"bootrace/results"
)

func TestTheBootsOfAMachineAreToldFromAttempts(t *testing.T) {
	t.Parallel()
	boot := func(recording string, number int) results.Attempt {
		return results.Attempt{Recording: recording, Number: number}
	}
	for _, tt := range []struct {
		name     string
		decided  string
		attempts []results.Attempt
		boots    []string
		machines int
	}{
		{"one boot", "a", []results.Attempt{boot("a", 0)}, []string{"a"}, 1},
		{"spoilt once", "b", []results.Attempt{boot("a", 0), boot("b", 0)}, []string{"b"}, 2},
		{"two boots, the first decides", "a", []results.Attempt{boot("a", 1), boot("b", 2)}, []string{"a", "b"}, 1},
		{"the last decides", "c", []results.Attempt{boot("a", 1), boot("b", 2), boot("c", 3)}, []string{"a", "b", "c"}, 1},
		{"the second boot was spoilt", "c", []results.Attempt{boot("a", 1), boot("b", 2), boot("c", 1), boot("d", 2)}, []string{"c", "d"}, 2},
		{"the first machine decides", "b", []results.Attempt{boot("a", 1), boot("b", 2), boot("c", 1)}, []string{"a", "b"}, 2},
		{"a recording that is none", "x", []results.Attempt{boot("a", 1)}, nil, 1},
		{"never booted", "", nil, nil, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := results.Case{Recording: tt.decided, Attempts: tt.attempts}
			var got []string
			for _, a := range c.Boots() {
				got = append(got, a.Recording)
			}
			assert.Equal(t, tt.boots, got)
			assert.Equal(t, tt.machines, c.Machines())
		})
	}
	assert.Empty(t, boot("a", 0).Name())
	assert.Equal(t, "boot 2", boot("a", 2).Name())
}
