package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	stdio "io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"bootrace/harness/capsule"
	"bootrace/harness/museum"
	"bootrace/harness/subject"
	"bootrace/harness/wire"
	"bootrace/images"
	"bootrace/results"
)

func capsuleCommand(io streams) *cobra.Command {
	var db, runID, dir, output string
	cmd := &cobra.Command{
		Use: "capsule CASE", Short: "Pack a case into one file, to look at it and boot it elsewhere",
		Long: `capsule packs a case: its subject and scenario, what its image was made of, its
recording and its page. bootrace show and explain read the file, bootrace run boots
the case again, on any host. It holds no secret's value.`,
		Example: "  bootrace capsule delay-45s@trixie#1\n  bootrace show delay-45s_trixie_1" + capsule.Suffix + "\n  bootrace run delay-45s_trixie_1" + capsule.Suffix,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := stored(cmd.Context(), io, db, runID, args)
			if err != nil {
				return err
			}
			if len(r.Cases) > 1 {
				return usage(fmt.Errorf("run %s has %d cases that begin so, name one: %s, %s, …", r.ID, len(r.Cases), r.Cases[0].ID, r.Cases[1].ID))
			}
			c := r.Cases[0]
			if c.Recording == "" {
				return fmt.Errorf("case %s has no recording: it was not booted", c.ID)
			}
			if output == "" {
				output = strings.NewReplacer("@", "_", "#", "_", "/", "_", ":", "_").Replace(c.ID) + capsule.Suffix
			}
			if !capsule.Is(output) {
				return usage(fmt.Errorf("--output %s: a capsule's name ends in %s", output, capsule.Suffix))
			}
			return pack(cmd.Context(), io, r, dir, output)
		},
	}
	dbFlag(cmd.Flags(), &db)
	cmd.Flags().StringVar(&runID, "run", latestRun, "the run, by id or its beginning; latest~1 is the one before the latest")
	cmd.Flags().StringVar(&dir, "subject", "", "`DIR` of the subject, where it lies elsewhere than when it booted")
	cmd.Flags().StringVar(&output, "output", "", "the `FILE` to write (default: named as the case, here)")
	return cmd
}

// pack writes the capsule of a run with one case.
func pack(ctx context.Context, io streams, r results.Run, dir, output string) error {
	contents := capsule.Contents{Run: r, Made: time.Now()}
	var err error
	if contents.Subject, contents.At, err = packedSubject(ctx, r, dir); err != nil {
		return err
	}
	var page bytes.Buffer
	if err := writePage(&page, r, others{samples: func() ([]results.Sample, error) { return nil, nil }}); err != nil {
		return err
	}
	contents.Page = page.Bytes()
	f, err := renameio.NewPendingFile(output, renameio.WithPermissions(0o644)) // whole, or not at all
	if err != nil {
		return fmt.Errorf("write capsule: %w", err)
	}
	defer func() { _ = f.Cleanup() }() // without an effect once it has its name
	m, err := capsule.Write(f, contents)
	if err != nil {
		return err
	}
	size, err := f.Seek(0, stdio.SeekEnd)
	if err == nil {
		err = f.CloseAtomicallyReplace()
	}
	if err != nil {
		return fmt.Errorf("write capsule %s: %w", output, err)
	}
	fmt.Fprintf(io.out, "%s: %s, %d files in %d kB\n", output, m.Case, len(m.Files), (size+999)/1000)
	fmt.Fprintf(io.out, "  what is in it: bootrace show %s\n  boot it again: bootrace run %s\n", output, output)
	return nil
}

// packedSubject is what was under test, as it was: a directory that was changed since
// is not what the recording is of. A subject that was an image is not packed.
func packedSubject(ctx context.Context, r results.Run, dir string) (images.Tree, string, error) {
	c := r.Cases[0]
	if strings.ContainsRune(c.Subject, ':') && dir == "" {
		return nil, "", nil
	}
	if dir == "" {
		var err error
		if dir, err = subjectOf(r); err != nil {
			return nil, "", err
		}
	}
	s, files, at, err := whole(ctx, dir)
	if err != nil {
		return nil, "", err
	}
	if s.Hash() != c.Hash {
		return nil, "", advice{fmt.Errorf("subject %s was changed since %s booted: its hash was %.12s and is %.12s", c.Subject, c.ID, c.Hash, s.Hash()),
			"boot it again, or name its directory as it was with --subject"}
	}
	return files, at, nil
}

// whole reads a subject with all its files; without a directory, this project's.
func whole(ctx context.Context, dir string) (s subject.Subject, files images.Tree, at string, err error) {
	if dir != "" {
		if s, err = subject.Read(dir); err == nil {
			files, at, err = subject.Pack(dir)
		}
		return s, files, at, err
	}
	root, cache, err := sources("")
	if err != nil {
		return s, nil, "", err
	}
	backend, err := wire.Connect(ctx, "")
	if err != nil {
		return s, nil, "", fmt.Errorf("build this project's populator, to pack it: %w", err)
	}
	if s, err = subject.Populator(ctx, backend.Builder(root, cache, nil)); err != nil {
		return s, nil, "", err
	}
	files = images.Tree{}
	files.Merge(s.Whole(), "populator")
	err = files.Disk(filepath.Join(root, "populator", "subject.yaml"), "populator/subject.yaml", 0o644)
	return s, files, "populator", err
}

