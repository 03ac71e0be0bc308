package container

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/moby/moby/client"
)

// Leftover is a container of ours that no living run owns.
type Leftover struct {
	ID, Name, Run string
	Kept          bool // --keep asked for it
	Worker        bool // the machine itself, not its cloud
}

// listTimeout bounds the listing of containers; of thousands it takes a second.
const listTimeout = 30 * time.Second

// Leftovers lists the containers of runs whose process is gone, kept machines
// included.
func (b *Backend) Leftovers(ctx context.Context) ([]Leftover, error) {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	list, err := b.Engine().ContainerList(ctx, client.ContainerListOptions{All: true, Filters: client.Filters{}.Add("label", labelRun)})
	if err != nil {
		return nil, fmt.Errorf("list our containers: %w", err)
	}
	var out []Leftover
	for _, c := range list.Items {
		l := Leftover{ID: c.ID, Run: c.Labels[labelRun], Worker: c.Labels[labelRole] == "worker"}
		if len(c.Names) > 0 {
			l.Name = strings.TrimPrefix(c.Names[0], "/")
		}
		l.Kept = strings.HasPrefix(l.Name, keptPrefix)
		// Another host's lock file cannot be seen from here.
		if l.Kept || (c.Labels[labelHost] == b.host && !Held(c.Labels[labelOwner])) {
			out = append(out, l)
		}
	}
	// Workers before the clouds whose namespaces they live in.
	slices.SortFunc(out, func(a, b Leftover) int {
		if a.Worker != b.Worker {
			if a.Worker {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	return out, nil
}

// Remaining counts the containers that a run still has, living or not.
func (b *Backend) Remaining(ctx context.Context, run string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	list, err := b.Engine().ContainerList(ctx, client.ContainerListOptions{All: true, Filters: client.Filters{}.Add("label", labelRun+"="+run)})
	if err != nil {
		return 0, fmt.Errorf("list the containers of run %s: %w", run, err)
	}
	return len(list.Items), nil
}

// NotKept is what the next run removes unasked.
func NotKept(l Leftover) bool { return !l.Kept }

// OfRun is everything that runs whose id begins so left behind, kept machines too.
func OfRun(id string) func(Leftover) bool {
	return func(l Leftover) bool { return strings.HasPrefix(l.Run, id) }
}

// Sweep removes those leftovers that are wanted away.
func (b *Backend) Sweep(ctx context.Context, wanted func(Leftover) bool) (removed int, err error) {
	left, err := b.Leftovers(ctx)
	if err != nil {
		return 0, err
	}
	var errs []error
	for _, l := range left {
		if !wanted(l) {
			continue
		}
		if err := remove(ctx, b.Engine(), l.ID); err != nil {
			errs = append(errs, err)
			continue
		}
		removed++
	}
	return removed, errors.Join(errs...)
}

// Held reports whether some process holds the file locked. The kernel lets go
// of a lock when its holder dies, however it dies.
func Held(file string) bool {
	f, err := os.Open(file)
	if err != nil {
		return false // its directory was cleaned up: nobody runs there
	}
	defer f.Close()
	return errors.Is(syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB), syscall.EWOULDBLOCK)
}
