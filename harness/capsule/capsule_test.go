package capsule

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/recording"
	"bootrace/images"
	"bootrace/results"
)

// token is of the form of Axiom's, and made here: it is in no file of ours.
func token(digit string) string {
	d := func(n int) string { return strings.Repeat(digit, n) }
	return "xa" + "at-" + d(8) + "-" + d(4) + "-" + d(4) + "-" + d(4) + "-" + d(12)
}

func gzipped(text string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.Bytes()
}

// contents are a case whose boot leaked its secret wherever it could.
func contents(t *testing.T) (Contents, recording.Redactor) {
	t.Helper()
	secrets := map[string]string{"ingest-token": token("7")}
	dir := filepath.Join(t.TempDir(), "recording")
	w, err := recording.Create(dir, secrets)
	require.NoError(t, err)
	leak := secrets["ingest-token"]
	for name, data := range map[string][]byte{
		recording.CaseFile:    []byte("version: 1\n"),
		recording.ConsoleFile: []byte("token " + leak + "\n" + base64.StdEncoding.EncodeToString([]byte(leak)) + "\n"),
		recording.JournalFile: gzipped(`{"MESSAGE":"` + leak + `"}` + "\n"),
		recording.CloudFile:   []byte(fmt.Sprintf("%x\n", leak)),
	} {
		require.NoError(t, w.Put(name, data))
	}
	require.NoError(t, w.Close(recording.Manifest{Case: "late@trixie#1"}))
	run := results.Run{
		Version: 1, ID: "r1", Subject: "mine", Dir: "/home/somebody/runs/r1", Bases: map[string]string{"trixie": "sha256:ba5e"},
		Request: &results.Request{Subjects: []string{"/home/somebody/mine"}, Vector: "stand-in:0.56"}, Versions: map[string]string{"bootrace": "v1"},
		Cases: []results.Case{{ID: "late@trixie#1", Scenario: "late", Base: "trixie", Subject: "mine", Hash: "abc", Verdict: "fail", Recording: dir, Kept: "docker exec x", Vector: "vector 0.56.0 (bootrace stand-in, not Vector)",
			Attempts: []results.Attempt{{Verdict: "invalid", Recording: "/home/somebody/other"}, {Verdict: "fail", Recording: dir}}}},
	}
	subject := images.Tree{
		"mine/subject.yaml":            {Mode: 0o644, Data: []byte("layers: [../common]\n")},
		"mine/rootfs/usr/bin/x":        {Mode: 0o755, Data: []byte("#!/bin/sh\n")},
		"mine/rootfs/etc/l":            {Mode: fs.ModeSymlink | 0o777, Data: []byte("/usr/bin/x")},
		`mine/rootfs/etc/a\x2db.mount`: {Mode: 0o600, Data: nil},
		"mine/files/link":              {Mode: fs.ModeSymlink | 0o777, Data: []byte("../rootfs/etc")},
		"common/rootfs/var/empty":      {Mode: fs.ModeDir | 0o700},
		"common/rootfs/usr/bin/setuid": {Mode: fs.ModeSetuid | 0o755, Data: []byte("x")},
		"common/rootfs/etc/unreadable": {Mode: 0, Data: []byte("y")},
	}
	return Contents{Run: run, Page: []byte("<html>"), Subject: subject, At: "mine", Made: time.Unix(1, 0)}, recording.NewRedactor(secrets)
}

func packed(t *testing.T, c Contents) []byte {
	t.Helper()
	var out bytes.Buffer
	_, err := Write(&out, c)
	require.NoError(t, err)
	return out.Bytes()
}

// open opens bytes as a capsule, in a directory that must be as empty afterwards as
// before when there is an error.
func open(t *testing.T, data []byte) (Capsule, error) {
	t.Helper()
	place := t.TempDir()
	file := filepath.Join(place, "c"+Suffix)
	require.NoError(t, os.WriteFile(file, data, 0o600))
	_, err := Open(file, filepath.Join(place, "in", "capsule"))
	require.Error(t, err, "its directory's parent must exist")
	require.NoError(t, os.Mkdir(filepath.Join(place, "in"), 0o700))
	c, err := Open(file, filepath.Join(place, "in", "capsule"))
	if err != nil {
		assert.ErrorContains(t, err, file)
		for dir, want := range map[string][]string{place: {"c" + Suffix, "in"}, filepath.Join(place, "in"): nil} {
			entries, readErr := os.ReadDir(dir)
			require.NoError(t, readErr)
			var names []string
			for _, e := range entries {
				names = append(names, e.Name())
			}
			assert.Equal(t, want, names, "nothing is left, and nothing was written elsewhere")
		}
	}
	return c, err
}

