package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// processUnit is the unit whose control group the process is in.
func processUnit(dir string) string {
	data, err := os.ReadFile(dir + "/cgroup")
	if err != nil {
		return ""
	}
	for l := range strings.Lines(string(data)) {
		// cgroups(7): hierarchy-ID:controllers:path; 0 is the unified hierarchy.
		if path, ok := strings.CutPrefix(strings.TrimSpace(l), "0::"); ok {
			for p := path; p != "/" && p != "."; p = filepath.Dir(p) {
				if base := filepath.Base(p); strings.HasSuffix(base, ".service") || strings.HasSuffix(base, ".scope") {
					return base
				}
			}
			return strings.TrimPrefix(filepath.Base(path), "/")
		}
	}
	return ""
}

// userHZ is the unit of /proc/PID/stat; Linux shows 100 to user space on every
// architecture that it still runs on.
const userHZ = 100

// processStart is field 22 of /proc/PID/stat as time since CLOCK_BOOTTIME's zero.
func processStart(dir string) time.Duration {
	data, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return 0
	}
	// proc(5): the name in parentheses may itself hold spaces and parentheses.
	_, rest, ok := strings.Cut(string(data[strings.LastIndexByte(string(data), ')')+1:]), " ")
	fields := strings.Fields(rest)
	const starttime = 22 - 3 // the first field here is the third, state
	if !ok || len(fields) <= starttime {
		return 0
	}
	ticks, err := strconv.ParseInt(fields[starttime], 10, 64)
	if err != nil {
		return 0
	}
	return time.Duration(ticks) * time.Second / userHZ
}

func boottime() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		panic(err) // clock_gettime(2): as for CLOCK_MONOTONIC
	}
	return time.Duration(ts.Nano())
}
