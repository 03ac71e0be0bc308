// Package machine says what a machine is: one running boot of one worker image
// beside its own cloud. How it runs is a backend's business; nothing here, or in
// what uses it, knows an engine.
//
//	m, err := backend.Start(ctx, spec)
//	defer m.Remove(cleanupCtx)
//	go io.Copy(consoleLog, m.Console())
package machine

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"time"
)

// Spec is what a machine is made of.
type Spec struct {
	Run         string // the run's id
	Name        string // the machine's name, unique within the run
	WorkerImage string // image ID or reference of the image that boots
	CloudImage  string // image ID or reference of its cloud
	CloudConfig []byte // the cloud's configuration (images/azure)
	// Files are put into the worker's file system before it boots.
	Files []File
}

// File is one file of a machine, owned by root.
type File struct {
	Path string // absolute
	Mode fs.FileMode
	Data []byte
}

// Backend runs machines.
type Backend interface {
	// Name is what results call it: container, vm.
	Name() string
	// Start returns when PID 1 of the worker has been started and its cloud
	// answers. What it started before an error it has removed again.
	Start(ctx context.Context, spec Spec) (Machine, error)
	// WatchHost gives a sample a second of the host on which machines run, a line of
	// host.jsonl each (harness/recording), until it is closed. It takes a cloud's image.
	WatchHost(ctx context.Context, run, cloudImage string) (io.ReadCloser, error)
	// ByHand is a shell script that does what Start does, and for each later boot what Down
	// and Up do, with the backend's own commands.
	ByHand(spec Spec, later ...Later) string
	// Shell is the command that opens a shell in the machine with that id.
	Shell(id string) []string
	// Versions names what the backend runs on (engine, kernel), for the record.
	Versions(ctx context.Context) (map[string]string, error)
}

// Machine is a running machine. Its two streams begin at the boot's beginning
// and end when the machine is gone; each may be read once.
type Machine interface {
	// ID is the name by which a person finds it with the backend's own tools.
	ID() string
	Console() io.Reader
	CloudLog() io.Reader
	// Exited is closed when PID 1 of the worker has ended by itself; ExitCode
	// then has its status.
	Exited() <-chan struct{}
	ExitCode() int
	// Collect runs the image's collector, which reads request and writes a tar
	// stream to w.
	Collect(ctx context.Context, request []byte, w io.Writer) error
	// CPU is how much of it the worker's processes have had since it was started.
	CPU(ctx context.Context) (time.Duration, error)
	// Down ends the boot, and the two streams: as a reboot does, which may take a while, or
	// at once, as a loss of power does.
	Down(ctx context.Context, how Ending) error
	// Up boots a machine that is down once more: its disk is as it was, what was in memory
	// is gone. The machine that it returns takes the place of this one, also to be removed;
	// after an error it is this one still.
	Up(ctx context.Context, next Next) (Machine, error)
	// Detach ends the two streams while the machine goes on.
	Detach()
	// Keep takes the machine out of all clean-up but the explicit one.
	Keep(ctx context.Context) error
	// Remove ends it at once and leaves nothing behind. It may be called twice.
	Remove(ctx context.Context) error
}

// Ending is how a boot ends before the next one.
type Ending int

// How a boot ends.
const (
	Reboot Ending = iota
	PowerLoss
)

// Next is what another boot of a machine differs by from the one before.
type Next struct {
	CloudConfig []byte // of its cloud, which is another one then
	Files       []File // put into the file system before it boots
}

// Later is a further boot, and how the one before ended.
type Later struct {
	After Ending
	Next
}

// SealError is an installation that was done and could not be sealed.
type SealError struct{ Err error }

func (e SealError) Error() string { return "seal the image: " + e.Err.Error() }
func (e SealError) Unwrap() error { return e.Err }

// ExitError is an installation whose command ended with another status than 0.
type ExitError struct{ Status int }

func (e ExitError) Error() string { return fmt.Sprintf("it exited %d", e.Status) }

// LateError is an installation whose command took longer than it may.
type LateError struct{ Within time.Duration }

func (e LateError) Error() string { return fmt.Sprintf("it did not end within %s", e.Within) }

// Install makes an image out of another one. It has no network but loopback.
type Install struct {
	Name  string // for people
	Image string // what to install into, ID or reference
	Files []byte // a tar stream, unpacked at /
	// Command runs in the booted system, as an image build does it; without one
	// nothing is booted.
	Command []string
	Env     []string
	Within  time.Duration // how long Command may take; 0: as long as it likes
	// Seal is a shell script that runs last, with nothing else running.
	Seal string
	Ref  string // the name of the image that comes out of it
	// Labels are the image's, given what Seal printed.
	Labels func(sealed string) map[string]string
}

// Room is how many machines a backend's host carries.
type Room struct {
	// AtOnce run without slowing each other on any host. Up to Ever run at once, the next one
	// whenever the host is calm.
	AtOnce, Ever int
	// Note is what was done to the host to make room, or what would have to be.
	Note string
}
