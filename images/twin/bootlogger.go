package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/coreos/go-systemd/v22/journal"

	"bootrace/images/inside/envfile"
	"bootrace/images/inside/process"
)

func bootLogger(ctx context.Context, stdout io.Writer) error {
	w, err := newWatch(envfile.Dir)
	if err != nil {
		return err
	}
	defer w.close()
	present, err := os.ReadDir(envfile.Dir)
	if err != nil {
		return err
	}
	names := []string{""} // the directory itself
	for _, file := range present {
		names = append(names, file.Name())
	}
	for _, name := range names {
		w.follow(name)
		if err := report(change{name: name, op: "present", at: process.Monotonic()}); err != nil {
			return err
		}
	}
	errs := make(chan error, 2)
	go func() { errs <- w.run(report) }()
	go func() {
		if err := watchWhatDoesNotLast(); err != nil {
			errs <- err
		}
	}()
	lines := make(chan error, 1)
	go func() { lines <- logLines(ctx, stdout, "boot-logger", "still booting or running") }()
	select {
	case err := <-errs:
		return err
	case err := <-lines:
		return err
	}
}

// report sends one change to the journal by its native protocol, with names and
// digests in place of values: the recording must not hold a secret.
func report(c change) error {
	path := filepath.Join(envfile.Dir, c.name)
	state := envfile.Inspect(path)
	vars := map[string]string{
		"SYSLOG_IDENTIFIER": "boot-logger",
		"BOOTRACE_EVENT":    "env-file",
		"BOOTRACE_MONO":     strconv.FormatInt(c.at.Nanoseconds(), 10),
		"BOOTRACE_PATH":     path,
		"BOOTRACE_OP":       c.op,
		"BOOTRACE_SIZE":     strconv.FormatInt(state.Size, 10),
		"BOOTRACE_MODE":     fmt.Sprintf("%04o", state.Mode),
		"BOOTRACE_UID":      strconv.Itoa(state.UID),
		"BOOTRACE_OTHERS":   state.Others,
		"BOOTRACE_VARS":     state.Vars,
		"BOOTRACE_WHOLE":    state.Whole,
	}
	if err := journal.Send(fmt.Sprintf("%s: %s, %d bytes", path, c.op, state.Size), journal.PriInfo, vars); err != nil {
		return fmt.Errorf("report %s of %s to the journal: %w", c.op, path, err)
	}
	return nil
}
