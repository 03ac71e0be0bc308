package vectorenv_test

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/populator/envfile"
	"bootrace/populator/vectorenv"
)

func realValues() map[string]string {
	return vectorenv.Complete(map[string]string{vectorenv.Token: rand.Text(), vectorenv.Dataset: "platform"})
}

func render(t *testing.T, values map[string]string) []byte {
	t.Helper()
	data, err := vectorenv.Render(values)
	require.NoError(t, err)
	return data
}

func TestRead(t *testing.T) {
	t.Parallel()
	with := func(name, value string) map[string]string {
		v := realValues()
		v[name] = value
		return v
	}
	for _, tc := range []struct {
		name   string
		values map[string]string
		kind   vectorenv.Kind
	}{
		{"credentials are real", realValues(), vectorenv.Real},
		{"the stub is a stub", vectorenv.Stub(), vectorenv.Placeholder},
		{"an empty token is no credential", with(vectorenv.Token, ""), vectorenv.None},
		{"an empty dataset is no credential", with(vectorenv.Dataset, ""), vectorenv.None},
		{"credentials for the stub's endpoint are a stub", with(vectorenv.URL, vectorenv.Stub()[vectorenv.URL]), vectorenv.Placeholder},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := vectorenv.File{Path: filepath.Join(t.TempDir(), "vector.env")}
			_, err := f.Write(render(t, tc.values))
			require.NoError(t, err)
			got := f.Read()
			require.NoError(t, got.Err)
			assert.Equal(t, tc.kind, got.Kind)
			assert.Equal(t, tc.values, got.Values)
		})
	}
	t.Run("no file is nothing", func(t *testing.T) {
		t.Parallel()
		assert.Equal(t, vectorenv.Contents{}, vectorenv.File{Path: filepath.Join(t.TempDir(), "vector.env")}.Read())
	})
	t.Run("what systemd would not load is nothing", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "vector.env")
		require.NoError(t, os.WriteFile(path, append(render(t, realValues()), "X=\xff\n"...), 0o600))
		got := vectorenv.File{Path: path}.Read()
		assert.Equal(t, vectorenv.None, got.Kind)
		assert.Error(t, got.Err)
	})
}

func TestTheStubHasEveryVariableOfTheRealFile(t *testing.T) {
	t.Parallel()
	for name := range realValues() {
		assert.Contains(t, vectorenv.Stub(), name)
	}
	// Vector waits for ever on a refused connection, and 1 s when told to stop.
	assert.NotContains(t, realValues(), vectorenv.URL)
	assert.NotContains(t, realValues(), vectorenv.ShutdownLimit)
}

func TestWrite(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "opensandbox", "vector.env")
	f := vectorenv.File{Path: path}
	data := render(t, realValues())

	changed, err := f.Write(data)
	require.NoError(t, err, "the directory is made")
	assert.True(t, changed)
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode())

	changed, err = f.Write(data)
	require.NoError(t, err)
	assert.False(t, changed, "the same bytes are not written again")
	again, err := os.Stat(path)
	require.NoError(t, err)
	assert.True(t, os.SameFile(info, again))

	require.NoError(t, os.Chmod(path, 0o644))
	changed, err = f.Write(data)
	require.NoError(t, err)
	assert.False(t, changed, "closing it to others changes nothing for Vector")
	info, err = os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode())

	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, entries, 1, "nothing is left beside it")
}

func TestAReaderNeverMeetsAPartOfTheFile(t *testing.T) {
	t.Parallel()
	f := vectorenv.File{Path: filepath.Join(t.TempDir(), "vector.env")}
	_, err := f.Write(render(t, vectorenv.Stub()))
	require.NoError(t, err)
	stop := make(chan struct{})
	var reader sync.WaitGroup
	reader.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				assert.NotEqual(t, vectorenv.None, f.Read().Kind)
			}
		}
	})
	for range 20 {
		_, err := f.Write(render(t, realValues()))
		require.NoError(t, err)
		_, err = f.Write(render(t, vectorenv.Stub()))
		require.NoError(t, err)
	}
	close(stop)
	reader.Wait()
}

func TestAFailedWriteLeavesTheOldFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	// A directory of that name cannot be replaced by a file.
	path := filepath.Join(dir, "vector.env")
	require.NoError(t, os.Mkdir(path, 0o755))
	_, err := vectorenv.File{Path: path}.Write(render(t, vectorenv.Stub()))
	require.Error(t, err)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 1, "the temporary file is gone")
}

func TestSweepRemovesOnlyWhatAKilledWriteLeft(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{".vector.env123", "vector.env", ".vector.env.swp", "worker.env", ".vector.env"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	require.NoError(t, vectorenv.File{Path: filepath.Join(dir, "vector.env")}.Sweep())
	var left []string
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		left = append(left, e.Name())
	}
	assert.Equal(t, []string{".vector.env", ".vector.env.swp", "vector.env", "worker.env"}, left)
	require.NoError(t, vectorenv.File{Path: filepath.Join(dir, "none", "vector.env")}.Sweep())
}

func TestRenderRefusesAValueByNameAndReason(t *testing.T) {
	t.Parallel()
	v := realValues()
	secret := rand.Text()
	v[vectorenv.MetricsToken] = secret + "\r\n"
	_, err := vectorenv.Render(v)
	var refused *envfile.RefusedError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, vectorenv.MetricsToken, refused.Name)
	assert.NotContains(t, err.Error(), secret)
}
