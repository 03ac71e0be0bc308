package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/results/history"
	"bootrace/results/store"
)

func TestASparklineGoesFromTheLeastToTheLargestAndIsForTerminalsOnly(t *testing.T) {
	t.Parallel()
	points := func(medians ...float64) (out []history.Point) {
		for _, m := range medians {
			out = append(out, history.Point{Median: m})
		}
		return out
	}
	terminal := streams{width: 80}
	for _, tt := range []struct {
		name   string
		points []history.Point
		want   string
	}{
		{"rises", points(1, 2, 3), "▁▄█"},
		{"falls", points(3, 2, 1), "█▄▁"},
		{"stands still", points(5, 5), "▁▁"},
		{"one run", points(5), "▁"},
		{"the newest of many", append(points(99, 98), points(make([]float64, sparkRuns)...)...), "▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, fmt.Sprintf("%-*s ", sparkRuns, tt.want), terminal.spark(tt.points))
			assert.Empty(t, streams{}.spark(tt.points))
		})
	}
}

func TestHistoryOnATerminalKeepsTo120Columns(t *testing.T) {
	t.Parallel()
	key := history.Key{Scenario: "s", Base: "b", Subject: "populator", Backend: "container", Vector: "stand-in"}
	var series []history.Series
	var c history.Comparison
	for _, m := range history.Measures() {
		series = append(series, history.Series{Key: key, Measure: m.Name, Points: []history.Point{{Median: 123.456}, {Median: 234.567}}})
		c.Rows = append(c.Rows, history.Row{Key: key, Measure: m.Name, Outcome: history.Regressed, Before: history.Summary{Boots: 30, Median: 123.456},
			Effect: &history.Effect{Shift: 123.4, Low: 100.1, High: 150.2}})
	}
	var out bytes.Buffer
	printHistory(streams{out: &out, width: 120}, series, c)
	assert.Contains(t, out.String(), "▁█")
	for line := range bytes.Lines(out.Bytes()) {
		assert.LessOrEqual(t, utf8.RuneCount(bytes.TrimSpace(line)), 120, string(line))
	}
}

func TestARunOfSeveralSubjectsHasThemInTheNamesOfItsCases(t *testing.T) {
	t.Parallel()
	key := history.Key{Scenario: "pre", Base: "trixie", Subject: "pr254"}
	assert.Equal(t, "pre@trixie", caseName(key, "pr254"))
	assert.Equal(t, "pr254/pre@trixie", caseName(key, "museum"))
}

// 1,000 runs of 20 cases, read from SQLite and printed.
func BenchmarkHistory(b *testing.B) {
	state := b.TempDir()
	b.Setenv("BOOTRACE_STATE", state)
	s, err := store.Open(b.Context(), filepath.Join(state, "results.db"))
	require.NoError(b, err)
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i := range 1000 {
		var scenarios []string
		for n := range 20 {
			scenarios = append(scenarios, fmt.Sprintf("scenario-%02d", n))
		}
		h := seeded{id: fmt.Sprintf("20260201-%06d-aaaa", i), scenarios: scenarios, boots: 1, slower: 1, kernel: "6.1"}
		cases := h.cases()
		r := runOf(h.id, began.Add(time.Duration(i)*time.Hour), len(cases), cases...)
		require.NoError(b, s.BeginRun(b.Context(), r))
		for _, c := range r.Cases {
			require.NoError(b, s.PutCase(b.Context(), r.ID, c))
		}
		require.NoError(b, s.EndRun(b.Context(), r))
	}
	require.NoError(b, s.Close())
	for _, args := range [][]string{{"history", "--runs", "1000"}, {"flaky", "--runs", "1000"}, {"list"}, {"report", "--form", "html"}} {
		b.Run(args[0], func(b *testing.B) {
			for b.Loop() {
				var out, errs bytes.Buffer
				require.Equal(b, exitOK, Run(b.Context(), streams{out: &out, err: &errs}, args), errs.String())
				require.NotEmpty(b, out.String())
			}
		})
	}
}
