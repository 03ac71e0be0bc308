// Command twin is what of bootrace's own takes part in a boot: one static binary
// whose name decides what it is. The collector, which runs after it, is a program
// of its own (images/collector).
//
//	boot-logger         numbered log lines from the first second of the boot, and a
//	                    watch on /etc/opensandbox; runs in the control boot as well
//	opensandbox-worker  the worker's twin: registers with the control plane, then logs
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
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	err := run(ctx, filepath.Base(os.Args[0]), os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", filepath.Base(os.Args[0]), err)
		os.Exit(1)
	}
}

func run(ctx context.Context, name string, stdout io.Writer) error {
	switch name {
	case "boot-logger":
		return bootLogger(ctx, stdout)
	case "opensandbox-worker":
		return worker(ctx, os.Getenv, stdout)
	default:
		return errors.New("call it as boot-logger or opensandbox-worker")
	}
}
