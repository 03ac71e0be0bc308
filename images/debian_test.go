package images

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEveryImageHasANameThatTheEngineTakes(t *testing.T) {
	digest := "@sha256:" + strings.Repeat("0", 64)
	seen := map[string]bool{}
	for _, ref := range []string{"worker:candidate", "worker" + digest, "registry.example.org:5000/" + strings.Repeat("team/", 20) + "worker:1.2.3" + digest} {
		assert.Regexp(t, regexp.MustCompile(`^bootrace/pulled:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`), pulledAs(ref))
		seen[pulledAs(ref)] = true
	}
	assert.Len(t, seen, 3)
}

func TestABootstrapThatIsCutOffLeavesNoMountsAndNoFiles(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 || runtime.GOOS != "linux" {
		t.Skip("only root's bootstrap mounts anything")
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	require.NoError(t, (&Builder{}).installMmdebstrap(ctx))
	cmd := bootstrapCommand(ctx, Suites()[0])
	tmp := t.TempDir()
	cmd.Env = append(os.Environ(), "TMPDIR="+tmp)
	require.NoError(t, cmd.Start())
	mounted := func() (inside, outside bool) {
		all, _ := filepath.Glob("/proc/[0-9]*/mountinfo")
		own, _ := os.ReadFile("/proc/self/mountinfo")
		for _, path := range all {
			data, _ := os.ReadFile(path) // of processes that come and go
			inside = inside || strings.Contains(string(data), tmp)
		}
		return inside, strings.Contains(string(own), tmp)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	// It loads and unpacks first, which takes as long as the host takes.
	for inside := false; !inside; inside, _ = mounted() {
		select {
		case err := <-ended:
			require.Fail(t, "it mounts nothing: then nothing of this is seen", "it ended: %v", err)
		case <-time.After(100 * time.Millisecond):
		}
	}
	_, outside := mounted()
	assert.False(t, outside, "its mounts are the host's as well")
	cancel()
	assert.Error(t, <-ended)
	left, err := os.ReadDir(tmp)
	require.NoError(t, err)
	assert.Empty(t, left)
}
