package main

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/recording"
	"bootrace/images/inside/sightings"
)

// searchIn runs the collector's search and returns leaks.txt and why it is not
// to be believed.
func searchIn(t *testing.T, roots []string, secrets map[string]string) (leaks, missing string) {
	t.Helper()
	var out bytes.Buffer
	c := &collection{tar: tar.NewWriter(&out), missing: map[string]string{}}
	c.search(t.Context(), roots, secrets, recording.VectorConfig{})()
	c.addLeaks()
	require.NoError(t, c.tar.Close())
	files := map[string]string{}
	for r := tar.NewReader(&out); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		data, err := io.ReadAll(r)
		require.NoError(t, err)
		files[h.Name] = string(data)
	}
	leaks = files[recording.LeaksFile]
	assert.NotContains(t, leaks, "bootrace-canary/", "the value is not shown")
	// Others on this host may have canaries of their own.
	for _, found := range ourProcess.FindAllStringSubmatch(leaks, -1) {
		assert.NotContains(t, "\n"+files[recording.ProcessesFile], "\n"+found[1]+"\t", "the process of ours is not listed")
	}
	return leaks, c.missing[recording.LeaksFile]
}

// ofOurs leaves out what this host does not let its own root read, as in a
// container it may not read of PID 1: a test searches the host's processes, a
// collector those of its machine.
func ofOurs(missing string) string {
	return strings.TrimSpace(regexp.MustCompile(`(?m)^search: \d+ environments not read.*$`).ReplaceAllString(missing, ""))
}

var ourProcess = regexp.MustCompile(`(?m)^\(canary\)\tprocess (\d+) `)

func TestTheSearchProvesItselfInEachRootAndInProcesses(t *testing.T) {
	roots := []string{t.TempDir(), t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "absent")}
	leaks, missing := searchIn(t, roots, nil)
	assert.Empty(t, ofOurs(missing))
	assert.Equal(t, 5, strings.Count(leaks, recording.Canary+"\t"), "three files, arguments, environment: %s", leaks)
	assert.Len(t, ourProcess.FindAllString(leaks, -1), 2)
	for _, root := range roots[:3] {
		assert.Contains(t, leaks, recording.Canary+"\t"+root+"/")
		left, err := os.ReadDir(root)
		require.NoError(t, err)
		assert.Empty(t, left, "nothing of it is left behind")
	}
}

func TestASearchThatOverlooksItsCanaryIsNotBelieved(t *testing.T) {
	token := map[string]string{"token": "xaat-" + filepath.Base(t.TempDir())}
	t.Run("a root that is a link, into which no search goes", func(t *testing.T) {
		link := filepath.Join(t.TempDir(), "home")
		require.NoError(t, os.Symlink(t.TempDir(), link))
		_, missing := searchIn(t, []string{t.TempDir(), link}, token)
		assert.Contains(t, missing, "search: canary not found")
		assert.Contains(t, missing, link)
	})
	t.Run("a root that cannot be written to", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		require.NoError(t, os.WriteFile(file, nil, 0o600))
		_, missing := searchIn(t, []string{file}, nil)
		assert.Contains(t, missing, "search: canary not planted")
	})
	t.Run("a search that finds nothing at all", func(t *testing.T) {
		c, err := plantCanary(t.Context(), []string{t.TempDir()})
		require.NoError(t, err)
		defer c.remove()
		require.ErrorContains(t, c.missed(nil), "search: canary not found")
	})
	t.Run("a canary that was planted nowhere", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		c, err := plantCanary(ctx, nil)
		defer c.remove()
		require.ErrorContains(t, err, "search: canary not planted")
		require.ErrorContains(t, c.missed(nil), "planted nowhere")
	})
}

func TestWhatIsFoundIsReportedBesideTheCanary(t *testing.T) {
	token := "xaat-" + filepath.Base(t.TempDir())
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "bak"), []byte(token), 0o600))
	leaks, missing := searchIn(t, []string{dir}, map[string]string{"token": token})
	assert.Empty(t, ofOurs(missing))
	assert.Contains(t, leaks, "token\t"+dir+"/bak\n")
}

func TestThePlantedProcessMustBeSeenToStart(t *testing.T) {
	started := func(text string) sightings.Sighting {
		return sightings.Sighting{Kind: sightings.Started, Text: text}
	}
	assert.True(t, sighted([]sightings.Sighting{started("sleep\x001"), started("sh\x00bootrace-canary/1")}, "bootrace-canary/1"))
	assert.True(t, sighted([]sightings.Sighting{{Kind: sightings.Refused}}, "bootrace-canary/1"), "a rootless engine's machine")
	assert.False(t, sighted([]sightings.Sighting{started("sleep\x001"), {Kind: sightings.Closed, Text: "bootrace-canary/1"}}, "bootrace-canary/1"))
	assert.False(t, sighted(nil, "bootrace-canary/1"))
}
