// Package wire puts together what a run needs: the engine, the images, the
// subject. The command and the tests that boot machines use it alike, so that
// what is tested is what is run.
//
//	backend, err := wire.Connect(ctx, owner)
//	lab, err := wire.Build(ctx, backend, wire.Options{Bases: []string{"trixie"}})
//	runner := lab.Runner(id, dir, store)
package wire

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"golang.org/x/sync/errgroup"

	"bootrace/harness/boot"
	"bootrace/harness/lint"
	"bootrace/harness/look"
	"bootrace/harness/machine"
	"bootrace/harness/run"
	"bootrace/harness/subject"
	"bootrace/images"
	"bootrace/results"
)

// Options says what to build.
type Options struct {
	Root     string // the source tree; see images.FindRoot
	Cache    string // for built programs
	Bases    []string
	Subjects []Given // none: this project's populator
	Image    string  // a worker image with the subject in it, instead of Subjects
	AsIs     bool    // images boot as they were left
	Vector   images.Vector
	Step     func(what string)
}

// Given is a subject as it was given.
type Given struct {
	Dir    string
	Name   string         // empty: the directory's
	Vector *images.Vector // nil: the one of Options
}

// Dirs are subjects that are named as their directories.
func Dirs(dirs ...string) []Given {
	var out []Given
	for _, dir := range dirs {
		out = append(out, Given{Dir: dir})
	}
	return out
}

// Of is a subject that names its Vector as --vector does; an empty one is the run's.
func Of(dir, name, vector string) (Given, error) {
	g := Given{Dir: dir, Name: name}
	if vector == "" {
		return g, nil
	}
	v, err := images.ParseVector(vector)
	if err != nil {
		return g, fmt.Errorf("subject %s: vector: %w", name, err)
	}
	g.Vector = &v
	return g, nil
}

// Lab is what machines are made of.
type Lab struct {
	Backend  Backend
	Names    []string // of the subjects, in the order given
	Subjects map[string]run.Subject
	Images   map[string]run.Images
	Bases    map[string]string      // by base, the id of the image that its workers are made of
	Vector   string                 // which one workers have, but for subjects that name theirs
	Given    []string               // digests of Options.Image
	Found    []results.ImageFinding // what lies in the images
	// Configs are, by base, the configuration that the stand-in plays of the first subject.
	Configs map[string]string

	cores int // of the machines' host
}

// SubjectError is an error of the subject as it was given, not of the building.
type SubjectError struct{ Err error }

func (e SubjectError) Error() string { return e.Err.Error() }
func (e SubjectError) Unwrap() error { return e.Err }

// Build reads the subjects and makes all images that are not there already.
func Build(ctx context.Context, b Backend, o Options) (Lab, error) {
	builder := b.Builder(o.Root, o.Cache, o.Step)
	lab := Lab{Backend: b, Images: map[string]run.Images{}, Subjects: map[string]run.Subject{}, Bases: map[string]string{}, Configs: map[string]string{}}
	var err error
	if lab.cores, err = b.Cores(ctx); err != nil {
		return lab, err
	}
	var subjects []under
	if o.Image == "" {
		if subjects, err = read(ctx, builder, o.Subjects); err != nil {
			return lab, err
		}
	}
	vector, err := builder.Vector(ctx, o.Vector)
	if err != nil {
		return lab, err
	}
	lab.Vector = vector.Name
	for i, s := range subjects {
		subjects[i].AsIs, s.AsIs = o.AsIs, o.AsIs // it is part of the hash
		lab.Names = append(lab.Names, s.Name)
		lab.Subjects[s.Name] = run.Subject{Hash: s.Hash(), Populator: s.Populator, Declared: s.Declared, Images: map[string]string{}, Undecided: map[string]string{}, Asks: map[string][]boot.Asked{}, Presets: map[string][]string{}, CredentialsWithin: s.CredentialsWithin}
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
		worker, err := builder.Worker(ctx, base, azure, vector)
		if err != nil {
			return lab, err
		}
		lab.Images[name], lab.Bases[name] = run.Images{Control: worker.ID, Cloud: azure.ID}, base.ID
		if o.Image != "" {
			printed, err := builder.Look(ctx, o.Image, look.Script())
			if err != nil {
				return lab, err
			}
			seen := look.Read(printed)
			given, units, digests, err := builder.Given(ctx, o.Image, azure, vector, seen.Kept(o.AsIs))
			if err != nil {
				return lab, err
			}
			if !o.AsIs {
				seen = seen.Repaired()
			}
			lab.found(o.Image, name, seen)
			lab.Names, lab.Given = []string{o.Image}, digests
			lab.Subjects[o.Image] = run.Subject{Hash: given.ID, Units: units, Images: map[string]string{name: given.ID}, Asks: map[string][]boot.Asked{name: seen.Asks}, Presets: map[string][]string{name: seen.Presets}}
			continue
		}
		baked := make([]bake, len(subjects))
		group, failed := errgroup.WithContext(ctx)
		group.SetLimit(min(max(1, lab.cores), bakesAtOnce))
		for i, s := range subjects {
			worker := worker
			if s.vector != nil { // the control boot keeps the run's
				if worker, err = withOwnVector(ctx, builder, base, azure, *s.vector); err != nil {
					err = fmt.Errorf("subject %s: %w", s.Name, err)
					break
				}
			}
			group.Go(func() (err error) {
				if err = failed.Err(); err == nil { // what is under way is not given up for another's failure
					baked[i].image, baked[i].units, err = s.Bake(ctx, builder, b, worker)
				}
				return err
			})
		}
		if err := cmp.Or(err, group.Wait()); err != nil {
			return lab, fmt.Errorf("base %s: %w", name, err)
		}
		for i, s := range subjects {
			subj, made := lab.Subjects[s.Name], baked[i].image
			subj.Images[name], subj.Units = made.ID, baked[i].units
			if seen, ok := look.Of(made.Labels); ok {
				subj.Asks[name], subj.Presets[name] = seen.Asks, seen.Presets
				lab.found(s.Name, name, seen)
			}
			if s.standIn(vector) {
				text, err := configuration(ctx, builder, made.ID)
				if err != nil {
					return lab, err
				}
				_, subj.Undecided[name] = lint.Vector(text)
				lab.Configs[name] = cmp.Or(lab.Configs[name], text)
			}
			lab.Subjects[s.Name] = subj
		}
	}
	return lab, nil
}

