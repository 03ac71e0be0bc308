package main

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images/inside/process"
)

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
