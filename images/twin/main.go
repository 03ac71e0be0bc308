// Command twin is everything of bootrace's own that is inside a worker image:
// one static binary whose name decides what it is.
//
//	boot-logger         numbered log lines from the first second of the boot, and a
//	                    watch on /etc/opensandbox; runs in the control boot as well
//	opensandbox-worker  the worker's twin: registers with the control plane, then logs
//	bootrace-collect    run once by the harness when a case has ended: writes what is
//	                    only to be had inside the machine to stdout as a tar stream
//
// It is not under test, and is kept small so that it does not disturb what is.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	err := run(ctx, filepath.Base(os.Args[0]), os.Stdin, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", filepath.Base(os.Args[0]), err)
		os.Exit(1)
	}
}

func run(ctx context.Context, name string, stdin io.Reader, stdout io.Writer) error {
	switch name {
	case "boot-logger":
		return bootLogger(ctx, stdout)
	case "opensandbox-worker":
		return worker(ctx, os.Getenv, stdout)
	case "bootrace-collect":
		return collect(ctx, stdin, stdout)
	default:
		return errors.New("call it as boot-logger, opensandbox-worker or bootrace-collect")
	}
}

// monotonic is CLOCK_MONOTONIC, the clock that systemd's timestamps use and
// that a container shares with its host.
func monotonic() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic(err) // clock_gettime(2): cannot fail for a clock that Linux always has
	}
	return time.Duration(ts.Nano())
}