// found adds what was seen of an image.
func (l *Lab) found(subject, base string, seen look.Seen) {
	for _, f := range seen.Findings {
		l.Found = append(l.Found, results.ImageFinding{Subject: subject, Base: base, Name: f.Name, Problem: f.Level == look.Problem, Text: f.Text})
	}
}

// configuration is what the stand-in is to play, as it lies in the image: of what only a
// real Vector can tell, no boot would say more. An image may name another file, or make
// it when it boots; then the stand-in says so in the boot.
func configuration(ctx context.Context, b *images.Builder, image string) (string, error) {
	text, err := b.ReadFile(ctx, image, lint.VectorConfig)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return string(text), err
}

// under is a subject that was read.
type under struct {
	subject.Subject
	vector *images.Vector
}

// bakesAtOnce at most: an engine's commit keeps one core busy, an installer's machine
// boots, and a big host is no reason to boot dozens before anything is judged.
const bakesAtOnce = 4

// bake is a worker image with a subject in it, and the units that it brings.
type bake struct {
	image images.Image
	units []string
}

func withOwnVector(ctx context.Context, b *images.Builder, base, azure images.Image, v images.Vector) (images.Image, error) {
	own, err := b.Vector(ctx, v)
	if err != nil {
		return images.Image{}, err
	}
	return b.Worker(ctx, base, azure, own)
}

// standIn: what is played is the stand-in, by the run's choice or the subject's own.
func (u under) standIn(run images.VectorProgram) bool {
	if u.vector != nil {
		return u.vector.IsStandIn()
	}
	return run.IsStandIn()
}

// read returns the subjects as they were given; they must differ in name.
func read(ctx context.Context, b *images.Builder, given []Given) ([]under, error) {
	if len(given) == 0 {
		s, err := subject.Populator(ctx, b)
		return []under{{Subject: s}}, err
	}
	var out []under
	for _, g := range given {
		s, err := subject.Read(g.Dir)
		s.Name = cmp.Or(g.Name, s.Name)
		if err == nil && slices.ContainsFunc(out, func(o under) bool { return o.Name == s.Name }) {
			err = fmt.Errorf("two subjects are called %s", s.Name)
		}
		if err != nil {
			return nil, SubjectError{err}
		}
		out = append(out, under{s, g.Vector})
	}
	return out, nil
}

// Hash identifies all that is under test.
func (l Lab) Hash() string {
	if len(l.Names) == 1 {
		return l.Subjects[l.Names[0]].Hash
	}
	h := sha256.New()
	for _, name := range l.Names {
		fmt.Fprintln(h, l.Subjects[name].Hash)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Workers are the ids of the worker images that boot, by base, where there is one
// subject; nil with several.
func (l Lab) Workers() map[string]string {
	if len(l.Names) != 1 {
		return nil
	}
	return l.Subjects[l.Names[0]].Images
}

// Room is how many of the lab's machines may run at once, see [Backend].
func (l Lab) Room(ctx context.Context, asked, wanted int) (machine.Room, error) {
	cloud := ""
	for _, i := range l.Images {
		cloud = i.Cloud // one is for all bases
	}
	return l.Backend.Room(ctx, cloud, asked, wanted)
}

// Runner returns a runner for the lab's images that boots one machine a core at
// a time and has as many at once as there is room for.
func (l Lab) Runner(id, dir string, store run.Store, room machine.Room) *run.Runner {
	return &run.Runner{
		ID: id, Backend: l.Backend, Images: l.Images, Subjects: l.Subjects, Dir: dir, Store: store,
		Booting: l.cores, Running: room.Ever, Crowd: room.AtOnce,
	}
}
