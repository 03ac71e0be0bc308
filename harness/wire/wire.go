// Package wire puts together what a run needs: the engine, the images, the
// subject. The command and the tests that boot machines use it alike, so that
// what is tested is what is run.
//
//	lab, err := wire.Build(ctx, backend, wire.Options{Bases: []string{"trixie"}})
//	runner := lab.Runner(id, dir, store)
package wire

import (
	"context"
	"fmt"
	"runtime"

	"bootrace/harness/machine/container"
	"bootrace/harness/run"
	"bootrace/harness/subject"
	"bootrace/images"
)

// Options says what to build.
type Options struct {
	Root    string // the source tree; see images.FindRoot
	Cache   string // for built programs
	Bases   []string
	Subject string // directory; empty: this project's populator
	Vector  string // a real Vector; empty: the stand-in
	Step    func(what string)
}

// Lab is what machines are made of.
type Lab struct {
	Backend *container.Backend
	Subject subject.Subject
	Images  map[string]run.Images
}

// SubjectError is an error of the subject as it was given, not of the building.
type SubjectError struct{ Err error }

func (e SubjectError) Error() string { return e.Err.Error() }
func (e SubjectError) Unwrap() error { return e.Err }

// Build reads the subject and makes all images that are not there already.
func Build(ctx context.Context, b *container.Backend, o Options) (Lab, error) {
	builder := &images.Builder{Engine: b.Engine(), Root: o.Root, Cache: o.Cache, Step: o.Step}
	lab := Lab{Backend: b, Images: map[string]run.Images{}}
	var err error
	if o.Subject == "" {
		lab.Subject, err = subject.Populator(ctx, builder)
	} else if lab.Subject, err = subject.Read(o.Subject); err != nil {
		err = SubjectError{err}
	}
	if err != nil {
		return lab, err
	}
	azure, err := builder.Azure(ctx)
	if err != nil {
		return lab, err
	}
	for _, name := range o.Bases {
		base, err := builder.Base(ctx, name)
		if err != nil {
			return lab, err
		}
		worker, err := builder.Worker(ctx, base, azure, images.Vector{Source: o.Vector})
		if err != nil {
			return lab, err
		}
		baked, err := lab.Subject.Bake(ctx, builder, worker)
		if err != nil {
			return lab, fmt.Errorf("base %s: %w", name, err)
		}
		lab.Images[name] = run.Images{Worker: baked.ID, Control: worker.ID, Cloud: azure.ID}
	}
	return lab, nil
}

// Runner returns a runner for the lab's images that boots one machine a core at
// a time and has atOnce of them at most.
func (l Lab) Runner(id, dir string, store run.Store, atOnce int) *run.Runner {
	return &run.Runner{
		ID: id, Backend: l.Backend, Images: l.Images, Dir: dir, Store: store,
		Subject: run.Subject{Name: l.Subject.Name, Hash: l.Subject.Hash(), Units: l.Subject.Units},
		Booting: runtime.NumCPU(), Running: atOnce,
	}
}
