package container

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/client"

	"bootrace/harness/machine"
	"bootrace/images"
)

// listTimeout bounds the listing of containers; of thousands it takes a second.
const listTimeout = 30 * time.Second

// Leftovers lists the containers of runs whose process is gone, kept machines
// included.
func (b *Backend) Leftovers(ctx context.Context) ([]machine.Leftover, error) {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	list, err := b.Engine().ContainerList(ctx, client.ContainerListOptions{All: true, Filters: client.Filters{}.Add("label", images.LabelRun)})
	if err != nil {
		return nil, fmt.Errorf("list our containers: %w", err)
	}
	var out []machine.Leftover
	for _, c := range list.Items {
		l := machine.Leftover{ID: c.ID, Run: c.Labels[images.LabelRun], Worker: c.Labels[images.LabelRole] == "worker"}
		if len(c.Names) > 0 {
			l.Name = strings.TrimPrefix(c.Names[0], "/")
		}
		l.Kept = strings.HasPrefix(l.Name, keptPrefix)
		uid := c.Labels[images.LabelUID]
		l.Foreign = uid != "" && uid != b.own[images.LabelUID]
		owner := c.Labels[images.LabelOwner]
		switch {
		case l.Kept && (!l.Foreign || owner == ""): // by-hand.sh's have none
			out = append(out, l)
		// Another host's lock file cannot be seen from here.
		case c.Labels[images.LabelHost] == b.own[images.LabelHost] && machine.Abandoned(owner, l.Foreign):
			out = append(out, l)
		}
	}
	// Workers before the clouds whose namespaces they live in.
	slices.SortFunc(out, func(a, b machine.Leftover) int {
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
	list, err := b.Engine().ContainerList(ctx, client.ContainerListOptions{All: true, Filters: client.Filters{}.Add("label", images.LabelRun+"="+run)})
	if err != nil {
		return 0, fmt.Errorf("list the containers of run %s: %w", run, err)
	}
	return len(list.Items), nil
}

// Sweep removes those leftovers that are wanted away.
func (b *Backend) Sweep(ctx context.Context, wanted func(machine.Leftover) bool) (removed int, err error) {
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
