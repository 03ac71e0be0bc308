package pipeline_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/pipeline"
	"bootrace/harness/recording"
)

const worker = "opensandbox-worker.service"

func parse(t *testing.T, files ...recording.ConfigFile) pipeline.Pipeline {
	t.Helper()
	p, err := pipeline.Parse(recording.VectorConfig{Files: files})
	require.NoError(t, err)
	return p
}

func yaml(text string) recording.ConfigFile {
	return recording.ConfigFile{Path: "v.yaml", Format: "yaml", Text: text}
}

func TestWhichUnitsAJournaldSourceReads(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, options string
		want          bool
	}{
		{"all, when it says nothing", "", true},
		{"one that is included", "include_units: [opensandbox-worker.service]", true},
		{"one that is included without its suffix", "include_units: [opensandbox-worker]", true},
		{"none that is not included", "include_units: [other]", false},
		{"none that is excluded", "exclude_units: [opensandbox-worker]", false},
		{"one when another is excluded", "exclude_units: [other]", true},
		{"by a match on the unit", "include_matches: {_SYSTEMD_UNIT: [opensandbox-worker.service]}", true},
		{"by a match on another unit", "include_matches: {_SYSTEMD_UNIT: [ssh.service]}", false},
		{"by its identifier", "include_matches: {SYSLOG_IDENTIFIER: [opensandbox-worker]}", true},
		{"by its transport", "include_matches: {_TRANSPORT: [kernel]}", false},
		{"either list is enough", "include_units: [other]\n    include_matches: {_TRANSPORT: [stdout]}", true},
		{"not when a match excludes it", "exclude_matches: {_TRANSPORT: [stdout]}", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := parse(t, yaml("sources:\n  j:\n    type: journald\n    "+tt.options+"\nsinks:\n  a: {type: axiom, inputs: [j], token: '${AXIOM_PLATFORM_TOKEN}'}\n"))
			d := p.Lines(worker)
			assert.Equal(t, tt.want, len(d.Axiom) == 1)
			assert.Equal(t, tt.want, d.Certain)
		})
	}
}

func TestWhereLinesGo(t *testing.T) {
	t.Parallel()
	const source = "sources: {j: {type: journald}}\n"
	tests := []struct {
		name, rest     string
		axiom, other   int
		nowhere        int
		certain        bool
		throughCounted int
	}{
		{"through a program", "transforms: {r: {type: remap, inputs: [j], source: '.a = 1'}}\nsinks: {a: {type: axiom, inputs: [r]}}", 1, 0, 0, true, 1},
		{"through a filter", "transforms: {f: {type: filter, inputs: [j]}}\nsinks: {a: {type: axiom, inputs: [f]}}", 1, 0, 0, false, 1},
		{"past a filter and beside it", "transforms: {f: {type: filter, inputs: [j]}}\nsinks: {a: {type: axiom, inputs: [f, j]}}", 1, 0, 0, true, 1},
		{"through a program that aborts", "transforms: {r: {type: remap, inputs: [j], source: 'if .x == 1 { abort }'}}\nsinks: {a: {type: axiom, inputs: [r]}}", 1, 0, 0, false, 1},
		{"through an output of a route", "transforms: {r: {type: route, inputs: [j]}}\nsinks: {a: {type: axiom, inputs: [r.x]}}", 1, 0, 0, false, 1},
		{"by a pattern", "transforms: {r1: {type: remap, inputs: ['j*'], source: '.a = 1'}}\nsinks: {a: {type: axiom, inputs: ['r*']}}", 1, 0, 0, true, 1},
		{"through programs in any order of names", "transforms: {a: {type: remap, inputs: [z], source: ''}, z: {type: remap, inputs: [j], source: ''}}\nsinks: {s: {type: axiom, inputs: [a]}}", 1, 0, 0, true, 2},
		{"to a file", "sinks: {f: {type: file, inputs: [j]}}", 0, 1, 0, false, 0},
		{"to nothing", "sinks: {b: {type: blackhole, inputs: [j]}}", 0, 0, 1, false, 0},
		{"nowhere", "sinks: {b: {type: axiom, inputs: [other]}}", 0, 0, 0, false, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := parse(t, yaml(source+tt.rest)).Lines(worker)
			assert.Equal(t, []int{tt.axiom, tt.other, tt.nowhere, tt.throughCounted}, []int{len(d.Axiom), len(d.Other), len(d.Nowhere), len(d.Through)})
			assert.Equal(t, tt.certain, d.Certain)
		})
	}
}

