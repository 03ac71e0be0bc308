package main

import (
	"fmt"
	"math"
	"os"
	"runtime"

	"bootrace/harness/machine/container"
	"bootrace/images"
)

// machineMB is what a machine and its cloud take at most while they run, with
// room for the moment at which Vector restarts (make bench measures it).
const machineMB = 120

// machinesPerCore is how many machines run at once without slowing each other: most
// of a boot is waiting. With 48 on two slow cores boots took a minute.
const machinesPerCore = 8

// atOnce is how many machines may run at once: what was asked for, within what
// the host's inotify limit carries (beyond it PID 1 hangs), else what memory and
// the processors hold too.
func atOnce(asked int) int {
	free, err := container.FreeMemoryMB()
	if err != nil {
		free = math.MaxInt // not known
	}
	return within(asked, container.InotifyRoom(), runtime.NumCPU(), free)
}

func within(asked, inotify, cores, freeMB int) int {
	if asked > 0 {
		return min(asked, inotify)
	}
	return min(inotify, machinesPerCore*cores, max(1, freeMB/machineMB))
}

// vectorSource is what was said of which Vector runs; empty: nothing.
func vectorSource(f runFlags) string {
	if f.vector != "" {
		return f.vector
	}
	return os.Getenv("VECTOR")
}

// chosenVector reads it.
func chosenVector(f runFlags) (images.Vector, error) {
	v, err := images.ParseVector(vectorSource(f))
	if err != nil {
		return v, fmt.Errorf("--vector %w (it may come from $VECTOR)", err)
	}
	return v, nil
}
