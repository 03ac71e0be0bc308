package container

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
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
	Foreign       bool // another user's
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
		uid := c.Labels[labelUID]
		l.Foreign = uid != "" && uid != b.uid
		owner := c.Labels[labelOwner]
		switch {
		case l.Kept && (!l.Foreign || owner == ""): // by-hand.sh's have none
			out = append(out, l)
		// Another host's lock file cannot be seen from here.
		case c.Labels[labelHost] == b.host && abandoned(look(owner), l.Foreign):
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

// NotKept is what the next run removes unasked: of its own user alone.
func NotKept(l Leftover) bool { return !l.Kept && !l.Foreign }

// OfRun is everything that this user's runs whose id begins so left behind, kept
// machines too.
func OfRun(id string) func(Leftover) bool {
	return func(l Leftover) bool { return !l.Foreign && strings.HasPrefix(l.Run, id) }
}

// OfAnyonesRun is OfRun of all users.
func OfAnyonesRun(id string) func(Leftover) bool {
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

// lock is what can be seen of a run's lock file.
type lock int

const (
	unseen lock = iota // it cannot be looked at, and may be held
	free
	held
	gone // there is no such file
)

// look looks at a lock file. The kernel lets go of a lock when its holder dies,
// however it dies.
func look(file string) lock {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return gone
	}
	if err != nil {
		return unseen // as a rule the state directory of another user
	}
	defer f.Close()
	switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB); {
	case err == nil:
		return free
	case errors.Is(err, syscall.EWOULDBLOCK):
		return held
	}
	return unseen
}

// abandoned: only a lock that is seen free is free. One's own state directory may
// have been removed, and nobody runs there then; another's may be where this
// process does not see it.
func abandoned(l lock, foreign bool) bool { return l == free || l == gone && !foreign }

// Held reports whether some process holds the file locked, or may.
func Held(file string) bool { return !abandoned(look(file), false) }
