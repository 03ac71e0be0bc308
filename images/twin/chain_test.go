package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// recorded reads the units of a recording made while systemctl and
// systemd-analyze themselves were still asked.
func recorded(t *testing.T, dir string) (units map[string]unitTimes, zero uint64, chain []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "units.txt"))
	require.NoError(t, err)
	units = map[string]unitTimes{}
	for _, block := range strings.Split(string(text), "\n\n") {
		p := map[string]string{}
		for l := range strings.Lines(block) {
			k, v, _ := strings.Cut(strings.TrimSpace(l), "=")
			p[k] = v
		}
		number := func(k string) uint64 { n, _ := strconv.ParseUint(p[k], 10, 64); return n }
		units[p["Id"]] = unitTimes{number("InactiveExitTimestampMonotonic"), number("ActiveEnterTimestampMonotonic"), strings.Fields(p["After"])}
	}
	manager, err := os.ReadFile(filepath.Join(dir, "manager.txt"))
	require.NoError(t, err)
	m := regexp.MustCompile(`(?m)^UserspaceTimestampMonotonic=(\d+)`).FindSubmatch(manager)
	require.NotNil(t, m)
	zero, err = strconv.ParseUint(string(m[1]), 10, 64)
	require.NoError(t, err)
	text, err = os.ReadFile(filepath.Join(dir, "critical-chain.txt"))
	require.NoError(t, err)
	return units, zero, chainUnits(string(text))
}

var chainUnit = regexp.MustCompile(`^[ └├│─]*([^ ]+\.[a-z]+) @`)

func chainUnits(text string) []string {
	var out []string
	for l := range strings.Lines(text) {
		if m := chainUnit.FindStringSubmatch(l); m != nil {
			out = append(out, m[1])
		}
	}
	return out
}

func TestTheCriticalChainIsTheOneSystemdAnalyzePrints(t *testing.T) {
	// Not those in which Vector was restarted: systemd-analyze then puts its second
	// start into the chain of a target that had long been reached.
	dirs, err := filepath.Glob("../../harness/judge/testdata/populator-[np]*e*-*/units.txt")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(dirs), 4)
	for _, d := range dirs {
		d = filepath.Dir(d)
		t.Run(filepath.Base(d), func(t *testing.T) {
			units, zero, want := recorded(t, d)
			got := chainUnits(criticalChain(units, "multi-user.target", zero))
			// Below the first units there is nothing but slices and mounts, which
			// systemd-analyze takes in an order of its own when their times are equal.
			n := min(len(want), len(got)) - 3
			require.Greater(t, n, 3)
			assert.Equal(t, want[:n], got[:n])
		})
	}
}

func TestATargetThatWasNotReachedHasNoChain(t *testing.T) {
	assert.Equal(t, "multi-user.target was not reached\n", criticalChain(nil, "multi-user.target", 0))
	loop := map[string]unitTimes{"a.target": {0, 5, []string{"b.service"}}, "b.service": {1, 4, []string{"a.target", "b.service"}}}
	assert.Equal(t, []string{"a.target", "b.service"}, chainUnits(criticalChain(loop, "a.target", 0)), "a loop ends")
}