func TestACapsuleIsWhatWasPacked(t *testing.T) {
	t.Parallel()
	want, _ := contents(t)
	c, err := open(t, packed(t, want))
	require.NoError(t, err)
	got := images.Tree{}
	require.NoError(t, got.Dir(filepath.Join(c.At, subjectDir), ""))
	assert.Equal(t, want.Subject.Hash(), got.Hash(), "names, modes and contents are the same")
	assert.Equal(t, "mine", filepath.Base(c.SubjectDir()))
	_, m, err := recording.Open(c.Recording())
	require.NoError(t, err)
	assert.Equal(t, "late@trixie#1", m.Case)
	kase := c.Unpacked.Cases[0]
	assert.Equal(t, c.Recording(), kase.Recording)
	assert.Equal(t, kase.Recording, kase.Decided().Recording, "the boot that decided is found")
	assert.Equal(t, Recipe{Base: "trixie", BaseImage: "sha256:ba5e", Vector: "stand-in:0.56.0", Versions: map[string]string{"bootrace": "v1"}}, c.Recipe)
	record, err := os.ReadFile(filepath.Join(c.At, caseFile))
	require.NoError(t, err)
	assert.NotContains(t, string(record), "/home/somebody", "what is of this host stays here")
	assert.NotContains(t, string(record), want.Run.Cases[0].Recording)
}

func TestACapsuleHoldsNoSecret(t *testing.T) {
	t.Parallel()
	c, redactor := contents(t)
	data := packed(t, c)
	z, err := zstd.NewReader(bytes.NewReader(data))
	require.NoError(t, err)
	all, err := io.ReadAll(z)
	require.NoError(t, err)
	assert.Empty(t, redactor.Find(all))
	assert.Empty(t, redactor.Find(data))
	opened, err := open(t, data)
	require.NoError(t, err)
	for name := range opened.Files {
		file := filepath.Join(opened.At, name)
		if info, err := os.Lstat(file); err == nil && info.Mode().IsRegular() {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.Empty(t, redactor.Find(text), name)
		}
	}
	console, err := os.ReadFile(filepath.Join(opened.Recording(), recording.ConsoleFile))
	require.NoError(t, err)
	assert.Contains(t, string(console), "[secret:ingest-token]", "it had leaked")

	for name, text := range map[string]string{
		"a token of Axiom": "TOKEN=" + token("3") + "\n",
		"a private key":    "-----BEGIN " + "PRIVATE KEY-----\n" + strings.Repeat("A", 64) + "\n",
	} {
		c.Subject["mine/files/it"] = images.File{Mode: 0o600, Data: []byte(text)}
		_, err = Write(io.Discard, c)
		require.ErrorContains(t, err, "subject/mine/files/it has what looks like "+name)
		assert.NotContains(t, err.Error(), strings.TrimSpace(text), "nor is it told")
		c.Subject["mine/files/it"] = images.File{Mode: 0o600, Data: gzipped(text)}
	}
	delete(c.Subject, "mine/files/it")
	c.Subject["mine/files/it.gz"] = images.File{Mode: 0o600, Data: gzipped("TOKEN=" + token("3"))}
	_, err = Write(io.Discard, c)
	require.ErrorContains(t, err, "it.gz has what looks like")
}

func TestTheVectorThatRanIsAskedFor(t *testing.T) {
	t.Parallel()
	const standIn, real = "vector 0.56.0 (bootrace stand-in, not Vector)", "vector 0.57.0 (x86_64-unknown-linux-gnu abc)"
	for _, tt := range []struct{ asked, ran, want string }{
		{"auto", standIn, "stand-in:0.56.0"}, {"", real, "real:0.57.0"}, {"auto", real, "real:0.57.0"}, {"real", real, "real:0.57.0"},
		{"real:0.57.0", real, "real:0.57.0"}, {"some/image:1", real, "some/image:1"}, {"/home/x/vector.deb", real, ""}, {"auto", "unknown", ""},
	} {
		assert.Equal(t, tt.want, vector(&results.Request{Vector: tt.asked}, tt.ran), tt)
	}
	assert.Equal(t, "stand-in:0.56.0", vector(nil, standIn), "a museum says it by the program alone")
	assert.Empty(t, vector(nil, real))
}

func TestEveryBootOfTheMachineIsPacked(t *testing.T) {
	t.Parallel()
	c, _ := contents(t)
	kase := &c.Run.Cases[0]
	second := filepath.Join(t.TempDir(), "second")
	require.NoError(t, os.CopyFS(second, os.DirFS(kase.Recording)))
	kase.Attempts = []results.Attempt{{Verdict: "invalid", Number: 1, Recording: "/home/somebody/other"},
		{Verdict: "pass", Number: 1, Recording: second}, {Verdict: "fail", Number: 2, Recording: kase.Recording}}
	opened, err := open(t, packed(t, c))
	require.NoError(t, err)
	got := opened.Unpacked.Cases[0]
	assert.Len(t, got.Boots(), 2)
	for _, a := range got.Boots() {
		_, _, err := recording.Open(a.Recording)
		require.NoError(t, err, a.Number)
	}
	assert.Empty(t, got.Attempts[0].Recording, "what decided nothing is left out")
	assert.Equal(t, 2, got.Decided().Number)
}

func TestWhatIsNotPacked(t *testing.T) {
	t.Parallel()
	c, _ := contents(t)
	c.Subject, c.At = nil, ""
	opened, err := open(t, packed(t, c))
	require.NoError(t, err)
	assert.Empty(t, opened.SubjectDir(), "an image stays where it is")
	require.NoError(t, os.WriteFile(filepath.Join(c.Run.Cases[0].Recording, recording.ConsoleFile), []byte("other"), 0o600))
	_, err = Write(io.Discard, c)
	require.ErrorContains(t, err, "was changed after it was recorded")
}

// entry is a file of a tar as somebody may make it.
type entry struct {
	tar.Header
	data string
}
