package process

import (
	"os"
	"strconv"
	"strings"
)

// Anonymous is how many bytes the processes of a unit have in memory that no file is
// behind (RssAnon, proc(5)): what a limit without swap cannot take back from them.
func Anonymous(unit string) (int64, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0, err
	}
	var sum int64
	for _, e := range entries {
		dir := "/proc/" + e.Name()
		if _, err := strconv.Atoi(e.Name()); err != nil || Unit(dir) != unit {
			continue
		}
		status, err := os.ReadFile(dir + "/status")
		if err != nil {
			continue // it has ended
		}
		sum += anonymous(string(status))
	}
	return sum, nil
}

// anonymous is RssAnon of /proc/PID/status, in bytes; a process that ends has none.
func anonymous(status string) int64 {
	for line := range strings.Lines(status) {
		if value, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			kilobytes, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			return kilobytes << 10
		}
	}
	return 0
}
