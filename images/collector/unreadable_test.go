package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhatIsGoneWasReadAndWhatIsRefusedWasNot(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		errs []error
		want string // empty: all was read
	}{
		"nothing was met":              {nil, ""},
		"a process that has ended":     {[]error{fs.ErrNotExist}, ""},
		"one that ends as it is read":  {[]error{&fs.PathError{Op: "read", Path: "/proc/9/environ", Err: syscall.ESRCH}}, ""},
		"an access that is refused":    {[]error{syscall.EACCES}, "search: 1 things not read, first 0: permission denied"},
		"an operation not permitted":   {[]error{fs.ErrNotExist, syscall.EPERM, syscall.EACCES}, "search: 2 things not read, first 1: operation not permitted"},
		"a disk that cannot read":      {[]error{syscall.EIO}, "search: 1 things not read, first 0: input/output error"},
		"one refused, another is gone": {[]error{syscall.EACCES, syscall.ESRCH}, "search: 1 things not read"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := unreadable{what: "things"}
			for i, err := range tt.errs {
				u.add(fmt.Sprint(i), err)
				u.add(fmt.Sprint(i), err) // two files of the same process
			}
			if tt.want == "" {
				assert.NoError(t, u.err())
			} else {
				assert.ErrorContains(t, u.err(), tt.want)
			}
		})
	}
}

func TestLackingNamesTheCapabilityThatAMachineWasNotGiven(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		status string
		want   []string
	}{
		// The sets are those of a container of the engine's defaults and one capability more.
		"with SYS_ADMIN alone":          {"Name:\tx\nCapEff:\t00000000a82425fb\n", []string{"CAP_SYS_PTRACE"}},
		"with SYS_PTRACE as well":       {"CapEff:\t00000000a82c25fb\n", nil},
		"of a user":                     {"CapEff:\t0000000000000000\n", []string{"CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE"}},
		"that the kernel does not show": {"Name:\tx\n", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, lacking(tt.status))
		})
	}
}

const elsewhere = "BOOTRACE_TEST_ELSEWHERE"

// TestInAnotherUserNamespace is the other test's collector: root there, and nobody
// in particular to processes of here, by ptrace(2) on every kernel.
func TestInAnotherUserNamespace(t *testing.T) {
	dir := os.Getenv(elsewhere)
	if dir == "" {
		t.Skip("runs in a user namespace")
	}
	_, missing := searchIn(t, []string{dir}, map[string]string{"token": "xaat-" + filepath.Base(dir)})
	fmt.Printf("missing: %s\n", strings.ReplaceAll(missing, "\n", " "))
}

func TestASearchThatMayNotReadIsNotBelieved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	search := func() string {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestInAnotherUserNamespace$", "-test.v", "-test.count=1")
		cmd.Env = append(os.Environ(), elsewhere+"="+dir)
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}}
		out, err := cmd.CombinedOutput()
		if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) {
			t.Skipf("no user namespace here: %v", err)
		}
		require.NoError(t, err, string(out))
		return string(out)
	}
	said := search()
	assert.Regexp(t, `missing: .*environments not read, first process \d+ \(.*\): .*permi`, said, "this test's own process is one of them")
	assert.NotContains(t, said, "files not read")

	if os.Getuid() != 0 {
		t.Skip("a file of another user takes root to make")
	}
	secret := filepath.Join(dir, "of-another")
	require.NoError(t, os.WriteFile(secret, nil, 0o600))
	require.NoError(t, os.Chown(secret, 12345, 12345))
	assert.Contains(t, search(), "1 files not read, first "+secret)
}