// subjectOf is the directory of a case's subject; empty: this project's.
func subjectOf(r results.Run) (string, error) {
	name := r.Cases[0].Subject
	if r.Request != nil {
		n := slices.IndexFunc(r.Request.Subjects, func(s string) bool { return filepath.Base(s) == name })
		switch {
		case n >= 0:
			return r.Request.Subjects[n], nil
		case len(r.Request.Subjects) == 0 && name == "populator":
			return "", nil
		}
	}
	if root, _, err := sources(""); err == nil { // a museum has no request
		if dir := filepath.Join(root, museum.Dir, name); filepath.Base(name) == name && isDir(dir) {
			return dir, nil
		}
	}
	return "", usage(fmt.Errorf("where subject %s lies is not known: --subject DIR", name))
}

// lookInto unpacks a capsule for as long as look takes.
func lookInto(file string, look func(capsule.Capsule) error) (err error) {
	dir, err := os.MkdirTemp("", "bootrace-capsule")
	if err != nil {
		return fmt.Errorf("unpack capsule %s: %w", file, err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	c, err := capsule.Open(file, filepath.Join(dir, "capsule"))
	if err != nil {
		return usage(err)
	}
	return look(c)
}

func showCapsule(io streams, file string, c capsule.Capsule, asJSON bool) error {
	if asJSON {
		return printJSON(io.out, c.Manifest)
	}
	st, kase := style{io.color}, c.Unpacked.Cases[0]
	fmt.Fprintf(io.out, "%s %s: %s\n", st.ofCase(kase), kase.ID, plain(kase.Told()))
	for _, row := range [][2]string{
		{"run", fmt.Sprintf("%s, %s", c.Run, kase.Started.Format("2006-01-02 15:04:05 MST"))},
		{"subject", fmt.Sprintf("%s %.12s, %s", c.Subject.Name, c.Subject.Hash, cmp.Or(c.Subject.Dir, "an image, which is not in it"))},
		{"base", fmt.Sprintf("%s %.19s", c.Recipe.Base, c.Recipe.BaseImage)},
		{"Vector", results.WithDigest(kase.Vector, kase.Decided().Versions[results.VersionVectorDigest])},
		{"bootrace", cmp.Or(c.Recipe.Versions["bootrace"], "unknown")},
		{"why", "bootrace explain " + file},
		{"again", "bootrace run " + file},
		{"files", fmt.Sprintf("%d, each as it was packed; %s is the page: tar --zstd -xf %s", len(c.Files), capsule.PageFile, file)},
	} {
		fmt.Fprintf(io.out, "  %-9s %s\n", row[0], plain(row[1]))
	}
	printChecks(io, kase, true, "")
	return nil
}

// capsulesDir is where capsules are unpacked that were run, below the state.
const capsulesDir = "capsules"

// runCapsule boots a capsule's subject and scenario, on what they were booted on where
// the flags say nothing else.
func runCapsule(ctx context.Context, io streams, f runFlags, file string, said func(flag string) bool) (err error) {
	if said("subject") || said("image") {
		return usage(fmt.Errorf("run %s boots the capsule's own subject; --subject and --image go with scenarios", file))
	}
	if said("watch") || said("shard") {
		return usage(fmt.Errorf("run %s boots one case, as it was: --watch and --shard go with scenarios", file))
	}
	if said("dry-run") {
		return usage(fmt.Errorf("--dry-run goes with scenarios; bootrace show %s says what is in the capsule", file))
	}
	state, err := stateDir()
	if err != nil {
		return err
	}
	place := filepath.Join(state, capsulesDir)
	if err := os.MkdirAll(place, 0o755); err != nil {
		return explainDisk(fmt.Errorf("unpack capsule %s: %w", file, err), state)
	}
	// It stays as long as recordings do: what the run says of booting again is about it.
	dir, err := os.MkdirTemp(place, "")
	if err != nil {
		return explainDisk(fmt.Errorf("unpack capsule %s: %w", file, err), state)
	}
	boots := false
	defer func() {
		if !boots { // nothing is about a capsule that is refused
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	c, err := capsule.Open(file, filepath.Join(dir, "capsule"))
	if err != nil {
		return usage(err)
	}
	if f.image = c.Subject.Name; c.SubjectDir() != "" {
		f.image, f.subjects = "", []string{c.SubjectDir()}
	}
	if !said("base") {
		f.bases = []string{c.Recipe.Base}
	}
	if !said("vector") {
		if f.vector = c.Recipe.Vector; f.vector == "" {
			return usage(advice{fmt.Errorf("capsule %s: its Vector, %s, was a file, which is not in it", file, c.Unpacked.Cases[0].Vector), "name one with --vector"})
		}
	}
	f.asIs = f.asIs || c.Recipe.AsIs
	if f.image == "" {
		s, err := subject.Read(c.SubjectDir())
		if err != nil {
			return usage(fmt.Errorf("capsule %s: %w", file, err))
		}
		if s.Hash() != c.Subject.Hash {
			return usage(fmt.Errorf("capsule %s: its subject is not what booted: its hash was %.12s and is %.12s; bootrace %s reads a subject otherwise than %s did",
				file, c.Subject.Hash, s.Hash(), harnessVersion(), cmp.Or(c.Recipe.Versions["bootrace"], "the one that packed it")))
		}
	}
	boots = true
	then := c.Unpacked.Cases[0]
	fmt.Fprintf(io.err, "capsule %s: %s, which was %s: %s\n", file, c.Case, then.Verdict, oneLine(then.Reason, maxReason))
	return runScenarios(ctx, io, f, []string{c.Scenario()})
}
