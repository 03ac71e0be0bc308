// Package process reads what proc(5) says of a machine's processes, and asks its
// programs.
package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Unit is the unit whose control group the process is in.
func Unit(dir string) string {
	data, err := os.ReadFile(dir + "/cgroup")
	if err != nil {
		return ""
	}
	for l := range strings.Lines(string(data)) {
		// cgroups(7): hierarchy-ID:controllers:path; 0 is the unified hierarchy.
		if path, ok := strings.CutPrefix(strings.TrimSpace(l), "0::"); ok {
			for p := path; p != "/" && p != "."; p = filepath.Dir(p) {
				if base := filepath.Base(p); strings.HasSuffix(base, ".service") || strings.HasSuffix(base, ".scope") {
					return Named(base)
				}
			}
			return strings.TrimPrefix(filepath.Base(path), "/")
		}
	}
	return ""
}

// stat is a field of /proc/PID/stat, of those that are numbers; 0: it is not known.
func stat(dir string, field int) int64 {
	data, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return 0
	}
	// proc(5): the name in parentheses may itself hold spaces and parentheses.
	_, rest, ok := strings.Cut(string(data[strings.LastIndexByte(string(data), ')')+1:]), " ")
	fields := strings.Fields(rest)
	const first = 3 // state
	if !ok || len(fields) <= field-first {
		return 0
	}
	n, err := strconv.ParseInt(fields[field-first], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// Parent is the process that started this one, or that took it over; 0: it is not known.
func Parent(dir string) int { return int(stat(dir, 4)) }

// userHZ is the unit of /proc/PID/stat; Linux shows 100 to user space on every
// architecture that it still runs on.
const userHZ = 100

// Start is field 22 of /proc/PID/stat as time since CLOCK_BOOTTIME's zero.
func Start(dir string) time.Duration {
	return time.Duration(stat(dir, 22)) * time.Second / userHZ
}

// Boottime is CLOCK_BOOTTIME, which Start counts by.
func Boottime() time.Duration { return clock(unix.CLOCK_BOOTTIME) }

// Monotonic is CLOCK_MONOTONIC, the clock that systemd's timestamps use and that
// a container shares with its host.
func Monotonic() time.Duration { return clock(unix.CLOCK_MONOTONIC) }

func clock(id int32) time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(id, &ts); err != nil {
		panic(err) // clock_gettime(2): cannot fail for a clock that Linux always has
	}
	return time.Duration(ts.Nano())
}

// AnswerWithin bounds each question: a PID 1 that hangs must not keep the rest of
// the recording from being saved.
const AnswerWithin = 8 * time.Second

// Output is what a program prints.
func Output(ctx context.Context, argv ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, AnswerWithin)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "SYSTEMD_COLORS=0", "LC_ALL=C.UTF-8")
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return out, fmt.Errorf("%s: no answer within %s", strings.Join(argv, " "), AnswerWithin)
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return out, fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, strings.TrimSpace(string(exit.Stderr)))
	}
	return out, err
}
