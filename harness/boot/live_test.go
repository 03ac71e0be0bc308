package boot_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
	"bootrace/harness/timeline/timelinetest"
)

func TestConsoleLinesOfBothGenerationsAreKnown(t *testing.T) {
	tests := []struct {
		line string
		want boot.Milestone
	}{
		{"[\x1b[0;32m  OK  \x1b[0m] Reached target \x1b[0;1;39mmulti-user.target\x1b[0m - Multi-User System.", boot.MultiUserReached},
		{"[  OK  ] Reached target Multi-User System.", boot.MultiUserReached},
		{"         Starting \x1b[0;1;39mcloud-final.service\x1b[0m - Cloud-init: Final Stage...", boot.CloudFinalStarted},
		{"         Starting \x1b[0;1;39mcloud-final.servi…xecute cloud user/final scripts...", boot.CloudFinalStarted},
		{"         Starting Execute cloud user/final scripts...", boot.CloudFinalStarted},
		{"worker login: [ 2606.278227] cloud-init[81]: Cloud-init v. 25.1.4 running 'modules:final' at Fri, 27 Nov 2026 18:18:56 +0000. Up 2606.21 seconds.", boot.CloudFinalStarted},
		{"[ 2605.963395] cloud-init[81]: Cloud-init v. 25.1.4 running 'modules:config' at Fri, 27 Nov 2026 18:18:56 +0000.", ""},
		{"[  OK  ] Reached target graphical.target - Graphical Interface.", ""},
		{"", ""},
	}
	for _, tt := range tests {
		assert.Equal(t, tt.want, boot.OnConsole([]byte(tt.line)), tt.line)
	}
	on := boot.Setup{LogToken: timelinetest.LogToken}.OnCloud
	assert.Equal(t, boot.WorkerRegistered, on([]byte(`{"mono":1,"service":"controlplane","op":"register","status":200}`)))
	assert.Empty(t, on([]byte(`{"mono":1,"service":"controlplane","op":"register","status":410}`)), "a refused worker has not registered")
	assert.Empty(t, on([]byte(`{"service":`)))
}

// What was seen while a boot went on is what its recording shows.
func TestMilestonesAreTheFactsOfTheRecording(t *testing.T) {
	t.Parallel()
	dirs, err := filepath.Glob("../judge/testdata/*/manifest.json")
	require.NoError(t, err)
	require.NotEmpty(t, dirs)
	for _, dir := range dirs {
		fsys := os.DirFS(filepath.Dir(dir))
		tl, err := timeline.Read(fsys)
		require.NoError(t, err)
		b, s := boot.Of(tl), boot.Setup{LogToken: timelinetest.LogToken}
		saw := map[boot.Milestone]bool{}
		for file, on := range map[string]func([]byte) boot.Milestone{timeline.Console: boot.OnConsole, timeline.Cloud: s.OnCloud} {
			data, err := fs.ReadFile(fsys, file)
			require.NoError(t, err)
			for line := range bytes.Lines(data) {
				saw[on(line)] = true
			}
		}
		_, reached := b.Reached(boot.MultiUser).First()
		_, final := b.Began("cloud-final.service")
		_, registered := b.Registered().First()
		delivered := false
		for _, ev := range b.Ingested().All {
			delivered = delivered || s.WithToken(ev.Call)
		}
		assert.Equal(t, registered, saw[boot.WorkerRegistered], dir)
		assert.Equal(t, delivered, saw[boot.LogsDelivered], dir)
		// Once there is a login prompt, PID 1 says no more on the console.
		assert.True(t, reached || !saw[boot.MultiUserReached], dir)
		assert.True(t, final || !saw[boot.CloudFinalStarted], dir)
	}
}
