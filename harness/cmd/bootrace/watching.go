package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"bootrace/scenarios"
)

// watched are the files that a run with --watch depends on, and that the user may edit.
func watched(f runFlags, names []string) ([]string, error) {
	paths := slices.Clone(f.subjects)
	for _, n := range names {
		if scenarios.IsFile(n) {
			paths = append(paths, n)
		}
	}
	if len(paths) == 0 {
		return nil, errors.New("--watch: expected a --subject DIR, or a scenario's file: nothing else is edited")
	}
	return paths, nil
}

// keepRunning runs, and runs again whenever a file below the paths has changed, until ctx ends:
// then with the code of the last run. A change that is made during a run counts as well.
func keepRunning(ctx context.Context, io streams, paths []string, once func(context.Context) error) error {
	for {
		before := stampOf(paths)
		err := once(ctx)
		if ctx.Err() != nil {
			return err
		}
		code := exitOK
		if err != nil {
			code = told(io, codeOf(err))
		}
		fmt.Fprintf(io.err, "\nwaiting for a change of %s; Ctrl-C ends\n", strings.Join(paths, ", "))
		if !change(ctx, paths, before) {
			return exitError{code: code}
		}
	}
}

// lookEvery is how often the files are looked at. They are not many, and inotify instances,
// which machines need, are few.
const lookEvery = 300 * time.Millisecond

// change waits until files differ from before, and then no longer from one look to the next: an
// editor or a build writes several.
func change(ctx context.Context, paths []string, before map[string]string) bool {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for last := before; ; {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
		now := stampOf(paths)
		if !maps.Equal(now, before) && maps.Equal(now, last) {
			return true
		}
		last = now
	}
}

// stampOf tells one state of the files from another. What cannot be read now is as if it were not there.
func stampOf(paths []string) map[string]string {
	out := map[string]string{}
	for _, p := range paths {
		_ = filepath.WalkDir(p, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return nil
			}
			if info, err := d.Info(); err == nil {
				out[path] = fmt.Sprint(info.ModTime().UnixNano(), info.Size(), info.Mode())
			}
			return nil
		})
	}
	return out
}
