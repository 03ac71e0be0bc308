package capsule

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
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

// entries are those of a good capsule.
func entries(t *testing.T, data []byte) (m Manifest, out []entry) {
	t.Helper()
	z, err := zstd.NewReader(bytes.NewReader(data))
	require.NoError(t, err)
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return m, out
		}
		require.NoError(t, err)
		text, err := io.ReadAll(r)
		require.NoError(t, err)
		if h.Name == manifestFile {
			require.NoError(t, json.Unmarshal(text, &m))
			continue
		}
		out = append(out, entry{*h, string(text)})
	}
}

// forged is a capsule of those entries with that manifest.
func forged(t *testing.T, m any, list []entry) []byte {
	t.Helper()
	var out bytes.Buffer
	z, err := zstd.NewWriter(&out)
	require.NoError(t, err)
	w := tar.NewWriter(z)
	manifest, err := json.Marshal(m)
	require.NoError(t, err)
	for _, e := range append([]entry{{tar.Header{Name: manifestFile, Typeflag: tar.TypeReg}, string(manifest)}}, list...) {
		e.Header.Size = int64(len(e.data))
		if e.Typeflag != tar.TypeReg {
			e.Header.Size = 0
		}
		require.NoError(t, w.WriteHeader(&e.Header))
		if e.Typeflag == tar.TypeReg {
			_, err = w.Write([]byte(e.data))
			require.NoError(t, err)
		}
	}
	require.NoError(t, w.Close())
	require.NoError(t, z.Close())
	return out.Bytes()
}

func TestWhatIsWrongWithACapsuleIsSaid(t *testing.T) {
	t.Parallel()
	c, _ := contents(t)
	good := packed(t, c)
	_, err := open(t, forgedAs(t, good, func(*Manifest, *[]entry) {}))
	require.NoError(t, err, "what follows is refused for what is wrong with it alone")

	add := func(name string, f File, h tar.Header, data string) func(*Manifest, *[]entry) {
		return func(m *Manifest, list *[]entry) {
			of := data
			if h.Typeflag == tar.TypeSymlink {
				of = h.Linkname
			}
			f.Size, f.SHA256 = int64(len(of)), digest(of)
			m.Files[name] = f
			h.Name = name
			*list = append(*list, entry{h, data})
		}
	}
	regular, link := tar.Header{Typeflag: tar.TypeReg}, func(to string) tar.Header { return tar.Header{Typeflag: tar.TypeSymlink, Linkname: to} }
	symlink := File{Mode: fs.ModeSymlink | 0o777}
	for name, tt := range map[string]struct {
		forge func(*Manifest, *[]entry)
		says  string
	}{
		"a file was changed":           {func(_ *Manifest, l *[]entry) { (*l)[0].data += "x" }, "was changed after it was packed"},
		"a file was changed in length": {func(_ *Manifest, l *[]entry) { (*l)[0].data = "" }, "was changed after it was packed"},
		"a link was changed":           {func(_ *Manifest, l *[]entry) { (*l)[byName(*l, "subject/mine/rootfs/etc/l")].Linkname = "/etc/shadow" }, "was changed after it was packed"},
		"a file is missing":            {func(_ *Manifest, l *[]entry) { *l = (*l)[1:] }, "is missing"},
		"a file is in it twice":        {func(_ *Manifest, l *[]entry) { *l = append(*l, (*l)[0]) }, "is in it twice"},
		"a file is not in the manifest": {func(_ *Manifest, l *[]entry) {
			*l = append(*l, entry{tar.Header{Name: "x", Typeflag: tar.TypeReg}, ""})
		}, "not in its manifest"},
		"a path climbs out":       {add("../x", File{}, regular, "x"), "leads elsewhere"},
		"a path climbs out later": {add("recording/../../x", File{}, regular, "x"), "leads elsewhere"},
		"a path is absolute":      {add("/tmp/x", File{}, regular, "x"), "leads elsewhere"},
		"only the tar climbs out": {func(_ *Manifest, l *[]entry) {
			*l = append(*l, entry{tar.Header{Name: "../x", Typeflag: tar.TypeReg}, ""})
		}, "not in its manifest"},
		"a link leads out":      {add("subject/mine/files/out", symlink, link("../../../../etc"), ""), "leads elsewhere"},
		"a link is absolute":    {add("subject/mine/rootfs", symlink, link("/etc"), ""), "no directory of the capsule"},
		"the subject is a link": {add("subject/other", symlink, link("/etc"), ""), "leads elsewhere"},
		"a file lies behind a link": {func(m *Manifest, l *[]entry) {
			add("subject/mine/rootfs/out", symlink, link("/tmp"), "")(m, l)
			add("subject/mine/rootfs/out/x", File{}, regular, "x")(m, l)
		}, "which is no directory of the capsule"},
		"a link is in the recording": {add("recording/l", symlink, link("x"), ""), "no regular file"},
		"a device":                   {add("subject/mine/rootfs/d", File{Mode: fs.ModeDevice}, tar.Header{Typeflag: tar.TypeChar}, ""), "neither a file nor"},
		"another type than it says":  {add("subject/mine/rootfs/d", File{}, tar.Header{Typeflag: tar.TypeDir}, ""), "of another type"},
		"the subject lies elsewhere": {func(m *Manifest, _ *[]entry) { m.Subject.Dir = "../.." }, "not below subject"},
		"more than any case has":     {func(m *Manifest, _ *[]entry) { m.Files["x"] = File{Size: 1 << 50} }, "bytes"},
		"a negative size":            {func(m *Manifest, _ *[]entry) { m.Files["x"] = File{Size: -1} }, "bytes"},
		"no recording":               {func(m *Manifest, _ *[]entry) { delete(m.Files, "recording/manifest.json") }, "names no recording/manifest.json"},
		"a newer version":            {func(m *Manifest, _ *[]entry) { m.Format = Format + 1 }, "a newer bootrace made it"},
		"no version":                 {func(m *Manifest, _ *[]entry) { m.Format = 0 }, "it is no capsule"},
		"no case": {func(m *Manifest, l *[]entry) {
			i := byName(*l, caseFile)
			(*l)[i].data = "{}"
			f := m.Files[caseFile]
			f.Size, f.SHA256 = 2, digest("{}")
			m.Files[caseFile] = f
		}, "expected one case"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := open(t, forgedAs(t, good, tt.forge))
			require.ErrorContains(t, err, tt.says)
		})
	}
	// What is newer may say all of it otherwise.
	_, err = open(t, forged(t, map[string]any{"format": 9, "files": []int{1}}, nil))
	require.ErrorContains(t, err, "a newer bootrace made it")
}

