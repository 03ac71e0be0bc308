package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/wire/wiretest"
	"bootrace/images"
	"bootrace/results"
)

// The engines of Debian's releases, as what their own Versions begin with.
var engines = []struct{ suite, kind, user, version string }{
	{"bookworm", "docker", "", "20.10."},
	{"trixie", "docker", "", "26.1."},
	{"sid", "docker", "", "2"}, // it moves
	{"bookworm", "podman", "", "4.3."},
	{"trixie", "podman", "", "5.4."},
	{"sid", "podman", "", "5."},
	{"trixie", "podman", "rootless", "5.4."},
}

// engineWithin bounds one engine: its release is bootstrapped, images are loaded, two
// cases boot.
const engineWithin = 20 * time.Minute

// TestEngines boots on each engine, which has its own data and no network. The images
// that take Debian's packages are made by the host's engine; it makes the subject's.
func TestEngines(t *testing.T) {
	if os.Getenv("BOOTRACE_NIGHTLY") == "" {
		t.Skip("make engines runs it")
	}
	if os.Getuid() != 0 {
		t.Skip("makes Debian's root file systems and namespaces, which takes root")
	}
	root, err := images.FindRoot(".")
	require.NoError(t, err)
	base := images.Suites()[0]
	lab := wiretest.New(t, nil, base)
	dir := os.Getenv("BOOTRACE_ENGINES_DIR") // keeps the root file systems for the next time
	if dir == "" {
		dir = t.TempDir()
	}
	do := func(ctx context.Context, env []string, name string, args ...string) (stdout, stderr string, err error) {
		cmd := exec.CommandContext(ctx, name, args...)
		var out, errs bytes.Buffer
		cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = root, append(os.Environ(), env...), &out, &errs
		err = cmd.Run()
		return out.String(), errs.String(), err
	}
	bootrace, saved := filepath.Join(dir, "bootrace"), filepath.Join(dir, "images.tar")
	_, stderr, err := do(t.Context(), nil, "go", "build", "-trimpath", "-o", bootrace, "./harness/cmd/bootrace")
	require.NoError(t, err, stderr)
	saveImages(t.Context(), t, saved, "bootrace/debian:"+base, lab.Bases[base], lab.Images[base].Control, lab.Images[base].Cloud)

	for _, e := range engines {
		t.Run(strings.TrimSuffix(e.suite+" "+e.kind+" "+e.user, " "), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), engineWithin)
			defer cancel()
			place := filepath.Join(dir, strings.TrimSuffix(e.suite+"-"+e.kind+"-"+e.user, "-"))
			host := "DOCKER_HOST=unix://" + filepath.Join(place, "serve/engine.sock")
			serve(ctx, t, filepath.Join(root, "harness/e2e/engines/serve.sh"), place, e.suite, e.kind, e.user)
			version := ""
			require.Eventually(t, func() bool {
				version, _, err = do(ctx, []string{host}, "docker", "version", "-f", "{{.Server.Version}}")
				return err == nil
			}, engineWithin, time.Second)
			assert.True(t, strings.HasPrefix(version, e.version), version)
			_, stderr, err := do(ctx, []string{host}, "docker", "load", "-q", "-i", saved)
			require.NoError(t, err, stderr)

			env := []string{host, "BOOTRACE_STATE=" + t.TempDir(), "VECTOR=stand-in"}
			out, stderr, err := do(ctx, env, bootrace, "run", "pre", "delay-0s", "--base", base, "--json")
			require.NoError(t, err, stderr+out)
			var run results.Run
			require.NoError(t, json.Unmarshal([]byte(out), &run), out)
			require.Len(t, run.Cases, 2)
			for _, c := range run.Cases {
				assert.Equal(t, "pass", c.Verdict, wiretest.Explain(c))
				for _, check := range c.Attempts[len(c.Attempts)-1].Checks {
					assert.NotEqual(t, "no-evidence", check.Outcome, "%s: %s", check.Name, check.Note)
				}
			}
			left, stderr, err := do(ctx, []string{host}, "docker", "ps", "-aq")
			require.NoError(t, err, stderr)
			assert.Empty(t, left, "nothing is left behind")
			t.Logf("%s %s, %s: %s", e.kind, strings.TrimSpace(version), run.Versions["kernel"], strings.TrimSpace(stderr))
		})
	}
}

// serve runs an engine until the test ends.
func serve(ctx context.Context, t *testing.T, script, place, suite, kind, user string) {
	t.Helper()
	args := []string{place, suite, kind}
	if user != "" {
		args = append(args, user)
	}
	cmd := exec.CommandContext(ctx, script, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Start())
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		if t.Failed() {
			log := out.String()
			t.Log(log[max(0, len(log)-4000):])
		}
	})
}
