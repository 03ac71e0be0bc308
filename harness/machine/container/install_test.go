package container

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/machine"
	"bootrace/images"
)

func TestTailKeepsTheEndOfWhatIsPrintedForEver(t *testing.T) {
	var out tail
	for range 4 * tailKept / 10 {
		_, err := out.Write([]byte("for ever.\n"))
		require.NoError(t, err)
	}
	_, err := out.Write([]byte("the end"))
	require.NoError(t, err)
	assert.Len(t, out.String(), tailKept)
	assert.LessOrEqual(t, len(out.kept), 2*tailKept)
	assert.True(t, strings.HasSuffix(out.String(), "for ever.\nthe end"))
}

// install installs into the worker, and never into an image.
func install(t *testing.T, l lab, script string, within time.Duration) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	return l.backend.Install(ctx, machine.Install{
		Name: "odd", Image: l.worker, Command: []string{"/bin/sh", "-c", script}, Within: within,
		Seal: "exit 1\n", Ref: "bootrace/subject:never",
	})
}

func TestInstallersThatAreOdd(t *testing.T) {
	l := newLab(t)
	for _, tt := range []struct {
		name, script string
		within       time.Duration
		wantErr      string
		wantOutput   string
	}{
		{"logs to a file of its own and fails later", "exec >/tmp/log 2>&1; sleep 1; exit 3", 0, "it exited 3", ""},
		{"leaves a process that holds its output", "sleep 1000 & echo done", time.Minute, "seal the image", "done\n"},
		{"prints for ever", "yes and so on", 2 * time.Second, "it did not end within 2s", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			output, err := install(t, l, tt.script, tt.within)
			require.ErrorContains(t, err, tt.wantErr)
			assert.True(t, strings.HasPrefix(output, tt.wantOutput), "%.200q", output)
			assert.LessOrEqual(t, len(output), tailKept)
		})
	}
	names, err := l.running(t.Context())
	require.NoError(t, err)
	assert.Empty(t, names, "nothing is left behind")
}

func TestAFileAsLongAsTheOneItReplacesIsInTheImage(t *testing.T) {
	l := newLab(t)
	root, err := images.FindRoot(".")
	require.NoError(t, err)
	base, err := os.ReadFile(filepath.Join(root, "images/worker/files/etc/vector/vector.yaml"))
	require.NoError(t, err)
	changed := bytes.Replace(base, []byte("scrape_interval_secs: 15"), []byte("scrape_interval_secs: 14"), 1)
	require.NotEqual(t, base, changed)
	made, err := l.backend.Builder(root, t.TempDir(), func(s string) { t.Log(s) }).Make(t.Context(), images.Recipe{Kind: "test", Tree: images.Tree{
		"Dockerfile":  {Mode: 0o644, Data: []byte("FROM " + l.worker + "\nCOPY vector.yaml /etc/vector/vector.yaml\n")},
		"vector.yaml": {Mode: 0o644, Data: changed},
	}})
	require.NoError(t, err)
	defer func() {
		_, _ = l.backend.Engine().ImageRemove(context.WithoutCancel(t.Context()), made.ID, client.ImageRemoveOptions{Force: true, PruneChildren: true})
	}()
	l.worker = made.ID
	output, err := install(t, l, "cat /etc/vector/vector.yaml", 0)
	require.ErrorContains(t, err, "seal the image", "nobody wants one")
	assert.Equal(t, string(changed), output)
}

func TestAnImageIsNotTakenForTheBenchItWasMadeOn(t *testing.T) {
	l := newLab(t)
	const ref = "bootrace/subject:of-a-test"
	_, err := l.backend.Install(t.Context(), machine.Install{Name: "labels", Image: l.worker, Ref: ref,
		Labels: func(string) map[string]string { return map[string]string{images.LabelImage: "subject"} }})
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := l.backend.Engine().ImageRemove(context.Background(), ref, client.ImageRemoveOptions{})
		assert.NoError(t, err)
	})
	// As by-hand.sh does, or a person.
	box, err := l.backend.Engine().ContainerCreate(t.Context(), client.ContainerCreateOptions{Config: &container.Config{Image: ref}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, remove(context.Background(), l.backend.Engine(), box.ID)) })
	require.NoError(t, l.owner.Close(), "the bench's owner is gone")
	left, err := l.backend.Leftovers(t.Context())
	require.NoError(t, err)
	for _, c := range left {
		assert.NotEqual(t, box.ID, c.ID)
	}
}
