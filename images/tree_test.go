package images

import (
	"archive/tar"
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTreeHashSaysWhetherAnImageIsUpToDate(t *testing.T) {
	base := func() Tree {
		return Tree{"a": {Mode: 0o644, Data: []byte("one")}, "dir/b": {Mode: 0o755, Data: []byte("two")}}
	}
	tests := []struct {
		name   string
		change func(Tree)
		same   bool
	}{
		{"nothing changed", func(Tree) {}, true},
		{"another content", func(tr Tree) { tr["a"] = File{Mode: 0o644, Data: []byte("ONE")} }, false},
		{"another mode", func(tr Tree) { tr["a"] = File{Mode: 0o600, Data: []byte("one")} }, false},
		{"another name", func(tr Tree) { tr["c"] = tr["a"]; delete(tr, "a") }, false},
		{"one more file", func(tr Tree) { tr["c"] = File{Mode: 0o644} }, false},
		{"a link in a file's place", func(tr Tree) { tr["a"] = link("one") }, false},
		{"content moved over the border of two files", func(tr Tree) {
			tr["a"], tr["dir/b"] = File{Mode: 0o644, Data: []byte("onet")}, File{Mode: 0o755, Data: []byte("wo")}
		}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tree := base()
			tt.change(tree)
			assert.Equal(t, tt.same, base().Hash() == tree.Hash())
		})
	}
}

func TestTreeFromDiskBecomesATarOfTheSameFiles(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "etc"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "etc", "f"), []byte("text"), 0o640))
	require.NoError(t, os.Symlink("f", filepath.Join(dir, "etc", "l")))
	tree := Tree{}
	require.NoError(t, tree.Dir(dir, "rootfs"))
	data, err := tree.Tar()
	require.NoError(t, err)

	got := map[string]string{}
	r := tar.NewReader(bytes.NewReader(data))
	for {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		content, err := io.ReadAll(r)
		require.NoError(t, err)
		got[h.Name] = string(content) + h.Linkname
		assert.Zero(t, h.Uid, "root owns what is in an image")
	}
	assert.Equal(t, map[string]string{"rootfs/etc/f": "text", "rootfs/etc/l": "f"}, got)
}

// A storage that looks at size and time alone must see what replaces a file.
func TestFilesOfOneLengthDifferInTime(t *testing.T) {
	times := func(f File) int64 {
		data, err := Tree{"f": f}.Tar()
		require.NoError(t, err)
		h, err := tar.NewReader(bytes.NewReader(data)).Next()
		require.NoError(t, err)
		return h.ModTime.Unix()
	}
	one, other := File{Mode: 0o644, Data: []byte("Restart=on-abort")}, File{Mode: 0o644, Data: []byte("Restart=always  ")}
	assert.NotEqual(t, times(one), times(other))
	assert.Equal(t, times(one), times(one), "the same tree, the same layer")
	assert.NotEqual(t, times(File{Mode: fs.ModeSymlink | 0o777, Data: []byte("/a")}), times(File{Mode: fs.ModeSymlink | 0o777, Data: []byte("/b")}))
	assert.Less(t, times(other), time.Now().Unix())
}

func TestTreeKeepsWhatAFileIsBesideItsContent(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "var", "lib", "empty"), 0o755))
	require.NoError(t, os.Chmod(filepath.Join(dir, "var", "lib", "empty"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "helper"), nil, 0o755))
	require.NoError(t, os.Chmod(filepath.Join(dir, "helper"), 0o755|os.ModeSetuid))
	require.NoError(t, os.Mkdir(filepath.Join(dir, ".git"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".git", "index"), nil, 0o644))
	tree := Tree{}
	require.NoError(t, tree.Dir(dir, ""))
	data, err := tree.Tar()
	require.NoError(t, err)
	got := map[string]int64{}
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		got[h.Name] = h.Mode
	}
	assert.Equal(t, map[string]int64{"helper": 0o4755, "var/lib/empty/": 0o700}, got)
}

func TestTreeRefusesWhatIsNeitherFileNorLink(t *testing.T) {
	dir := t.TempDir()
	l, err := os.OpenFile(filepath.Join(dir, "f"), os.O_CREATE|os.O_RDWR, 0o600)
	require.NoError(t, err)
	require.NoError(t, l.Close())
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600))
	err = Tree{}.Dir(dir, "")
	require.ErrorContains(t, err, "pipe: neither a file nor a symbolic link")
}

func TestBuildOutcomeShowsTheLastLinesOfAFailedStep(t *testing.T) {
	log := `{"stream":"Step 1/2 : RUN false\n"}
{"stream":"cannot find the thing\n"}
{"errorDetail":{"code":1,"message":"the command returned 1"},"error":"the command returned 1"}
`
	err := buildOutcome(strings.NewReader(log))
	require.ErrorContains(t, err, "the command returned 1")
	require.ErrorContains(t, err, "cannot find the thing")
	require.NoError(t, buildOutcome(strings.NewReader(`{"stream":"done\n"}`)))
	require.Error(t, buildOutcome(strings.NewReader(`{"stream":"cut o`)), "a log that breaks off is no success")
}

func TestFindRoot(t *testing.T) {
	root, err := FindRoot(".")
	require.NoError(t, err)
	assert.FileExists(t, filepath.Join(root, "images", "base", "Dockerfile"))
	_, err = FindRoot(t.TempDir())
	require.ErrorContains(t, err, "run it from a clone")
}
