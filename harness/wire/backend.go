package wire

import (
	"context"

	"bootrace/harness/machine"
	"bootrace/harness/machine/container"
	"bootrace/harness/subject"
	"bootrace/images"
)

// Backend is a way to run machines on this host, and all that is seen of it outside
// its own package.
type Backend interface {
	machine.Backend   // boots, attaches
	subject.Installer // bakes
	// Builder makes the images that its machines boot. step is told what is being
	// made; it may be nil.
	Builder(root, cache string, step func(what string)) *images.Builder
	// Examine boots an image to basic.target, runs a command in it, and returns what
	// that printed.
	Examine(ctx context.Context, name, image string, command []string) ([]byte, error)

	// Leftovers lists what runs left behind whose process is gone, kept machines
	// included; Sweep removes those that are wanted away.
	Leftovers(ctx context.Context) ([]machine.Leftover, error)
	Sweep(ctx context.Context, wanted func(machine.Leftover) bool) (removed int, err error)
	// Remaining counts what a run still has, living or not.
	Remaining(ctx context.Context, run string) (int, error)

	// Ping asks whether it is there at all.
	Ping(ctx context.Context) error
	// Doctor looks at all that machines need of their host; recordings go below state.
	Doctor(ctx context.Context, state string) []machine.Finding
	// Room is how many machines may run at once: what was asked for, within what their
	// host carries, else (0) what it carries well. Where the host's limit is too low for what
	// is wanted it is raised. The error says what is not known of the host.
	Room(ctx context.Context, cloudImage string, asked, wanted int) (machine.Room, error)
	// Cores is how many processors their host has.
	Cores(ctx context.Context) (int, error)
}

// Connect opens the backend. owner is a file that this process keeps locked
// (machine.Own): once it is not, Sweep takes what was started for abandoned; empty,
// for looking and cleaning. With an error the backend can say what ails the host
// (Doctor), and nothing else.
func Connect(ctx context.Context, owner string) (Backend, error) {
	return container.Connect(ctx, owner)
}
