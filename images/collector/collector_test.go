package main

import (
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"bootrace/harness/recording"
	"bootrace/images/inside/process"
)

func TestSearchFindsASecretWhereverItLies(t *testing.T) {
	value := "xaat-" + filepath.Base(t.TempDir())
	wanted := recording.NewRedactor(map[string]string{"token": value})
	dir := t.TempDir()
	inner := filepath.Join(dir, "a root of its own")
	require.NoError(t, os.Mkdir(inner, 0o700))
	for name, data := range map[string]string{
		"plain": "a " + value + " b", "none": "nothing", "hex": hex.EncodeToString([]byte(value)), "a root of its own/b": value, "vector.env": value,
		"at a part's end": strings.Repeat(" ", part-5) + value,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600))
	}
	require.NoError(t, os.Chmod(filepath.Join(dir, "plain"), 0o644))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "for-"+value), 0o700))
	require.NoError(t, os.Symlink(value, filepath.Join(dir, "link")))
	require.NoError(t, os.Symlink(filepath.Join(dir, "plain"), filepath.Join(dir, "link to one")))
	want := []string{
		fileLeak("token", dir+"/plain, for others to read or change"), fileLeak("token", dir+"/hex"), fileLeak("token", inner+"/b"), fileLeak("token", dir+"/at a part's end"),
		fileLeak("token", "the name of "+dir+"/for-"+value), fileLeak("token", "the target of the link "+dir+"/link"),
	}
	for _, roots := range [][]string{{dir, filepath.Join(dir, "absent")}, {dir, inner}} {
		found, err := searchFiles(roots, bootTime(), wanted, []string{filepath.Join(dir, "vector.env")})
		require.NoError(t, err)
		assert.ElementsMatch(t, want, found, "each once")
	}
	found, err := searchFiles([]string{dir}, time.Now().Add(time.Hour), wanted, nil)
	require.NoError(t, err)
	found = slices.DeleteFunc(found, func(l string) bool { return strings.Contains(l, "\tthe ") }) // neither a name nor a link has an age
	assert.Empty(t, found, "what is older than the boot cannot hold what is new in it")
}

func TestSearchFindsASecretInAnExtendedAttribute(t *testing.T) {
	value := "xaat-" + filepath.Base(t.TempDir())
	path := filepath.Join(t.TempDir(), "f")
	require.NoError(t, os.WriteFile(path, []byte("nothing"), 0o600))
	if err := unix.Setxattr(path, "user.note", []byte("a "+value), 0); err != nil {
		t.Skipf("no such attributes here: %v", err)
	}
	found, err := searchFiles([]string{filepath.Dir(path)}, bootTime(), recording.NewRedactor(map[string]string{"token": value}), nil)
	require.NoError(t, err)
	assert.Equal(t, []string{fileLeak("token", "an extended attribute of "+path)}, found)
}

func TestWhatSystemdSaysIsSearched(t *testing.T) {
	value := "xaat-" + filepath.Base(t.TempDir())
	c := &collection{wanted: recording.NewRedactor(map[string]string{"token": value})}
	c.look([]byte("Version=257\nEnvironment=LANG=C TOKEN=" + value + "\n"))
	c.look([]byte("Id=a.service\nDescription=a\nStatusText=\n\nId=b.service\nDescription=with " + value + "\nStatusText=got " + value + "\n"))
	c.look([]byte("Id=c.service\nEnvironment=A=1 TOKEN=" + value + "\n"))
	assert.Equal(t, []string{fileLeak("token", "Environment= of the manager"), fileLeak("token", "Description= of b.service"), fileLeak("token", "StatusText= of b.service"), fileLeak("token", "Environment= of c.service")}, c.leaks)
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
		procs, _, err := listProcesses(recording.NewRedactor(nil), 0)
		if err != nil { // of others of this host, which are not the test's to read
			assert.Empty(t, ofOurs(err.Error()))
		}
		assert.Regexp(t, row, string(procs))
	}, 10*time.Second, 10*time.Millisecond)
	start := process.Start("/proc/self")
	assert.Positive(t, start)
	assert.LessOrEqual(t, start, process.Boottime())
}

func TestPackageVersion(t *testing.T) {
	const status = "Package: cloud-guest\nVersion: 1\n\nPackage: cloud-init\nStatus: install ok installed\nVersion: 25.1.4-1\n\n"
	assert.Equal(t, "25.1.4-1", packageVersion(status, "cloud-init"))
	assert.Empty(t, packageVersion(status, "cloud"))
}

func TestALimitIsWrittenAsSystemctlWritesIt(t *testing.T) {
	for want, n := range map[string]uint64{"10s": 10_000_000, "2min": 120_000_000, "infinity": math.MaxUint64, "0s": 0} {
		assert.Equal(t, want, propertyText("StartLimitIntervalUSec", godbus.MakeVariant(n)))
	}
}
