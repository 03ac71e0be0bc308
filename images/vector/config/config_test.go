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

	require.NotNil(t, cfg.Transforms[0].Program)
	assert.Equal(t, []string{"journal"}, cfg.Transforms[0].Inputs, "the wildcard is replaced by what it matches")

	platform := cfg.Sinks[1]
	assert.Equal(t, "platform", platform.ID)
	assert.Equal(t, []config.Buffer{{Disk: true, MaxSize: 268435488, Full: "drop_newest"}}, platform.Buffers)
	assert.True(t, platform.Acknowledgements)
	assert.False(t, platform.Healthcheck)
	assert.Equal(t, config.Axiom{
		TLS: config.TLS{VerifyCertificate: true, VerifyHostname: true},
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
	assert.Equal(t, []config.Buffer{{MaxEvents: 500, Full: "block"}}, cfg.Sinks[0].Buffers)
	assert.Equal(t, "zstd", cfg.Sinks[0].Axiom.Compression)
	assert.Equal(t, time.Second, cfg.Sinks[0].Axiom.BatchTimeout)
	assert.Equal(t, []string{`Source "metrics" has no consumers`}, cfg.Warnings)
}

func TestProblems(t *testing.T) {
	t.Parallel()
	axiom := func(more string) string {
		return sources + "sinks: {p: {type: axiom, inputs: [journal], token: t, dataset: d" + more + "}}"
	}
	tests := []struct {
		name, text string
		want       []string
	}{
		{"an empty file", "", []string{"No sources defined in the config.", "No sinks defined in the config."}},
		{"not YAML", "a: [", []string{"did not find expected node content"}},
		{"not a map", "- a", []string{"invalid type: sequence, expected a map (line 1)"}},
		{"an unknown key at the top", axiom("") + "\nsnks: {}", []string{"unknown field `snks`, expected one of"}},
		{"an unknown key of a source", "sources: {j: {type: journald, unitz: 1}}", []string{"unknown field `unitz`, expected one of", "in `sources.j` (line 1)"}},
		{"an unknown key of a transform", sources + "transforms: {r: {type: remap, inputs: [journal], src: x}}", []string{"unknown field `src`"}},
		{"an unknown key of tls", axiom(", tls: {verify: false}"), []string{"unknown field `verify`", "in `sinks.p.tls`"}},
		{"a source that is mistyped", "sources: {a: {type: journal}}", []string{"unknown variant `journal`, expected one of `amqp`,", "`journald`"}},
		{"a transform that is mistyped", "transforms: {a: {type: remapp}}", []string{"unknown variant `remapp`"}},
		{"a sink that is mistyped", "sinks: {a: {type: axoim}}", []string{"unknown variant `axoim`"}},
		{"a sink of another kind of events", sources + "sinks: {p: {type: prometheus_exporter, inputs: [journal]}}", []string{"Data type mismatch between journal (Log) and p (Metric)"}},
		{"an output that a transform does not have", sources + "transforms: {r: {type: route, inputs: [journal], route: {a: 'true'}}}\nsinks: {p: {type: blackhole, inputs: [r.b]}}",
			[]string{`Input "r.b" for sink "p" doesn't match any components.`}},
		{"a buffer that overflows into nothing", axiom(", buffer: {when_full: overflow}"), []string{"overflow mode for the last stage"}},
		{"a memory buffer with two limits", axiom(", buffer: {max_size: 1000, max_events: 3}"), []string{"only one of `max_events` and `max_size`"}},
		{"a missing dataset", sources + "sinks: {p: {type: axiom, inputs: [journal], token: t}}", []string{"missing field `dataset`"}},
		{"a component without a type", "sources: {a: {}}", []string{"missing field `type` in `sources.a`"}},
		{"a key twice", axiom(", dataset: e"), []string{`duplicate entry with key "dataset"`}},
		{"a component twice", "sources: {a: {type: journald}, a: {type: journald}}", []string{`duplicate entry with key "a"`}},
		{"a disk buffer without a size", axiom(", buffer: {type: disk}"), []string{"missing field `max_size`"}},
		{"a disk buffer counted in events", axiom(", buffer: {type: disk, max_size: 268435488, max_events: 3}"), []string{"unknown field `max_events`"}},
		{"an unknown buffer", axiom(", buffer: {type: tape}"), []string{"expected one of `memory`, `disk`"}},
		{"a size of zero", axiom(", buffer: {type: disk, max_size: 0}"), []string{"expected a nonzero unsigned integer"}},
		{"a negative time-out", axiom(", batch: {timeout_secs: -1}"), []string{"expected seconds above zero"}},
		{"a time-out that is not a number", axiom(", batch: {timeout_secs: .nan}"), []string{"expected seconds above zero"}},
		{"a boolean as text", axiom(`, healthcheck: "no"`), []string{"invalid type: string, expected a boolean"}},
		{"an input that does not exist", sources + "sinks: {p: {type: blackhole, inputs: [jornal]}}", []string{`Input "jornal" for sink "p" doesn't match any components.`}},
		{"no inputs", sources + "sinks: {p: {type: blackhole, inputs: []}}", []string{`Sink "p" has no inputs`}},
		{"logs into metric_to_log", sources + "transforms: {r: {type: metric_to_log, inputs: [journal]}}\nsinks: {p: {type: blackhole, inputs: [r]}}",
			[]string{"Data type mismatch between journal (Log) and r (Metric)"}},
		{"the same name twice", sources + "sinks: {journal: {type: blackhole, inputs: [metrics]}}", []string{`More than one component with name "journal" (source, sink).`}},
		{"a cycle", sources + `transforms: {a: {type: remap, inputs: [b], source: '.a = "b"'}, b: {type: remap, inputs: [a], source: '.a = "b"'}}
sinks: {p: {type: blackhole, inputs: [a]}}`, []string{"Cyclic dependency detected in the chain [ a -> b -> a ]"}},
		{"a unit that is wanted and not wanted", "sources: {j: {type: journald, include_units: [a], exclude_units: [a.service]}}",
			[]string{"duplicated in both include and exclude lists"}},
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
		"token: \"" + secret + "\\q\"",
	} {
		_, err := config.Parse(text)
		require.Error(t, err, "%s", text)
		assert.NotContains(t, err.Error(), secret)
	}
}
