package config_test

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images/vector/config"
)

const sources = "sources: {journal: {type: journald}, metrics: {type: internal_metrics}}\n"

func TestAWholeConfiguration(t *testing.T) {
	t.Parallel()
	cfg, err := config.Parse(`
data_dir: /tmp/v
healthchecks: {require_healthy: true}
sources:
  journal: {type: journald, include_units: [a, b.socket], exclude_units: [c], current_boot_only: false, journal_directory: /j}
  metrics: {type: internal_metrics, scrape_interval_secs: 2.5}
transforms:
  identity:
    type: remap
    inputs: [jour*]
    source: |
      # who sent it
      .cell_id = "cell \"1\" \u{41}"
      .tags.region="" # none
  lines: {type: metric_to_log, inputs: [metrics]}
sinks:
  platform:
    type: axiom
    inputs: [identity, lines]
    token: t
    dataset: d
    url: http://localhost:1/x
    org_id: o
    compression: gzip
    batch: {timeout_secs: 0.5, max_events: 10}
    request: {timeout_secs: 5}
    buffer: {type: disk, max_size: 268435488, when_full: drop_newest}
    acknowledgements: {enabled: true}
    healthcheck: {enabled: false}
  screen: {type: console, inputs: [journal], encoding: {codec: json}, target: stderr}
  nowhere: {type: blackhole, inputs: [metrics]}
`)
	require.NoError(t, err)
	assert.Empty(t, cfg.Warnings)
	assert.Equal(t, "/tmp/v", cfg.DataDir)
	assert.Equal(t, config.Healthchecks{Enabled: true, RequireHealthy: true}, cfg.Healthchecks)

	journal := cfg.Sources[0]
	assert.Equal(t, []string{"a.service", "b.socket"}, journal.IncludeUnits)
	assert.Equal(t, []string{"c.service"}, journal.ExcludeUnits)
	assert.False(t, journal.CurrentBootOnly)
	assert.Equal(t, "/j", journal.JournalDirectory)
	assert.Equal(t, 2500*time.Millisecond, cfg.Sources[1].ScrapeInterval)

	assert.Equal(t, []config.Assignment{
		{Path: []string{"cell_id"}, Value: `cell "1" A`},
		{Path: []string{"tags", "region"}, Value: ""},
	}, cfg.Transforms[0].Assignments)
	assert.Equal(t, []string{"journal"}, cfg.Transforms[0].Inputs, "the wildcard is replaced by what it matches")

	platform := cfg.Sinks[1]
	assert.Equal(t, "platform", platform.ID)
	assert.Equal(t, config.Buffer{Disk: true, MaxEvents: 500, MaxSize: 268435488}, platform.Buffer)
	assert.True(t, platform.Acknowledgements)
	assert.False(t, platform.Healthcheck)
	assert.Equal(t, config.Axiom{
		URL: "http://localhost:1/x", OrgID: "o", Token: "t", Dataset: "d", Compression: "gzip",
		BatchTimeout: 500 * time.Millisecond, BatchMaxEvents: 10, BatchMaxBytes: 10_000_000,
		RequestTimeout: 5 * time.Second, RetryInitial: time.Second, RetryMax: 30 * time.Second,
	}, platform.Axiom)
	assert.True(t, cfg.Sinks[2].Stderr)
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	cfg, err := config.Parse(sources + `sinks: {p: {type: axiom, inputs: [journal], token: "", dataset: ""}}`)
	require.NoError(t, err)
	assert.Equal(t, "/var/lib/vector", cfg.DataDir)
	assert.True(t, cfg.Sources[0].CurrentBootOnly)
	assert.False(t, cfg.Sources[0].SinceNow)
	assert.Equal(t, config.Buffer{MaxEvents: 500, Block: true}, cfg.Sinks[0].Buffer)
	assert.Equal(t, "zstd", cfg.Sinks[0].Axiom.Compression)
	assert.Equal(t, time.Second, cfg.Sinks[0].Axiom.BatchTimeout)
	assert.Equal(t, []string{`Source "metrics" has no consumers`}, cfg.Warnings)
}

