package main

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestItSaysWhatItIs(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.unset("STANDIN_VECTOR_VERSION")
	code, stdout, _ := m.run("--version")
	assert.Zero(t, code)
	assert.Equal(t, "vector 0.58.0 (bootrace stand-in, not Vector)\n", stdout, "the newest")

	m.set("STANDIN_VECTOR_VERSION", "0.57.1")
	_, stdout, _ = m.run("--version")
	assert.Equal(t, "vector 0.57.1 (bootrace stand-in, not Vector)\n", stdout)

	code, stdout, _ = m.run("--help")
	assert.Zero(t, code)
	assert.True(t, strings.HasPrefix(stdout, "vector (bootrace stand-in, not Vector)"))

	_, _, stderr := m.run()
	first, _, _ := strings.Cut(stderr, "\n")
	assert.Contains(t, first, "This is the bootrace stand-in, not Vector.")
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	const small = `
sources: {journal: {type: journald}}
sinks: {p: {type: axiom, inputs: [journal], token: t, dataset: d%s}}
`
	const odd = "sources: {journal: {type: journald, nonsense: 1}}\nsinks: {p: {type: blackhole, inputs: [journal]}}"
	const bad = "sources: {journal: {type: journald}}\ntransforms: {r: {type: remap, inputs: [journal], source: '.x = nosuch(.y)'}}\nsinks: {p: {type: blackhole, inputs: [r]}}"
	with := func(more string) string { return strings.Replace(small, "%s", more, 1) }
	tests := []struct {
		name    string
		config  string // empty: the worker's
		environ []string
		args    []string
		want    int
		says    string
	}{
		{"validate passes", "", nil, []string{"validate"}, 0, "Validated"},
		{"validate without the environment passes", "", nil, []string{"validate", "--no-environment"}, 0, "Loaded"},
		{"empty credentials pass", "", []string{"AXIOM_PLATFORM_TOKEN=", "AXIOM_PLATFORM_DATASET="}, []string{"validate"}, 0, "Validated"},
		{"validate with a missing variable", "", []string{"-AXIOM_PLATFORM_TOKEN"}, []string{"validate"}, 78, `Missing environment variable in config. name = "AXIOM_PLATFORM_TOKEN"`},
		{"a start with a missing variable", "", []string{"-AXIOM_PLATFORM_TOKEN"}, nil, 78, `Configuration error. error=Missing environment variable in config. name = "AXIOM_PLATFORM_TOKEN"`},
		{"0.57 with the worker's configuration cannot read the url", "", []string{"STANDIN_VECTOR_VERSION=0.57.0"}, []string{"validate"}, 78, `Sink "platform": invalid uri character`},
		{"0.57 without a url in a variable passes with any text as token", with(", url: 'https://x'"), []string{"STANDIN_VECTOR_VERSION=0.57.0"}, []string{"validate"}, 0, "Validated"},
		{"0.57 that may interpolate passes", "", []string{"STANDIN_VECTOR_VERSION=0.57.0", "VECTOR_DANGEROUSLY_ALLOW_ENV_VAR_INTERPOLATION=true"}, []string{"validate"}, 0, "Validated"},
		{"0.57 that may interpolate and lacks a variable", "", []string{"STANDIN_VECTOR_VERSION=0.57.0", "VECTOR_DANGEROUSLY_ALLOW_ENV_VAR_INTERPOLATION=true", "-AXIOM_PLATFORM_TOKEN"}, nil, 78, "Missing environment variable"},
		{"an unknown key", odd, nil, nil, 78, "unknown field `nonsense`"},
		{"an unknown key for validate", odd, nil, []string{"validate"}, 78, "unknown field `nonsense`"},
		{"an unknown key of the axiom sink is not minded", with(", nonsense: 1"), nil, []string{"validate"}, 0, "Validated"},
		{"a disk buffer that is too small", with(", buffer: {type: disk, max_size: 1048576}"), nil, nil, 78, "must be greater than or equal to 268435488 bytes"},
		{"without the environment its size is not looked at", with(", buffer: {type: disk, max_size: 1048576}"), nil, []string{"validate", "--no-environment"}, 0, "Loaded"},
		{"a data directory that is not there", with("") + "data_dir: /nonexistent", nil, []string{"validate"}, 78, `data_dir "/nonexistent" does not exist`},
		{"a health check that fails", with(", healthcheck: {uri: 'http://127.0.0.1:1/'}"), nil, []string{"validate"}, 78, "Connection refused (os error 111)"},
		{"a health check that is not asked", with(", healthcheck: {uri: 'http://127.0.0.1:1/'}"), nil, []string{"validate", "--skip-healthchecks"}, 0, "Validated"},
		{"unhealthy sinks where health is required", with(", healthcheck: {uri: 'http://127.0.0.1:1/'}") + "healthchecks: {require_healthy: true}", nil, nil, 78, "Sinks unhealthy."},
		{"warnings denied", with("") + "\ntransforms: {r: {type: remap, inputs: [journal], source: '.a = \"b\"'}}", nil, []string{"validate", "-d"}, 78, `Transform "r" has no consumers`},
		{"a file that is not there", "", nil, []string{"-c", "/nonexistent.yaml"}, 78, "Config file not found in path."},
		{"an unknown flag", "", nil, []string{"--nonsense"}, 2, "unexpected argument '--nonsense'"},
		{"a path without validate", "", nil, []string{"vector.yaml"}, 2, "unrecognized subcommand 'vector.yaml'"},
		{"a limit of zero", "", nil, []string{"--graceful-shutdown-limit-secs", "0"}, 2, "above zero"},
		{"a limit of zero in the environment", "", []string{"VECTOR_GRACEFUL_SHUTDOWN_LIMIT_SECS=0"}, nil, 2, "above zero"},
		{"a flag without its value", "", nil, []string{"--config"}, 2, "a value is required for '--config'"},
		{"0.58 that may interpolate passes", "", []string{"STANDIN_VECTOR_VERSION=0.58", "VECTOR_DANGEROUSLY_ALLOW_ENV_VAR_INTERPOLATION=true"}, []string{"validate"}, 0, "Validated"},
		{"interpolation that was switched off", "", []string{"VECTOR_DISABLE_ENV_VAR_INTERPOLATION=true"}, []string{"validate"}, 78, "invalid uri character"},
		{"a program that does not compile", bad, nil, []string{"validate"}, 78, `Transform "r": error[E105]`},
		{"0.56 does not look at it without the environment", bad, nil, []string{"validate", "--no-environment"}, 0, "Loaded"},
		{"0.57 does", bad, []string{"STANDIN_VECTOR_VERSION=0.57"}, []string{"validate", "--no-environment"}, 78, "Transforms configuration"},
		{"a start with it", bad, nil, nil, 78, `vector::topology::builder: Configuration error. error=Transform "r": error[E105]`},
		{"all boots of a systemd that follows only one", "sources: {journal: {type: journald, current_boot_only: false}}\nsinks: {p: {type: blackhole, inputs: [journal]}}", nil, nil, 78,
			"`current_boot_only: false` not supported for systemd versions 250 through 257 (got 257)."},
		{"no journalctl", "sources: {journal: {type: journald, journalctl_path: /nonexistent}}\nsinks: {p: {type: blackhole, inputs: [journal]}}", nil, []string{"validate"}, 78,
			"journalctl failed to execute: No such file or directory (os error 2)"},
		{"no journalctl at the start", "sources: {journal: {type: journald, journalctl_path: /nonexistent}}\nsinks: {p: {type: blackhole, inputs: [journal]}}", nil, nil, 78,
			"journalctl failed to execute: No such file or directory (os error 2)"},
		{"validate wants the data directory though no component does", "data_dir: /nonexistent\nsources: {m: {type: internal_metrics}}\nsinks: {p: {type: blackhole, inputs: [m]}}", nil, []string{"validate"}, 78,
			`x data_dir "/nonexistent" does not exist`},
		{"metrics straight into axiom", "sources: {m: {type: internal_metrics}}\nsinks: {p: {type: axiom, inputs: [m], token: t, dataset: d}}", nil, []string{"validate"}, 0, "Validated"},
		{"a template without a beginning from 0.57 on", "sources: {j: {type: journald}}\nsinks: {p: {type: loki, inputs: [j], endpoint: x, encoding: {codec: json}}, q: {type: axiom, inputs: [j], token: t, dataset: '{{ x }}'}}",
			[]string{"STANDIN_VECTOR_VERSION=0.57"}, nil, 78, "has no literal string prefix"},
		{"a type of no version", "sources: {j: {type: quantum_feed}}\nsinks: {p: {type: blackhole, inputs: [j]}}", nil, []string{"validate"}, 78, "unknown variant `quantum_feed`"},
		{"what cannot be decided", "sources: {j: {type: journald}}\nsinks: {p: {type: axiom, inputs: [j], token: t, dataset: '{{ x }}'}}", nil, []string{"validate"}, 78, "bootrace stand-in cannot decide: `sinks.p.dataset`: "},
		{"a start with what cannot be decided", "sources: {j: {type: journald}}\nsinks: {p: {type: axiom, inputs: [j], token: t, dataset: '{{ x }}'}}", nil, nil, 78, "\nbootrace stand-in cannot decide: `sinks.p.dataset`: "},
		{"a requirement that is neither true nor false", "", nil, []string{"--require-healthy", "maybe"}, 2, "[possible values: true, false]"},
		{"unhealthy sinks where the command line requires health", with(", healthcheck: {uri: 'http://127.0.0.1:1/'}"), nil, []string{"--require-healthy", "true"}, 78, "Sinks unhealthy."},
		{"a variable with a newline", "", []string{"AXIOM_PLATFORM_TOKEN=a\nb"}, nil, 78, `Environment variable contains newline character. name = "AXIOM_PLATFORM_TOKEN"`},
		{"a version that is none", "", []string{"STANDIN_VECTOR_VERSION=latest"}, nil, 78, `version "latest"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			m.journal(0)
			m.worker(refusing)
			if strings.Contains(tt.config, "data_dir") {
				m.config(tt.config)
			} else if tt.config != "" {
				m.config("data_dir: " + m.path("data") + "\n" + tt.config)
			}
			for _, e := range tt.environ {
				if name, ok := strings.CutPrefix(e, "-"); ok {
					m.unset(name)
				} else {
					m.environ = append(m.environ, e)
				}
			}
			code, stdout, stderr := m.run(tt.args...)
			assert.Equal(t, tt.want, code, "%s%s", stdout, stderr)
			assert.Contains(t, stdout+stderr, tt.says)
		})
	}
}

func (m *machine) unset(name string) {
	var kept []string
	for _, e := range m.environ {
		if !strings.HasPrefix(e, name+"=") {
			kept = append(kept, e)
		}
	}
	m.environ = kept
}

func TestValidateLeavesARunningOneAlone(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.journal(0)
	m.worker(refusing)
	r := m.start()
	r.says("Vector has started.")
	code, stdout, _ := m.run("validate")
	assert.Zero(t, code, stdout)

	code, _, stderr := m.run()
	assert.Equal(t, 78, code)
	assert.Contains(t, stderr, "is another Vector process running and using this buffer?")

	r.signal(syscall.SIGHUP)
	r.says("Vector has reloaded.")
	r.signal(syscall.SIGQUIT)
	assert.Zero(t, r.ends())
}

func TestADataDirectoryOfAnotherUserIsRefused(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.journal(0)
	m.worker(refusing)
	require.NoError(t, os.Chmod(m.path("data"), 0o555))
	if os.Getuid() == 0 { // root may write anywhere
		require.NoError(t, os.Chmod(filepath.Dir(m.dir), 0o755))
		require.NoError(t, os.Chmod(m.path("vector.yaml"), 0o644))
		m.user = &syscall.Credential{Uid: 65534, Gid: 65534}
	}
	code, stdout, _ := m.run("validate")
	assert.Equal(t, 78, code)
	assert.Contains(t, stdout, "is not writable")
}

// It is run twice in each start of the unit's, so it must not be what the boot waits for: most of its time is that of any
// program's start. Not parallel, and the best of ten, in turn: this host is shared.
func TestValidateIsQuick(t *testing.T) {
	m := newMachine(t)
	m.journal(0)
	m.worker(refusing)
	best := map[string]time.Duration{}
	for range 10 {
		for _, verb := range []string{"--version", "validate"} {
			start := time.Now()
			code, out, _ := m.run(verb)
			took := time.Since(start)
			require.Zero(t, code, out)
			best[verb] = min(cmp.Or(best[verb], took), took)
		}
	}
	t.Logf("best of ten: %v", best)
	assert.Less(t, best["validate"], 10*best["--version"])
}

func TestItSaysHowItPlays(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.journal(0)
	m.config("data_dir: " + m.path("data") + `
sources: {j: {type: journald}, host: {type: host_metrics}}
sinks: {p: {type: blackhole, inputs: [j, host]}}`)
	r := m.start()
	r.says("Vector has started.")
	assert.Contains(t, r.log.String(), `bootrace stand-in plays: {"played":[{"id":"host","kind":"source","type":"host_metrics","how":"silent","why":`)
	assert.Zero(t, r.stops())
}

func TestSeveralFilesOfSeveralKinds(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.journal(0)
	require.NoError(t, os.MkdirAll(m.path("conf/sinks"), 0o700))
	for name, text := range map[string]string{
		"a.yaml": "data_dir: " + m.path("data") + "\nsources: {j: {type: journald}}", "b.toml": "[sinks.b]\ntype = \"blackhole\"\ninputs = [\"j\"]",
		"c.conf": `{"sinks": {"c": {"type": "blackhole", "inputs": ["j"]}}}`, "conf/sinks/d.yaml": "type: blackhole\ninputs: [j]",
	} {
		require.NoError(t, os.WriteFile(m.path(name), []byte(text), 0o600))
	}
	code, stdout, stderr := m.run("validate", "--config-yaml", m.path("a.yaml"), "--config-toml="+m.path("b.toml"), "--config-json", m.path("c.conf"), "-C", m.path("conf"))
	assert.Zero(t, code, stdout+stderr)
	for _, sink := range []string{"b", "c", "d"} {
		assert.Contains(t, stdout, `Health check "`+sink+`"`)
	}

	m.set("VECTOR_CONFIG", m.path("a.yaml")+","+m.path("b.toml"))
	code, stdout, _ = m.run("validate")
	assert.Zero(t, code)
	assert.Contains(t, stdout, `Health check "b"`)
	assert.NotContains(t, stdout, `Health check "c"`)
}

func TestReload(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.journal(3)
	config := func(sink string) {
		require.NoError(t, os.WriteFile(m.path("vector.yaml"), []byte("data_dir: "+m.path("data")+"\nsources: {j: {type: journald}}\nsinks: {"+sink+"}"), 0o600))
	}
	m.set("VECTOR_CONFIG", m.path("vector.yaml"))
	config("one: {type: blackhole, inputs: [j]}")
	r := m.start()
	r.says("Starting journalctl.")

	reload := func(says string, times int) {
		r.signal(syscall.SIGHUP)
		r.until(says, func(log string) bool { return strings.Count(log, says) == times })
	}
	reload("Vector has reloaded.", 1)
	assert.Equal(t, 1, strings.Count(r.log.String(), "Starting journalctl."), "where nothing changed everything goes on")

	config("one: {type: nonsense}")
	reload("reload aborted.", 1)
	config("one: {type: blackhole, inputs: [j], buffer: {type: disk, max_size: 1}}")
	reload("Reload was not successful.", 1)
	assert.Equal(t, 1, strings.Count(r.log.String(), "Starting journalctl."), "a wrong one leaves the old one running")

	config("two: {type: blackhole, inputs: [j]}")
	reload("Vector has reloaded.", 2)
	r.until("journalctl twice", func(log string) bool { return strings.Count(log, "Starting journalctl.") == 2 })
	assert.Zero(t, r.stops())
}
