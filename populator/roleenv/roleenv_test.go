package roleenv_test

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/populator/envfile"
	"bootrace/populator/roleenv"
)

const whole = "OPENSANDBOX_AZURE_KEY_VAULT_NAME=kv-prod\nOPENCOMPUTER_CELL_ID=cell-7\nOPENSANDBOX_REGION=westeurope\n"

func TestJudge(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name      string
		data      string
		unchanged time.Duration
		state     roleenv.State
		why       string
	}{
		{"a whole file that has settled is complete", whole, 100 * time.Millisecond, roleenv.Complete, ""},
		{"a whole file just written is not believed yet", whole, 99 * time.Millisecond, roleenv.HalfWritten, "still being written"},
		{"an empty file is never an answer", "", time.Hour, roleenv.HalfWritten, "empty"},
		{"only comments and blank lines are never an answer", "# role\n\n", time.Hour, roleenv.HalfWritten, "sets no variable"},
		{"a line without its end is not believed", "OPENSANDBOX_AZURE_KEY_VAULT_NAME=kv-pr", time.Second, roleenv.HalfWritten, "no end yet"},
		{"a last line without its end is believed in the end", strings.TrimSuffix(whole, "\n"), 30 * time.Second, roleenv.Complete, ""},
		{"no vault is not believed soon", "OPENSANDBOX_REGION=westeurope\n", 29 * time.Second, roleenv.HalfWritten, "names no vault yet"},
		{"no vault is believed in the end", "OPENSANDBOX_REGION=westeurope\n", 30 * time.Second, roleenv.NoVault, "names no vault"},
		{"an empty vault name is no vault", "OPENSANDBOX_AZURE_KEY_VAULT_NAME=\nA=1\n", 30 * time.Second, roleenv.NoVault, "names no vault"},
		{"a placeholder is not a vault's name", "OPENSANDBOX_AZURE_KEY_VAULT_NAME=@@VAULT@@\n", time.Hour, roleenv.HalfWritten, "not a vault's name"},
		{"a name that would change the URL is refused", "OPENSANDBOX_AZURE_KEY_VAULT_NAME=evil.example/x\n", time.Hour, roleenv.HalfWritten, "not a vault's name"},
		{"DOS line ends are line ends", strings.ReplaceAll(whole, "\n", "\r\n"), time.Second, roleenv.Complete, ""},
		{"what systemd would not load is not an answer", "A=\xff\n" + whole, time.Hour, roleenv.HalfWritten, "line 1"},
		{"a hole in the file is not an answer", whole + "\x00\x00\n", time.Hour, roleenv.HalfWritten, "NUL"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, roleenv.WorkerEnv)
			require.NoError(t, os.WriteFile(path, []byte(tc.data), 0o600))
			role, state, why := roleenv.Look(dir).Judge(tc.unchanged, roleenv.DefaultTiming())
			assert.Equal(t, tc.state, state, why)
			assert.Contains(t, why, tc.why)
			if state == roleenv.Complete {
				assert.Equal(t, roleenv.Role{Path: path, Vault: "kv-prod", CellID: "cell-7", Region: "westeurope"}, role)
			}
		})
	}
}

func TestLook(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		make  func(t *testing.T, dir string)
		found string // base name
		err   string
	}{
		{"nothing there", func(*testing.T, string) {}, "", ""},
		{"server.env alone", func(t *testing.T, dir string) { write(t, dir, roleenv.ServerEnv) }, roleenv.ServerEnv, ""},
		{"worker.env wins over server.env", func(t *testing.T, dir string) {
			write(t, dir, roleenv.ServerEnv)
			write(t, dir, roleenv.WorkerEnv)
		}, roleenv.WorkerEnv, ""},
		{"a directory is there and no answer", func(t *testing.T, dir string) {
			require.NoError(t, os.Mkdir(filepath.Join(dir, roleenv.WorkerEnv), 0o755))
			write(t, dir, roleenv.ServerEnv)
		}, roleenv.WorkerEnv, "a directory"},
		{"a named pipe does not hold the boot", func(t *testing.T, dir string) {
			require.NoError(t, syscall.Mkfifo(filepath.Join(dir, roleenv.WorkerEnv), 0o600))
		}, roleenv.WorkerEnv, "a named pipe"},
		{"a link to nothing is nothing", func(t *testing.T, dir string) {
			require.NoError(t, os.Symlink("nowhere", filepath.Join(dir, roleenv.WorkerEnv)))
		}, "", ""},
		{"a huge file is no role env", func(t *testing.T, dir string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, roleenv.WorkerEnv), make([]byte, 2<<20), 0o600))
		}, roleenv.WorkerEnv, "larger than"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			tc.make(t, dir)
			sight := roleenv.Look(dir)
			if tc.found == "" {
				assert.Empty(t, sight.Path)
				_, state, _ := sight.Judge(time.Hour, roleenv.DefaultTiming())
				assert.Equal(t, roleenv.Absent, state)
				return
			}
			assert.Equal(t, filepath.Join(dir, tc.found), sight.Path)
			if tc.err == "" {
				require.NoError(t, sight.Err)
				return
			}
			_, state, why := sight.Judge(time.Hour, roleenv.DefaultTiming())
			assert.Equal(t, roleenv.HalfWritten, state)
			assert.Contains(t, why, tc.err)
		})
	}
}

func TestTheStampChangesWithEachRewrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, roleenv.WorkerEnv)
	before := roleenv.Look(dir).Stamp
	assert.Equal(t, before, roleenv.Look(dir).Stamp)
	// sed -i writes a new file and renames it over the old one.
	write(t, dir, "sedX")
	require.NoError(t, os.Rename(filepath.Join(dir, "sedX"), filepath.Join(dir, roleenv.WorkerEnv)))
	assert.NotEqual(t, before, roleenv.Look(dir).Stamp)
}

func write(t *testing.T, dir, name string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(whole), 0o600))
}

// FuzzRead judges whatever a role env may hold. What is called complete is what
// systemd would load, and names a vault that can be asked.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		whole, strings.TrimSuffix(whole, "\n"), strings.ReplaceAll(whole, "\n", "\r\n"), "", "\n", "A=1\n", "A=\xff\n" + whole,
		"OPENSANDBOX_AZURE_KEY_VAULT_NAME=\"kv\\\n-prod\"\n", "OPENSANDBOX_AZURE_KEY_VAULT_NAME='kv-prod\n'\n",
		"OPENSANDBOX_AZURE_KEY_VAULT_NAME=a.b/c?d#e@f:1\n", "OPENSANDBOX_AZURE_KEY_VAULT_NAME=@@VAULT@@\n", whole + "\x00\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		sight := roleenv.Sight{Path: roleenv.WorkerEnv, Data: data}
		for _, unchanged := range []time.Duration{0, time.Second, time.Hour} {
			role, state, why := sight.Judge(unchanged, roleenv.DefaultTiming())
			if state != roleenv.Complete {
				assert.NotEmpty(t, why)
				continue
			}
			assert.Positive(t, unchanged, "nothing is believed at once")
			assert.True(t, unchanged > time.Minute || data[len(data)-1] == '\n', "a line without its end is not believed soon")
			env, err := envfile.Parse(data)
			require.NoError(t, err)
			assert.Equal(t, env[roleenv.VaultName], role.Vault)
			assert.Regexp(t, `^[0-9A-Za-z-]{3,24}$`, role.Vault)
			u, err := url.Parse("https://" + role.Vault + ".vault.azure.net")
			require.NoError(t, err)
			assert.Equal(t, role.Vault+".vault.azure.net", u.Host)
		}
	})
}