func TestAConfigurationOfSeveralFilesAndForms(t *testing.T) {
	t.Parallel()
	p := parse(t,
		recording.ConfigFile{Path: "/etc/vector/a.toml", Format: "toml", Text: "[sources.j]\ntype = \"journald\"\n[sources.m]\ntype = \"prometheus_scrape\"\nendpoints = [\"${METRICS_URL}\"]\nscrape_interval_secs = 5\n"},
		recording.ConfigFile{Path: "/etc/vector/b.json", Format: "json", Text: `{"transforms":{"r":{"type":"remap","inputs":["j"],"source":".cell = get_env_var!(\"OPENCOMPUTER_CELL_ID\")"}}}`},
		recording.ConfigFile{Path: "/etc/vector/sinks/platform.yaml", Format: "yaml", Section: "sinks", Text: "type: axiom\ninputs: [r, m]\ntoken: ${AXIOM_PLATFORM_TOKEN}\ndataset: $$literal\n"},
	)
	d := p.Lines(worker)
	require.Len(t, d.Axiom, 1)
	assert.Equal(t, "platform", d.Axiom[0].ID)
	assert.True(t, d.Through[0].Uses("OPENCOMPUTER_CELL_ID"))
	assert.False(t, d.Through[0].Uses("OPENSANDBOX_REGION"))
	assert.True(t, p.Uses("METRICS_URL"))
	assert.False(t, p.Uses("literal"))
	names, elsewhere := p.TokenVariables()
	assert.Equal(t, []string{"AXIOM_PLATFORM_TOKEN"}, names)
	assert.False(t, elsewhere)
	assert.Len(t, p.Metrics()["m"].Axiom, 1)
	assert.Equal(t, 5*time.Second, p.Sources[1].Interval())
}

func TestWhichScrapesAreTheWorkers(t *testing.T) {
	t.Parallel()
	for endpoint, want := range map[string]bool{
		"http://127.0.0.1:9091/metrics": true, "http://localhost:9100/metrics?x=1": true, "http://localhost:8080/internal/metrics": true,
		"http://127.0.0.1:9091/": false, "http://node-exporter:9100/metrics": false, "${METRICS_URL}": false, "https://127.0.0.1:1/metrics": false,
	} {
		p := parse(t, yaml("sources: {m: {type: prometheus_scrape, endpoints: ['"+endpoint+"']}}"))
		assert.Equal(t, want, p.Sources[0].ScrapesWorker(), endpoint)
	}
}

func TestATokenFromElsewhere(t *testing.T) {
	t.Parallel()
	p := parse(t, yaml("sources: {j: {type: journald}}\nsinks: {a: {type: axiom, inputs: [j], token: 'SECRET[files.token]'}}"))
	names, elsewhere := p.TokenVariables()
	assert.Empty(t, names)
	assert.True(t, elsewhere)
}

func TestWhatCannotBeReadIsNamedAndQuotesNothing(t *testing.T) {
	t.Parallel()
	for _, f := range []recording.ConfigFile{
		yaml("sources: [\n  token: hidden"),
		{Path: "v.toml", Format: "toml", Text: "token = hidden hidden"},
		{Path: "v.json", Format: "json", Text: `{"token": hidden}`},
	} {
		_, err := pipeline.Parse(recording.VectorConfig{Files: []recording.ConfigFile{f}})
		require.ErrorContains(t, err, f.Path)
		assert.NotContains(t, err.Error(), "hidden")
	}
	_, err := pipeline.Parse(recording.VectorConfig{})
	assert.ErrorContains(t, err, "no file of it was found")
	_, err = pipeline.Parse(recording.VectorConfig{Problems: []string{"/etc/vector/vector.yaml: permission denied"}})
	assert.ErrorContains(t, err, "permission denied")
}
