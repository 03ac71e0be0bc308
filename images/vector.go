package images

import (
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/moby/client"
)

// PinnedVector is the version of the official image that --vector auto and real
// take: the newest release that was known to exist (2026-07-14).
const PinnedVector = "0.57.0"

// standInVersions are those that the stand-in plays, the newest last: one of each
// generation of interpolation (images/vector/README.md).
var standInVersions = []string{"0.56.0", "0.58.0"}

// Vector says which Vector worker images get, as --vector says it; [Builder.Vector]
// makes it be there. The zero value is the newest stand-in.
type Vector struct {
	kind  vectorKind
	given string // the version that the stand-in plays; the file or image of a real one
}

type vectorKind int

const (
	standInVector vectorKind = iota
	realVector               // a file or an image
	autoVector               // the image if it can be had, else the stand-in
)

// official is the vendor's image of a version. Which registry has it is the engine's to say.
func official(version string) string { return "timberio/vector:" + version + "-debian" }

var fullVersion = regexp.MustCompile(`^\d+\.\d+\.\d+$`)

// ParseVector reads what --vector may be: auto, stand-in, stand-in:VERSION, real,
// real:VERSION, a file or an image. Nothing is auto.
func ParseVector(text string) (Vector, error) {
	kind, version, versioned := strings.Cut(text, ":")
	switch {
	case text == "" || text == "auto":
		return Vector{autoVector, official(PinnedVector)}, nil
	case kind == "stand-in" && !versioned:
		return Vector{}, nil
	case kind == "stand-in":
		for _, v := range standInVersions {
			if version == v || version == majorMinor(v) {
				return Vector{standInVector, v}, nil
			}
		}
		return Vector{}, fmt.Errorf("%s: the stand-in plays %s", text, strings.Join(standIns(), " and "))
	case text == "real":
		return Vector{realVector, official(PinnedVector)}, nil
	case kind == "real":
		if !fullVersion.MatchString(version) {
			return Vector{}, fmt.Errorf("%s: expected a whole version, as real:%s", text, PinnedVector)
		}
		return Vector{realVector, official(version)}, nil
	}
	if _, err := os.Stat(text); err != nil && (strings.HasPrefix(text, "/") || strings.HasPrefix(text, ".")) {
		return Vector{}, fmt.Errorf("%s: no such file", text)
	}
	return Vector{realVector, text}, nil
}

func majorMinor(version string) string { return version[:strings.LastIndexByte(version, '.')] }

// standIns are the stand-in's names, by version.
func standIns() []string {
	var out []string
	for _, v := range standInVersions {
		out = append(out, "stand-in:"+majorMinor(v))
	}
	return out
}

// IsStandIn reports whether the stand-in was asked for.
func (v Vector) IsStandIn() bool { return v.kind == standInVector }

// IsAuto reports whether what can be had decides.
func (v Vector) IsAuto() bool { return v.kind == autoVector }

// VectorProgram is a Vector that is there.
type VectorProgram struct {
	Name string // the stand-in's version, or where the real one came from, with a digest

	files Tree // of the worker image
	// insists: it takes the place of a given image's own Vector.
	insists bool
}

// IsStandIn reports whether it is the stand-in.
func (p VectorProgram) IsStandIn() bool { _, is := p.files[standInFile]; return is }

func (p VectorProgram) String() string { return p.Name }

// Where Vector and its unit go, and where its images keep the program.
const (
	vectorProgram = "usr/bin/vector"
	vectorUnit    = "usr/lib/systemd/system/vector.service"
	standInFile   = "usr/share/vector/stand-in-version"
)

var vectorPaths = []string{"/usr/bin/vector", "/usr/local/bin/vector"}

// Vector makes a Vector be there: built, read or pulled. What auto cannot have is
// replaced by the stand-in, and Step is told so in one line.
func (b *Builder) Vector(ctx context.Context, v Vector) (VectorProgram, error) {
	if v.kind == standInVector {
		return b.standIn(ctx, v.given)
	}
	p, err := b.realVector(ctx, v)
	if err == nil || v.kind != autoVector || ctx.Err() != nil {
		return p, err
	}
	stand, standInErr := b.standIn(ctx, "")
	if standInErr != nil {
		return stand, errors.Join(err, standInErr)
	}
	b.step("Vector: the %s runs, not the real %s: %s (--vector real insists, --vector stand-in does not ask)", stand.Name, PinnedVector, ends(err))
	return stand, nil
}

