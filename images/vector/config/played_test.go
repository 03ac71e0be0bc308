package config_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images/vector/config"
)

func TestHowComponentsArePlayed(t *testing.T) {
	t.Parallel()
	const axiom = "sinks: {p: {type: axiom, inputs: ['*'], token: t, dataset: d}}\n"
	tests := []struct {
		name, text string
		want       []config.Played
	}{
		{"what is simply played is not spoken of", sources + "transforms: {r: {type: remap, inputs: [journal], source: '.a = 1'}, f: {type: filter, inputs: [journal], condition: 'exists(.a)'}}\n" + axiom, nil},
		{"a source beside the journal is silent", "sources: {j: {type: journald}, h: {type: host_metrics}, f: {type: file, include: [/x]}}\n" + axiom, []config.Played{
			{ID: "f", Kind: "source", Type: "file", How: "silent"}, {ID: "h", Kind: "source", Type: "host_metrics", How: "silent"}}},
		{"files alone may be what ships the worker's lines", "sources: {f: {type: file, include: [/x]}}\n" + axiom, []config.Played{
			{ID: "f", Kind: "source", Type: "file", How: "silent", Unjudged: true}}},
		{"a transform that is not played", sources + "transforms: {d: {type: dedupe, inputs: [journal]}}\n" + axiom, []config.Played{
			{ID: "d", Kind: "transform", Type: "dedupe", How: "passed on", Unjudged: true}}},
		{"a program that is not played", sources + "transforms: {r: {type: remap, inputs: [journal], source: '. = parse_xml!(.message)'}}\n" + axiom, []config.Played{
			{ID: "r", Kind: "transform", Type: "remap", How: "passed on", Unjudged: true}}},
		{"a condition that is not played", sources + "transforms: {f: {type: filter, inputs: [journal], condition: {type: datadog_search, source: x}}}\n" + axiom, []config.Played{
			{ID: "f", Kind: "transform", Type: "filter", How: "passed on", Unjudged: true}}},
		{"a sink beside axiom swallows", sources + "sinks: {p: {type: axiom, inputs: ['*'], token: t, dataset: d}, s: {type: loki, inputs: [journal], endpoint: x, encoding: {codec: json}}}", []config.Played{
			{ID: "s", Kind: "sink", Type: "loki", How: "swallowed"}}},
		{"one alone cannot be judged", sources + "sinks: {s: {type: http, inputs: ['*'], uri: x, encoding: {codec: json}}}", []config.Played{
			{ID: "s", Kind: "sink", Type: "http", How: "swallowed", Unjudged: true}}},
		{"options that nobody minds", sources + "sinks: {p: {type: axiom, inputs: ['*'], token: t, dataset: d, encoding: {}, batch: {timeout: 1}}}", []config.Played{
			{ID: "p", Kind: "sink", Type: "axiom", How: "played", Why: "`batch.timeout`, `encoding` is no option of it, and Vector takes no notice either"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg, err := config.Parse(tt.text)
			require.NoError(t, err)
			require.Empty(t, cfg.Undecided())
			got := cfg.Played()
			for i := range got {
				assert.NotEmpty(t, got[i].Why)
				if i < len(tt.want) && tt.want[i].Why == "" {
					got[i].Why = ""
				}
			}
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestWhatOnlyARealVectorDecides(t *testing.T) {
	t.Parallel()
	axiom := func(more string) string {
		return sources + "sinks: {p: {type: axiom, inputs: ['*'], token: t, dataset: d" + more + "}}"
	}
	tests := []struct{ name, text, component, what string }{
		{"a source of no known type", "sources: {s: {type: quantum_feed}}\nsinks: {p: {type: blackhole, inputs: [s]}}", "sources.s", "`quantum_feed`"},
		{"a transform of no known type", sources + "transforms: {x: {type: telepathy, inputs: [journal]}}\nsinks: {p: {type: blackhole, inputs: [x.any]}}", "transforms.x", "`telepathy`"},
		{"a sink of no known type", sources + "sinks: {s: {type: carrier_pigeon, inputs: ['*']}}", "sinks.s", "`carrier_pigeon`"},
		{"a template as dataset", axiom("") + "\n  q: {type: axiom, inputs: [journal], token: t, dataset: 'x-{{ unit }}'}", "sinks.q.dataset", "template"},
		{"the other log namespace", "schema: {log_namespace: true}\n" + axiom(""), "schema.log_namespace", "namespace"},
		{"a provider", "provider: {type: http, url: x}", "provider", "provider"},
		{"snappy", axiom(", compression: snappy"), "sinks.p.compression", "snappy"},
		{"a vault of another kind", "secret: {v: {type: aws_secrets_manager}}\n" + strings.Replace(axiom(""), "token: t", "token: 'SECRET[v.t]'", 1), "secret.v", "aws_secrets_manager"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(tt.text, "d}}\n  q:", "d},\n  q:", 1)
			if text != tt.text {
				text += "}"
			}
			cfg, err := config.Parse(text)
			require.NoError(t, err)
			require.Len(t, cfg.Undecided(), 1)
			u := cfg.Undecided()[0]
			assert.Equal(t, tt.component, u.Component)
			assert.Contains(t, u.What, tt.what)
			assert.True(t, strings.HasPrefix(u.Sentence(), "bootrace stand-in cannot decide: `"+tt.component+"`: "))
			assert.Contains(t, u.Sentence(), "`--vector real`")
			assert.NotContains(t, u.Sentence(), "\n")
		})
	}
}

func TestProgramsThatDoNotCompileAreFoundWhenTheyAreBuilt(t *testing.T) {
	t.Parallel()
	cfg, err := config.Parse(sources + "transforms: {r: {type: remap, inputs: [journal], source: '.x = nosuch(.y)'}, q: {type: remap, inputs: [journal]}}\nsinks: {p: {type: blackhole, inputs: ['*']}}")
	require.NoError(t, err, "before 0.57 they pass `validate --no-environment`")
	problems := cfg.ProgramErrors()
	require.Len(t, problems, 2)
	assert.Contains(t, problems[0], `Transform "q": must provide exactly one of`)
	assert.Contains(t, problems[1], `Transform "r": error[E105]`)
}

func TestSectionsThatDoNotMatterAreTaken(t *testing.T) {
	t.Parallel()
	_, err := config.Parse(sources + `
api: {enabled: true, address: "127.0.0.1:8686"}
enrichment_tables: {t: {type: file}}
schema: {enabled: false}
log_schema: {host_key: host}
tests: [{name: x}]
timezone: local
proxy: {enabled: true, http: "http://proxy.example:3128"}
expire_metrics_secs: 300
wildcard_matching: relaxed
sinks: {p: {type: blackhole, inputs: [journal, "nothing*"]}}
`)
	require.NoError(t, err)
}
