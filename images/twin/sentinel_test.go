package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// notes is what a sentinel has written; a test reads it meanwhile.
type notes struct {
	mu   sync.Mutex
	text strings.Builder
}

func (n *notes) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.Write(p)
}

func (n *notes) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.String()
}

func TestASentinelSeesWhatDoesNotLast(t *testing.T) {
	var seen notes
	s, err := newSentinel(&seen)
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSYS) {
		t.Skipf("no fanotify here: %v", err)
	}
	require.NoError(t, err)
	go func() { _ = s.run() }()

	token := "xaat-" + strings.Repeat("0", 36)
	dir := t.TempDir()
	require.NoError(t, errors.Join(os.Chmod(dir, 0o755), os.Chmod(filepath.Dir(dir), 0o755)))
	hidden := filepath.Join(dir, "hidden")
	require.NoError(t, os.Mkdir(hidden, 0o700))
	// Another process: what it does itself a sentinel passes over.
	script := `cd "$0"
echo "a $1 b" > open; rm open
echo nothing > plain; rm plain
(umask 077; echo "$1" > mine; rm mine)
echo "$1" > hidden/open; rm hidden/open
mkdir -m 700 gone; echo "$1" > gone/open; rm -r gone
for i in 0 1 2 3 4 5 6 7 8 9; do /bin/true "moment-$i"; done
mkdir public hidden/tmp
unshare --mount sh -c 'mount --bind hidden/tmp public; echo "$0" > public/private; rm public/private' "$1"
exec sleep 1 # after the others`
	require.NoError(t, exec.CommandContext(t.Context(), "sh", "-c", script, dir, token).Run())

	// It sees the whole host, which is nothing to print.
	started := regexp.MustCompile(`\{"kind":"started","where":"arguments of process \d+ \([^)]*\) as it started","text":"sleep\\u00001\\u0000`)
	closed := `/open while it lasted, which others could read","text":"` + token + `"}`
	require.EventuallyWithT(t, func(t *assert.CollectT) {
		assert.True(t, strings.Contains(seen.String(), dir+closed), "the file that others could read")
		assert.True(t, started.MatchString(seen.String()), "the process that is gone soon")
		for i := range 10 {
			assert.True(t, strings.Contains(seen.String(), fmt.Sprintf(`moment-%d\u0000`, i)), "each that is gone at once: %d", i)
		}
	}, 20*time.Second, 10*time.Millisecond)
	for _, not := range []string{"plain", "mine", "hidden/open", "gone/open", "public/private"} {
		assert.False(t, strings.Contains(seen.String(), dir+"/"+not+" "), not)
	}
}