// ends is what was tried and its cause, in one line: an engine tells all that lies
// between, and --vector real shows it.
func ends(err error) string {
	clauses := strings.Split(strings.Join(strings.Fields(err.Error()), " "), ": ")
	if len(clauses) < 2 {
		return clauses[0]
	}
	return clauses[0] + ": " + clauses[len(clauses)-1]
}

func (b *Builder) standIn(ctx context.Context, version string) (p VectorProgram, err error) {
	if version == "" {
		version = standInVersions[len(standInVersions)-1]
	}
	p = VectorProgram{Name: "stand-in " + version, files: Tree{standInFile: {Mode: 0o644, Data: []byte(version + "\n")}}}
	if err := b.AddProgram(ctx, p.files, "images/vector", vectorProgram); err != nil {
		return p, fmt.Errorf("the stand-in for Vector: %w", err)
	}
	return p, b.ourUnit(p.files)
}

// ourUnit adds the unit, which a .deb alone brings.
func (b *Builder) ourUnit(files Tree) error {
	return files.Disk(filepath.Join(b.Root, "images", "vector", "pkg", "vector.service"), vectorUnit, 0o644)
}

// realVector reads a file or an image.
func (b *Builder) realVector(ctx context.Context, v Vector) (p VectorProgram, err error) {
	p = VectorProgram{files: Tree{}, insists: v.kind == realVector}
	info, err := os.Stat(v.given)
	switch {
	case err != nil:
		return p, b.vectorOfImage(ctx, v, &p)
	case info.IsDir():
		return p, fmt.Errorf("--vector %s: a directory: give a .deb, a program or an image", v.given)
	case strings.HasSuffix(v.given, ".deb"): // dpkg(1) refuses one of another architecture
		if err := p.files.Disk(v.given, "opt/vector.deb", 0o644); err != nil {
			return p, err
		}
		p.Name = realName(v.given, p.files["opt/vector.deb"].digest())
		return p, nil
	}
	if err := p.files.Disk(v.given, vectorProgram, 0o755); err != nil {
		return p, err
	}
	if err := b.runsHere(ctx, p.files[vectorProgram].Data); err != nil {
		return p, fmt.Errorf("--vector %s: %w", v.given, err)
	}
	p.Name = realName(v.given, p.files[vectorProgram].digest())
	return p, b.ourUnit(p.files)
}

// realName tells by its beginning that it is no stand-in.
func realName(from, digest string) string {
	return fmt.Sprintf("real Vector from %s (%.19s)", from, digest)
}

// machines are ELF's names of architectures, by the engine's.
var machines = map[string]elf.Machine{
	"386": elf.EM_386, "amd64": elf.EM_X86_64, "arm": elf.EM_ARM, "arm64": elf.EM_AARCH64,
	"ppc64le": elf.EM_PPC64, "riscv64": elf.EM_RISCV, "s390x": elf.EM_S390,
}

// runsHere refuses a program that the engine's machines cannot run.
func (b *Builder) runsHere(ctx context.Context, program []byte) error {
	f, err := elf.NewFile(bytes.NewReader(program))
	if err != nil {
		return fmt.Errorf("neither a .deb nor a Linux program: %w", err)
	}
	defer f.Close()
	engine, err := b.Engine.ServerVersion(ctx, client.ServerVersionOptions{})
	if err != nil {
		return fmt.Errorf("ask the engine for its architecture: %w", err)
	}
	want, known := machines[engine.Arch]
	if !known || f.Machine == want {
		return nil
	}
	have := f.Machine.String()
	for _, name := range slices.Sorted(maps.Keys(machines)) {
		if machines[name] == f.Machine {
			have = name
		}
	}
	return fmt.Errorf("a program for %s, and the engine runs %s", have, engine.Arch)
}
