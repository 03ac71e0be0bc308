package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDigestsTellValuesApartWithoutShowingThem(t *testing.T) {
	tests := []struct {
		name, text, want string
	}{
		{"an empty value", "A=\n", "A=-"},
		{"quotes are not part of the value", "A=\"x\"\nB=x\nC='x'\n", "A=2d711642,B=2d711642,C=2d711642"},
		{"comments and junk are passed over", "# A=1\n;B=2\njunk\nC=x\n", "C=2d711642"},
		{"the last assignment counts", "A=x\nA=\n", "A=-"},
		{"an escaped quote is the quote", `A="a\"b"` + "\n" + `B='a"b'` + "\n", "A=" + digest8(`a"b`) + ",B=" + digest8(`a"b`)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, digestVars(envAssignments(tt.text)))
		})
	}
}

func TestWatchTellsReplacedFromWrittenInPlace(t *testing.T) {
	dir := t.TempDir()
	w, err := newWatch(dir)
	require.NoError(t, err)
	events := make(chan change, 64)
	go func() {
		_ = w.run(func(c change) error { events <- c; return nil })
	}()
	path := filepath.Join(dir, "vector.env")
	ops := func(last string) []string {
		var got []string
		for {
			select {
			case c := <-events:
				got = append(got, c.op)
				if c.op == last {
					return got
				}
			case <-time.After(10 * time.Second):
				t.Fatalf("no %s event within 10 s; seen: %v", last, got)
			}
		}
	}
	require.NoError(t, os.WriteFile(path, []byte("A=1\n"), 0o600))
	assert.Equal(t, []string{"create", "modify", "close"}, ops("close"))

	require.NoError(t, os.WriteFile(filepath.Join(dir, ".vector.env123"), []byte("A=2\n"), 0o600))
	require.NoError(t, os.Rename(filepath.Join(dir, ".vector.env123"), path))
	assert.Equal(t, []string{"rename"}, ops("rename"), "the temporary file is nobody's business")

	require.NoError(t, os.Remove(path))
	assert.Equal(t, []string{"remove"}, ops("remove"))
}

func TestLinesAreNumberedWithoutGaps(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	pr, pw := io.Pipe()
	go func() { _ = pw.CloseWithError(logLines(ctx, pw, "boot-logger", "text")) }()
	in := bufio.NewScanner(pr)
	for want := 1; want <= 3; want++ {
		require.True(t, in.Scan())
		var l line
		require.NoError(t, json.Unmarshal(in.Bytes(), &l))
		assert.Equal(t, want, l.Seq)
		assert.GreaterOrEqual(t, l.LateUS, int64(0))
	}
}

func TestTheMachinesOwnPressureIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cpu.pressure")
	assert.Nil(t, fullTotal(path), "a kernel without PSI")
	require.NoError(t, os.WriteFile(path, []byte("some avg10=1.73 avg60=1.15 avg300=0.29 total=949258\nfull avg10=1.13 avg60=0.75 avg300=0.19 total=624877\n"), 0o600))
	got := fullTotal(path)
	require.NotNil(t, got)
	assert.EqualValues(t, 624877, *got)
	for _, text := range []string{"", "some avg10=0.00 avg60=0.00 avg300=0.00 total=1\n", "full total=much\n"} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		assert.Nil(t, fullTotal(path), text)
	}
}

func TestWorkerRegistersBeforeItLogs(t *testing.T) {
	var got map[string]string
	tries := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if tries++; tries == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		assert.Equal(t, "/v1/workers/register", r.URL.Path)
		_ = json.NewDecoder(r.Body).Decode(&got)
	}))
	defer srv.Close()
	env := map[string]string{"OPENSANDBOX_CONTROL_PLANE_URL": srv.URL, "OPENSANDBOX_WORKER_ID": "worker-1"}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	pr, pw := io.Pipe()
	go func() { _ = pw.CloseWithError(worker(ctx, func(k string) string { return env[k] }, pw)) }()
	in := bufio.NewScanner(pr)
	require.True(t, in.Scan())
	assert.Contains(t, in.Text(), "503", "the first try's error is logged")
	require.True(t, in.Scan())
	assert.Contains(t, in.Text(), `"seq":1`)
	assert.Equal(t, "worker-1", got["worker_id"])
}

func TestWorkerWithoutWorkerEnvSaysSo(t *testing.T) {
	err := worker(t.Context(), func(string) string { return "" }, io.Discard)
	require.ErrorContains(t, err, "worker.env has not been written")
}

func TestSearchFindsASecretHoweverWritten(t *testing.T) {
	value := "xaat-" + filepath.Base(t.TempDir()) + "/+?"
	secrets := map[string]string{"token": value}
	dir := t.TempDir()
	for name, data := range map[string]string{
		"plain": "a " + value + " b", "none": "nothing", "base64": string(forms(value)[2]), "query": "?t=" + string(forms(value)[1]),
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600))
	}
	found, err := searchFiles([]string{dir, filepath.Join(dir, "absent")}, bootTime(), secrets)
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{
		"token\t" + dir + "/plain\n", "token\t" + dir + "/base64\n", "token\t" + dir + "/query\n",
	}, found)

	found, err = searchFiles([]string{dir}, time.Now().Add(time.Hour), secrets)
	require.NoError(t, err)
	assert.Empty(t, found, "what is older than the boot cannot hold what is new in it")
}

func TestProcessesOfThisTestAreListedWithTheirStart(t *testing.T) {
	test := exec.CommandContext(t.Context(), "sleep", "60")
	test.Args = []string{"a\tname", "60"}
	require.NoError(t, test.Start())
	t.Cleanup(func() {
		_ = test.Process.Kill()
		_ = test.Wait()
	})
	file, err := filepath.EvalSymlinks(test.Path)
	require.NoError(t, err)
	row := fmt.Sprintf("(?m)^%d\t[^\t]*\t\\d+\t[^\t]*\ta name 60\t%s$", test.Process.Pid, file)
	// Its arguments can be seen a moment after its start.
	require.EventuallyWithT(t, func(t *assert.CollectT) {
		procs, _, err := listProcesses(nil, 0)
		if err != nil { // of others of this host, which are not the test's to read
			assert.Empty(t, ofOurs(err.Error()))
		}
		assert.Regexp(t, row, string(procs))
	}, 10*time.Second, 10*time.Millisecond)
	start := processStart("/proc/self")
	assert.Positive(t, start)
	assert.LessOrEqual(t, start, boottime())
}

func TestPackageVersion(t *testing.T) {
	const status = "Package: cloud-guest\nVersion: 1\n\nPackage: cloud-init\nStatus: install ok installed\nVersion: 25.1.4-1\n\n"
	assert.Equal(t, "25.1.4-1", packageVersion(status, "cloud-init"))
	assert.Empty(t, packageVersion(status, "cloud"))
}