func TestProblems(t *testing.T) {
	t.Parallel()
	axiom := func(more string) string {
		return sources + "sinks: {p: {type: axiom, inputs: [journal], token: t, dataset: d" + more + "}}"
	}
	remap := func(program string) string {
		return sources + "transforms:\n  r:\n    type: remap\n    inputs: [journal]\n    source: |\n      " + program +
			"\nsinks: {p: {type: blackhole, inputs: [r]}}"
	}
	tests := []struct {
		name, text string
		want       []string
	}{
		{"an empty file", "", []string{"No sources defined in the config.", "No sinks defined in the config."}},
		{"not YAML", "a: [", []string{"did not find expected node content"}},
		{"not a map", "- a", []string{"invalid type: sequence, expected a map (line 1)"}},
		{"an unknown key at the top", axiom("") + "\nsnks: {}", []string{"unknown field `snks`, expected one of"}},
		{"an unknown key of a sink", axiom(", tokn: x"), []string{"unknown field `tokn`, expected one of", "in `sinks.p` (line 2)"}},
		{"an unknown key of a batch", axiom(", batch: {timeout: 1}"), []string{"unknown field `timeout`", "in `sinks.p.batch`"}},
		{"an option only Vector has", axiom(", region: x"), []string{"stand-in does not have this option", "in `sinks.p.region`"}},
		{"a section only Vector has", axiom("") + "\napi: {enabled: true}", []string{"stand-in does not have this option", "in `api`"}},
		{"a missing dataset", sources + "sinks: {p: {type: axiom, inputs: [journal], token: t}}", []string{"missing field `dataset`"}},
		{"a component without a type", "sources: {a: {}}", []string{"missing field `type` in `sources.a`"}},
		{"an unknown source", "sources: {a: {type: kafka}}", []string{"stand-in has the sources"}},
		{"an unknown transform", "transforms: {a: {type: lua}}", []string{"stand-in has the transforms"}},
		{"an unknown sink", "sinks: {a: {type: loki}}", []string{"stand-in has the sinks"}},
		{"a key twice", axiom(", dataset: e"), []string{"duplicate field `dataset`"}},
		{"a component twice", "sources: {a: {type: journald}, a: {type: journald}}", []string{"duplicate component `a`"}},
		{"a disk buffer without a size", axiom(", buffer: {type: disk}"), []string{"missing field `max_size`"}},
		{"a disk buffer counted in events", axiom(", buffer: {type: disk, max_size: 268435488, max_events: 3}"), []string{"unknown field `max_events`"}},
		{"an unknown buffer", axiom(", buffer: {type: tape}"), []string{"expected one of `memory`, `disk`"}},
		{"a size of zero", axiom(", buffer: {type: disk, max_size: 0}"), []string{"expected a nonzero unsigned integer"}},
		{"a negative time-out", axiom(", batch: {timeout_secs: -1}"), []string{"expected seconds above zero"}},
		{"a time-out that is not a number", axiom(", batch: {timeout_secs: .nan}"), []string{"expected seconds above zero"}},
		{"a boolean as text", axiom(`, healthcheck: "no"`), []string{"invalid type: string, expected a boolean"}},
		{"an input that does not exist", sources + "sinks: {p: {type: blackhole, inputs: [jornal]}}", []string{`Input "jornal" for sink "p" doesn't match any components.`}},
		{"no inputs", sources + "sinks: {p: {type: blackhole, inputs: []}}", []string{`Sink "p" has no inputs`}},
		{"metrics straight into axiom", sources + "sinks: {p: {type: axiom, inputs: [metrics], token: t, dataset: d}}",
			[]string{"Data type mismatch between metrics (Metric) and p (Log)"}},
		{"metrics into a remap", sources + "transforms: {r: {type: remap, inputs: [metrics], source: '.a = \"b\"'}}\nsinks: {p: {type: blackhole, inputs: [r]}}",
			[]string{"Data type mismatch between metrics (Metric) and r (Log)"}},
		{"the same name twice", sources + "sinks: {journal: {type: blackhole, inputs: [metrics]}}", []string{`More than one component with name "journal" (source, sink).`}},
		{"a cycle", sources + `transforms: {a: {type: remap, inputs: [b], source: '.a = "b"'}, b: {type: remap, inputs: [a], source: '.a = "b"'}}
sinks: {p: {type: blackhole, inputs: [a]}}`, []string{"Cyclic dependency detected in the chain [ a -> b -> a ]"}},
		{"a unit that is wanted and not wanted", "sources: {j: {type: journald, include_units: [a], exclude_units: [a.service]}}",
			[]string{"duplicated in both include and exclude lists"}},
		{"a function call in a remap", remap(`.a = upcase("b")`), []string{"stand-in has no VRL", "program line 1"}},
		{"a deletion in a remap", remap("del(.a)"), []string{"stand-in has no VRL"}},
		{"a remap's string that does not end", remap(`.a = "b`), []string{"the string does not end"}},
		{"a remap's unknown escape", remap(`.a = "\q"`), []string{"invalid escape character"}},
		{"two statements on a line", remap(`.a = "b"; .c = "d"`), []string{"something follows the string"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := config.Parse(tt.text)
			var problems config.Errors
			require.ErrorAs(t, err, &problems)
			for _, want := range tt.want {
				assert.Contains(t, strings.Join(problems, "\n"), want)
			}
		})
	}
}

func TestNoProblemShowsAValue(t *testing.T) {
	t.Parallel()
	secret := "7" + rand.Text()
	for _, text := range []string{
		"token: *" + secret,
		"token: !" + secret + "! x",
		sources + "sinks: {p: {type: axiom, inputs: [journal], dataset: d, token: [" + secret + "]}}",
		sources + "sinks: {p: {type: axiom, inputs: [journal], dataset: d, token: t, compression: " + secret + "}}",
		sources + "sinks: {p: {type: axiom, inputs: [journal], dataset: d, token: t, healthcheck: " + secret + "}}",
		sources + "sinks: {p: {type: axiom, inputs: [journal], dataset: d, token: t, batch: {max_events: " + secret + "}}}",
		sources + "transforms: {r: {type: remap, inputs: [journal], source: '.a = \"" + secret + "\\q\"'}}",
		"token: \"" + secret + "\\q\"",
	} {
		_, err := config.Parse(text)
		require.Error(t, err, "%s", text)
		assert.NotContains(t, err.Error(), secret)
	}
}
