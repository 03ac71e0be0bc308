package recording

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func newSecret() string {
	b := make([]byte, 12)
	_, _ = rand.Read(b)
	return "t-" + hex.EncodeToString(b)
}

func TestNoSecretReachesTheDisk(t *testing.T) {
	secret := newSecret()
	tests := []struct {
		name, text string
	}{
		{"as it is", "token=" + secret + "\n"},
		{"twice in a line", secret + " " + secret + "\n"},
		{"without a newline at the end", "last " + secret},
		{"base64", base64.StdEncoding.EncodeToString([]byte(secret)) + "\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "case")
			w, err := Create(dir, map[string]string{"token": secret})
			require.NoError(t, err)
			var seen string
			require.NoError(t, w.Stream(ConsoleFile, strings.NewReader(tt.text), func(l []byte) { seen += string(l) }))
			require.NoError(t, w.Put(UnitsFile, []byte(tt.text)))
			require.NoError(t, w.Close(Manifest{Case: "c"}))
			for _, name := range []string{ConsoleFile, UnitsFile, ManifestFile} {
				data, err := os.ReadFile(filepath.Join(dir, name))
				require.NoError(t, err)
				assert.NotContains(t, string(data), secret)
				assert.NotContains(t, string(data), base64.StdEncoding.EncodeToString([]byte(secret)))
				if name != ManifestFile {
					assert.Contains(t, string(data), "[secret:token]", "the leak is visible")
				}
			}
			assert.Contains(t, seen, "[secret:token]", "nor is it shown to the follower")
		})
	}
}

func TestRedactorFindsTheFormsAJournalHas(t *testing.T) {
	value := `p"q\r` + newSecret()
	r := NewRedactor(map[string]string{"token": value, "empty": ""})
	quoted, err := json.Marshal(map[string]string{"MESSAGE": "got " + value})
	require.NoError(t, err)
	numbers := make([]int, 0)
	for _, b := range []byte("\x01" + value) {
		numbers = append(numbers, int(b))
	}
	array, err := json.Marshal(map[string]any{"MESSAGE": numbers, "_PID": "1"})
	require.NoError(t, err)
	imds := "bootrace-imds-" + strings.Repeat("0a", 16)

	assert.Equal(t, `{"MESSAGE":"got [secret:token]"}`, string(r.JournalLine(quoted)))
	assert.JSONEq(t, `{"MESSAGE":"\u0001[secret:token]","_PID":"1"}`, string(r.JournalLine(array)))
	assert.Equal(t, "bearer [secret:imds-token]", string(r.Bytes([]byte("bearer "+imds+"-"))))
	assert.Equal(t, "nothing", string(r.Bytes([]byte("nothing"))), "an empty secret is nowhere")
	assert.Equal(t, `{"MESSAGE":[1,2]}`+"\n", string(r.JournalLine([]byte(`{"MESSAGE":[1,2]}`+"\n"))), "without a secret a line stays as it is")
}

func collection(t *testing.T, files ...string) *bytes.Buffer {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for i := 0; i < len(files); i += 2 {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: files[i], Size: int64(len(files[i+1])), Mode: 0o600}))
		_, err := io.WriteString(w, files[i+1])
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return &buf
}

func TestCollectionIsUnpackedAndKept(t *testing.T) {
	secret := newSecret()
	dir := filepath.Join(t.TempDir(), "case")
	w, err := Create(dir, map[string]string{"token": secret})
	require.NoError(t, err)
	collected, err := w.Collection(collection(t,
		CollectedJournal, `{"MESSAGE":"`+secret+`"}`+"\n",
		"../../outside", "x",
		CollectedMissing, `{"jobs.txt":"no answer"}`,
		CollectedVersions, `{"vector":"1"}`,
		CollectedClock, `{"mono":7,"realtime_us":8}`,
	))
	require.NoError(t, err)
	assert.Equal(t, Collected{Versions: map[string]string{"vector": "1"}, Clock: Clock{Mono: 7, Realtime: 8}}, collected)
	assert.FileExists(t, filepath.Join(dir, "outside"), "a name cannot leave the directory")
	require.NoError(t, w.Close(Manifest{Case: "c"}))

	files, m, err := Open(dir)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"jobs.txt": "no answer"}, m.Missing)
	assert.Equal(t, []string{"token"}, m.Secrets)
	zipped, err := fs.ReadFile(files, JournalFile)
	require.NoError(t, err)
	r, err := gzip.NewReader(bytes.NewReader(zipped))
	require.NoError(t, err)
	journal, err := io.ReadAll(r)
	require.NoError(t, err)
	assert.JSONEq(t, `{"MESSAGE":"[secret:token]"}`, string(journal))
}

func TestACollectionThatBreaksOffKeepsWhatCameBefore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "case")
	w, err := Create(dir, nil)
	require.NoError(t, err)
	whole := collection(t, UnitsFile, "Id=a.service\n", CollectedJournal, strings.Repeat("x", 4096))
	_, err = w.Collection(io.LimitReader(whole, 2000))
	require.Error(t, err)
	assert.FileExists(t, filepath.Join(dir, UnitsFile))
}

func TestOpenRefuses(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(dir string) error
		want  string
	}{
		{"a case that was cut off", func(dir string) error { return os.Remove(filepath.Join(dir, ManifestFile)) }, "cut off"},
		{"a changed file", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, UnitsFile), []byte("other"), 0o600)
		}, "units.txt was changed"},
		{"a lost file", func(dir string) error { return os.Remove(filepath.Join(dir, UnitsFile)) }, UnitsFile},
		{"a newer format", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, ManifestFile), fmt.Appendf(nil, `{"format":%d}`, Format+1), 0o600)
		}, "manifest.json: format 2, this program reads up to 1: a newer bootrace"},
		{"a newer form of a file", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, ManifestFile), []byte(`{"format":1,"files":{"journal.json.gz":{"version":2}}}`), 0o600)
		}, "journal.json.gz: version 2, this program reads up to 1: a newer bootrace"},
		{"a manifest of something else", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, ManifestFile), []byte(`{"files":{}}`), 0o600)
		}, "no recording's manifest"},
		{"garbage", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, ManifestFile), []byte("{"), 0o600)
		}, ManifestFile},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "case")
			w, err := Create(dir, nil)
			require.NoError(t, err)
			require.NoError(t, w.Put(UnitsFile, []byte("Id=a.service\n")))
			require.NoError(t, w.Close(Manifest{}))
			_, _, err = Open(dir)
			require.NoError(t, err)
			require.NoError(t, tt.spoil(dir))
			_, _, err = Open(dir)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestCreateNeverWritesIntoAnotherRecording(t *testing.T) {
	dir := t.TempDir()
	_, err := Create(dir, nil)
	require.ErrorIs(t, err, fs.ErrExist)
}

func TestAStreamIsReadToItsEndWhenTheDiskIsFull(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	require.NoError(t, err)
	defer full.Close()
	lines := 0
	err = copyLines(full, strings.NewReader("a\nb\n"), NewRedactor(nil), func([]byte) { lines++ })
	require.ErrorIs(t, err, syscall.ENOSPC)
	assert.Equal(t, 2, lines, "the boot must not stall because nobody reads its console")
}
