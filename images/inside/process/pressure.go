package process

import (
	"os"
	"strconv"
	"strings"
)

// ownPressure is the machine's own: other than the host's it does not grow when
// the machine's tasks wait for each other only. The kernel's
// Documentation/accounting/psi.rst, "Cgroup2 interface".
const ownPressure = "/sys/fs/cgroup/cpu.pressure"

// CPULost is for how long, in all, others have had the CPU while the machine's tasks wanted
// it, in microseconds; nil where the kernel does not tell.
func CPULost() *int64 { return fullTotal(ownPressure) }

// fullTotal reads the total of PSI's full line; nil if there is none.
func fullTotal(path string) *int64 {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	for l := range strings.Lines(string(data)) {
		if !strings.HasPrefix(l, "full ") {
			continue
		}
		_, total, _ := strings.Cut(strings.TrimSpace(l), "total=")
		if us, err := strconv.ParseInt(total, 10, 64); err == nil {
			return &us
		}
	}
	return nil
}