func forgedAs(t *testing.T, good []byte, forge func(*Manifest, *[]entry)) []byte {
	t.Helper()
	m, list := entries(t, good)
	m.Files = maps.Clone(m.Files)
	forge(&m, &list)
	return forged(t, m, list)
}

func byName(list []entry, name string) int {
	return slices.IndexFunc(list, func(e entry) bool { return e.Name == name })
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func TestWhatIsNoCapsule(t *testing.T) {
	t.Parallel()
	var other, tarOnly bytes.Buffer
	z, err := zstd.NewWriter(&other)
	require.NoError(t, err)
	_, _ = z.Write([]byte(strings.Repeat("no tar at all\n", 100)))
	require.NoError(t, z.Close())
	w := tar.NewWriter(&tarOnly)
	require.NoError(t, w.Close())
	for name, data := range map[string][]byte{
		"empty": nil, "a text": []byte("version: 1\nname: x\n"), "zstd of something else": other.Bytes(), "a tar": tarOnly.Bytes(), "gzip": gzipped("x"),
		"a capsule of other files": forged(t, map[string]string{"some": "json"}, nil),
	} {
		_, err := open(t, data)
		assert.ErrorContains(t, err, "no capsule", name)
	}
	_, err = Open(filepath.Join(t.TempDir(), "none"+Suffix), filepath.Join(t.TempDir(), "x"))
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestACutOrDamagedCapsuleIsNeverOpened(t *testing.T) {
	t.Parallel()
	c, _ := contents(t)
	good := packed(t, c)
	for cut := 0; cut < len(good); cut += 1 + len(good)/97 {
		_, err := open(t, good[:cut])
		require.Error(t, err, "cut after %d of %d bytes", cut, len(good))
	}
	for at := 0; at < len(good); at += 1 + len(good)/97 {
		bad := slices.Clone(good)
		bad[at] ^= 0x20
		opened, err := open(t, bad)
		if err == nil { // a bit that says nothing, as of a frame header: all is as it was
			_, want := entries(t, good)
			assert.Len(t, opened.Files, len(want))
		}
	}
}
