package process

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestForHowLongAThreadSleeps(t *testing.T) {
	t.Parallel()
	const now = 100 * time.Second
	call := func(nr int, args ...uint64) string {
		text := fmt.Sprint(nr)
		for i := range 6 {
			arg := uint64(0)
			if i < len(args) {
				arg = args[i]
			}
			text += fmt.Sprintf(" %#x", arg)
		}
		return text + " 0x7ffd 0x7fc1"
	}
	forever := uint64(0xffffffffffffffff)
	for _, tt := range []struct {
		name, text string
		thread     bool // another than the main one
		want       time.Duration
		awake      bool // it does not wake by itself
	}{
		{name: "runs", text: "running", want: 0},
		{name: "another thread that runs", text: "running", thread: true, awake: true},
		{name: "nanosleep", text: call(unix.SYS_NANOSLEEP, 15), want: 15 * time.Second},
		{name: "clock_nanosleep, relative", text: call(unix.SYS_CLOCK_NANOSLEEP, 0, 0, 15), want: 15 * time.Second},
		{name: "clock_nanosleep, absolute", text: call(unix.SYS_CLOCK_NANOSLEEP, unix.CLOCK_MONOTONIC, 1, 120), want: 20 * time.Second},
		{name: "clock_nanosleep, absolute and past", text: call(unix.SYS_CLOCK_NANOSLEEP, unix.CLOCK_MONOTONIC, 1, 20), want: 0},
		{name: "ppoll", text: call(unix.SYS_PPOLL, 5, 1, 30), want: 30 * time.Second},
		{name: "ppoll for ever", text: call(unix.SYS_PPOLL, 5, 1, 0), awake: true},
		{name: "epoll_pwait", text: call(unix.SYS_EPOLL_PWAIT, 5, 5, 1, 1500), want: 1500 * time.Millisecond},
		{name: "epoll_pwait for ever", text: call(unix.SYS_EPOLL_PWAIT, 5, 5, 1, forever), awake: true},
		{name: "epoll_pwait for ever, as 32 bits", text: call(unix.SYS_EPOLL_PWAIT, 5, 5, 1, 0xffffffff), awake: true},
		{name: "pselect", text: call(unix.SYS_PSELECT6, 1, 0, 0, 0, 7), want: 7 * time.Second},
		{name: "a lock with a limit", text: call(unix.SYS_FUTEX, 1, futexWait, 0, 9), want: 9 * time.Second},
		{name: "a lock with a moment", text: call(unix.SYS_FUTEX, 1, 128+futexWaitBitset, 0, 130), want: 30 * time.Second},
		{name: "a lock for ever", text: call(unix.SYS_FUTEX, 1, futexWait, 0, 0), awake: true},
		{name: "a runtime's thread", text: call(unix.SYS_FUTEX, 1, futexWait, 0, 9), thread: true, awake: true},
		{name: "a read", text: call(unix.SYS_READ, 3, 4, 5), awake: true},
		{name: "no system call", text: "-1 0x7ffd 0x7fc1", awake: true},
		{name: "nothing", awake: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			seconds := func(address uint64) (unix.Timespec, bool) { return unix.Timespec{Sec: int64(address)}, true }
			got, ok := asleepFor(tt.text, !tt.thread, seconds, now)
			assert.Equal(t, !tt.awake, ok)
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestWhenARealProcessWakes(t *testing.T) {
	t.Parallel()
	if _, err := os.ReadFile("/proc/self/syscall"); err != nil {
		t.Skip("the kernel does not say in which system call a process is: ", err)
	}
	for _, tt := range []struct {
		name    string
		argv    []string
		atLeast time.Duration // 0: it does not wake
		atMost  time.Duration
	}{
		{"sleep counts from its start", []string{"sleep", "20"}, 10 * time.Second, 20 * time.Second},
		{"a shell waits for its child", []string{"sh", "-c", "sleep 30; true"}, 0, 0},
		{"who reads what never comes", []string{"cat"}, 0, 0},
		{"a time beyond the bound", []string{"sleep", "1h"}, 59 * time.Minute, time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			cmd := exec.CommandContext(ctx, tt.argv[0], tt.argv[1:]...)
			cmd.SysProcAttr = &unix.SysProcAttr{Setpgid: true}
			in, err := cmd.StdinPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			t.Cleanup(func() {
				_ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL)
				cancel()
				_ = in.Close()
				_ = cmd.Wait()
			})
			dir := fmt.Sprintf("/proc/%d", cmd.Process.Pid)
			require.EventuallyWithT(t, func(t *assert.CollectT) {
				now := Monotonic()
				at, ok := Wakes(dir)
				if assert.Equal(t, tt.atLeast > 0, ok) && ok {
					assert.GreaterOrEqual(t, at-now, tt.atLeast)
					assert.LessOrEqual(t, at-now, tt.atMost+50*time.Millisecond)
				}
			}, 10*time.Second, 20*time.Millisecond)
		})
	}
}

func TestSleepTime(t *testing.T) {
	t.Parallel()
	for arguments, want := range map[string]time.Duration{"15": 15 * time.Second, "0.5": 500 * time.Millisecond, "2m": 2 * time.Minute, "infinity": 0, "": 0} {
		assert.Equal(t, want, sleepTime([]string{arguments}), arguments)
	}
	assert.Equal(t, 61*time.Second, sleepTime([]string{"1m", "1"}))
}
