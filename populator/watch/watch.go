// Package watch tells when it is worth looking at some files of a directory
// again. It says neither which nor what happened to them: who is told looks
// for himself, and a signal too many does no harm.
package watch

import (
	"context"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Files signals on the returned channel when one of names changes in dir, and
// every poll in any case: a directory that does not exist yet cannot be
// watched, inotify instances can be used up (fs.inotify.max_user_instances),
// and a directory that is replaced takes its watch with it. It ends with ctx.
func Files(ctx context.Context, dir string, names []string, poll time.Duration) <-chan struct{} {
	changes := make(chan struct{}, 1)
	go watch(ctx, dir, names, poll, changes)
	return changes
}

func watch(ctx context.Context, dir string, names []string, poll time.Duration, changes chan<- struct{}) {
	var events <-chan fsnotify.Event
	var errs <-chan error
	watcher, err := fsnotify.NewWatcher()
	if err == nil {
		defer watcher.Close()
		events, errs = watcher.Events, watcher.Errors
		_ = watcher.Add(dir)
	}
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	signal(changes) // whatever happened before the watch began
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-events:
			if !ok {
				events = nil
				continue
			}
			if slices.Contains(names, filepath.Base(e.Name)) {
				signal(changes)
			}
		case _, ok := <-errs:
			if !ok {
				errs = nil
				continue
			}
			signal(changes) // a queue that overflowed has lost events
		case <-ticker.C:
			if watcher != nil {
				_ = watcher.Add(dir) // again, it may be another directory by now
			}
			signal(changes)
		}
	}
}

func signal(changes chan<- struct{}) {
	select {
	case changes <- struct{}{}:
	default: // one is waiting already
	}
}
