package capsule

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

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
