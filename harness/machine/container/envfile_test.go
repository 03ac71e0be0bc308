package container

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/machine"
	"bootrace/images"
)

// corpus is the populator's: files, and the variables systemd is to take from
// each. Only its data is used here, none of its code.
const corpus = "../../../populator/envfile/testdata/corpus/"

type environmentFile struct {
	File []byte
	Env  map[string][]byte // absent: systemd refuses the file
}

// readerUnit reads one environment file and prints what it was given. Without
// the "-" before the path, which production has, a file that is dropped fails
// the start instead of passing for an empty one.
const readerUnit = `[Unit]
DefaultDependencies=no
StartLimitIntervalSec=0
[Service]
Type=oneshot
EnvironmentFile=/corpus/%i
StandardOutput=file:/run/corpus/%i
ExecStart=/usr/bin/env -0
`

// readAll takes the place of the image's collector: it starts all readers in one
// go and answers with what they printed. Those that were refused make systemctl
// fail, which is right.
const readAll = `#!/bin/sh
cat >/dev/null
until systemctl is-system-running --wait >/dev/null 2>&1; [ "$(systemctl is-system-running 2>/dev/null)" = running ]; do sleep 0.1; done
mkdir -p /run/corpus
cd /corpus
systemctl start $(printf 'corpus@%s.service ' *) >/dev/null 2>&1
tar -C /run/corpus -c .
`

func TestRealSystemdReadsEnvironmentFilesAsTheirCorpusSays(t *testing.T) {
	l := newLab(t)
	cases := map[string]environmentFile{"control": {Env: map[string][]byte{}}}
	for _, name := range []string{"files.json", "written.json"} {
		data, err := os.ReadFile(corpus + name)
		require.NoError(t, err)
		var rows []environmentFile
		require.NoError(t, json.Unmarshal(data, &rows))
		require.NotEmpty(t, rows)
		for i, r := range rows {
			cases[fmt.Sprintf("%s-%d", strings.TrimSuffix(name, ".json"), i)] = r
		}
	}
	for _, suite := range images.Suites() {
		t.Run(suite, func(t *testing.T) {
			got := readBack(t, l, suite, cases)
			// What every service of this systemd is given besides.
			own := maps.Clone(got["control"])
			require.Contains(t, own, "PATH")
			for name, c := range cases {
				env, started := got[name]
				if c.Env == nil {
					assert.False(t, started, "%s: systemd must not start with %q", name, c.File)
					continue
				}
				if !assert.True(t, started, "%s: systemd did not start with %q", name, c.File) {
					continue
				}
				for variable := range own {
					delete(env, variable)
				}
				want := map[string]string{}
				for variable, value := range c.Env {
					want[variable] = string(value)
				}
				assert.Equal(t, want, env, "%s: %q", name, c.File)
			}
		})
	}
}

// readBack boots a base image with the cases in it and returns what systemd took
// from each; a case that was not started is not in the answer.
func readBack(t *testing.T, l lab, suite string, cases map[string]environmentFile) map[string]map[string]string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	root, err := images.FindRoot(".")
	require.NoError(t, err)
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	builder := l.backend.Builder(root, filepath.Join(cache, "bootrace"), func(s string) { t.Log(s) })
	base, err := builder.Base(ctx, suite)
	require.NoError(t, err)

	spec := l.spec(t, "envfile-"+suite, "#!/bin/sh\n")
	spec.WorkerImage = base.ID
	spec.Files = append(spec.Files,
		machine.File{Path: "/etc/systemd/system/corpus@.service", Mode: 0o644, Data: []byte(readerUnit)},
		machine.File{Path: "/usr/local/bin/bootrace-collect", Mode: 0o755, Data: []byte(readAll)})
	for name, c := range cases {
		spec.Files = append(spec.Files, machine.File{Path: "/corpus/" + name, Mode: 0o600, Data: c.File})
	}
	m, err := l.backend.Start(ctx, spec)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		assert.NoError(t, m.Remove(ctx))
	})
	go func() { _, _ = io.Copy(io.Discard, m.Console()) }()
	go func() { _, _ = io.Copy(io.Discard, m.CloudLog()) }()

	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	var out bytes.Buffer
	require.NoError(t, m.Collect(ctx, nil, &out))
	return environments(t, &out)
}

// environments reads a tar of what `env -0` printed, by file name.
func environments(t *testing.T, r io.Reader) map[string]map[string]string {
	t.Helper()
	out := map[string]map[string]string{}
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		require.NoError(t, err)
		if h.Typeflag != tar.TypeReg {
			continue
		}
		data, err := io.ReadAll(tr)
		require.NoError(t, err)
		env := map[string]string{}
		for assignment := range strings.SplitSeq(strings.TrimSuffix(string(data), "\x00"), "\x00") {
			name, value, _ := strings.Cut(assignment, "=")
			env[name] = value
		}
		out[path.Base(h.Name)] = env
	}
}
