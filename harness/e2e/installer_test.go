package e2e

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/machine/container"
	"bootrace/harness/subject"
	"bootrace/harness/wire"
	"bootrace/harness/wire/wiretest"
	"bootrace/images"
)

// An installer as image builds have them: it looks at the system, downloads
// Vector when none is there, has a user made, and asks systemd for everything.
const installer = `#!/bin/bash
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. /etc/os-release
[ "$ID" = debian ] || { echo "unknown system $ID"; exit 1; }
[ "${PACKER_BUILD-}" = 1 ] || { echo 'for image builds only'; exit 1; }
[ "${1-}" = --role ] && [ "${2-}" = worker ] || { echo "usage: install.sh --role worker, not $*"; exit 1; }
command -v vector >/dev/null || curl -fsSLo /usr/bin/vector https://packages.example/vector
id vector >/dev/null || useradd --system vector
systemctl is-active dbus.socket
install -m 0755 "$here/populate" /usr/local/bin/populate
install -m 0644 "$here/populate-vector-env.service" /etc/systemd/system/
systemctl daemon-reload
systemctl enable populate-vector-env.service
# A unit and a Vector configuration of its own.
cat > /etc/systemd/system/credentials-report.service <<END
[Unit]
After=populate-vector-env.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'wc -c < /etc/opensandbox/vector.env'
[Install]
WantedBy=multi-user.target
END
systemctl enable credentials-report.service
sed -i 's/^  platform:/  workers_own:/' /etc/vector/vector.yaml
`

// writeInstaller makes a subject of an installer, with the sound shell populator
// as its material.
func writeInstaller(t *testing.T, name, script, manifest string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.Rename(sound.write(t), dir))
	for _, file := range []string{"usr/local/bin/populate", "etc/systemd/system/populate-vector-env.service"} {
		require.NoError(t, os.Rename(filepath.Join(dir, "rootfs", file), filepath.Join(dir, filepath.Base(file))))
	}
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "rootfs")))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "install.sh"), []byte(script), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "subject.yaml"), []byte(manifest), 0o644))
	return dir
}

func TestAnInstallerIsBakedAndBootsLikeAnyOtherSubject(t *testing.T) {
	t.Parallel()
	dir := writeInstaller(t, "installed", installer, "install: {args: [--role, worker]}\n")
	lab := wiretest.New(t, []string{dir}, images.Suites()[0])
	assert.Equal(t, []string{"credentials-report.service", "populate-vector-env.service"}, lab.Subjects[lab.Names[0]].Units, "found in the image")
	for _, c := range lab.Run(t, wiretest.Find(t, "delay-0s"), 1, 1) {
		assert.Equal(t, "pass", c.Verdict, wiretest.Explain(c))
	}
	began := time.Now()
	again := wiretest.New(t, []string{dir}, images.Suites()[0])
	assert.Equal(t, lab.Subjects[lab.Names[0]].Images, again.Subjects[again.Names[0]].Images, "baked once")
	t.Logf("unchanged, it was found again in %s", time.Since(began).Round(time.Millisecond))

	// What was baked is an image, and may be given as one.
	ref := lab.Subjects[lab.Names[0]].Images[images.Suites()[0]]
	given, err := wiretest.Build(t, wire.Options{Image: ref, Bases: images.Suites()[:1]})
	require.NoError(t, err)
	assert.Subset(t, given.Subjects[ref].Units, []string{"credentials-report.service", "populate-vector-env.service"})
	for _, c := range given.Run(t, wiretest.Find(t, "delay-0s"), 1, 1) {
		assert.Equal(t, "pass", c.Verdict, wiretest.Explain(c))
	}
}

func TestABrokenInstallerSaysWhatItPrintedAndLeavesNothing(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, script, manifest, want, fix string }{
		{"fails", "#!/bin/sh\necho about to fail\nexit 3\n", "", "install.sh: it exited 3; it printed:\n    about to fail", "PACKER_BUILD=1"},
		{"endless", "#!/bin/sh\necho waiting\nsleep 1000\n", "install: {timeout: 3s}\n", "it did not end within 3s (subject.yaml, install.timeout); it printed:\n    waiting", ""},
		{"downloads", "#!/bin/sh\ncurl -fsSO https://packages.example/vector.deb\n", "", "Could not resolve host", "has no network here"},
		{"no-interpreter", "#!/opt/none\n", "", "install.sh: it exited 12", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := writeInstaller(t, "broken-"+tt.name, tt.script, tt.manifest)
			_, err := wiretest.Build(t, wire.Options{Subjects: wire.Dirs(dir), Bases: images.Suites()[:1]})
			require.ErrorContains(t, err, tt.want)
			assert.Empty(t, benches(t, filepath.Base(dir)))
			var broken subject.InstallError
			require.ErrorAs(t, err, &broken)
			assert.Contains(t, broken.Fix(), tt.fix)
		})
	}
}

func TestASubjectThatEnablesWhatItDoesNotBringIsRefused(t *testing.T) {
	t.Parallel()
	dir := writeInstaller(t, "broken-enable", "#!/bin/sh\necho done\n", "enable: [none.service]\n")
	_, err := wiretest.Build(t, wire.Options{Subjects: wire.Dirs(dir), Bases: images.Suites()[:1]})
	require.ErrorContains(t, err, "bake subject broken-enable: seal the image: its script exited 1: Failed to enable unit")
	require.ErrorContains(t, err, "none.service")
	assert.NotContains(t, err.Error(), "install.sh", "it is not to blame")
	assert.Empty(t, benches(t, filepath.Base(dir)))
}

// benches lists the containers in which a subject's installer ran.
func benches(t *testing.T, subject string) []string {
	t.Helper()
	backend, err := container.Connect(t.Context(), "")
	require.NoError(t, err)
	list, err := backend.Engine().ContainerList(t.Context(), client.ContainerListOptions{All: true, Filters: client.Filters{}.Add("name", "bootrace-bench-"+subject)})
	require.NoError(t, err)
	var names []string
	for _, c := range list.Items {
		names = append(names, c.Names...)
	}
	return names
}

func TestABaseWithoutSystemdIsRefused(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "empty.tar")
	require.NoError(t, os.WriteFile(file, make([]byte, 10240), 0o644)) // a tar of nothing
	_, err := wiretest.Build(t, wire.Options{Bases: []string{file}})
	require.ErrorContains(t, err, "base "+file)
	require.NotErrorIs(t, err, context.DeadlineExceeded)
}
