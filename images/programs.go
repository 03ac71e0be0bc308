package images

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"github.com/moby/moby/client"
)

// Programs are the packages of this module whose programs go into images.
func Programs() []string {
	return []string{"images/azure", "images/twin", "images/collector", "images/vector", "populator/cmd/populate-vector-env"}
}

// Prebuilt is where a root has a program that was built already, for an architecture as Go
// names it; slash-separated.
func Prebuilt(pkg, arch string) string {
	return path.Join("programs", arch, strings.ReplaceAll(pkg, "/", "-"))
}

// Program returns the file of a Go program of this module for the engine's architecture,
// static and without paths or times in it: the root's prebuilt one, else built.
func (b *Builder) Program(ctx context.Context, pkg string) (string, error) {
	v, err := b.Engine.ServerVersion(ctx, client.ServerVersionOptions{})
	if err != nil {
		return "", fmt.Errorf("ask the engine for its architecture: %w", err)
	}
	if v.Os != "linux" {
		return "", fmt.Errorf("the engine runs %s containers: bootrace needs a Linux engine", v.Os)
	}
	if _, err := os.Stat(filepath.Join(b.Root, "programs")); err == nil {
		file := filepath.Join(b.Root, filepath.FromSlash(Prebuilt(pkg, v.Arch)))
		if _, err := os.Stat(file); err != nil {
			return "", fmt.Errorf("this bootrace has no %s for the engine's architecture, %s: take a release, which has it for amd64 and arm64, or name a clone with --source DIR", path.Base(pkg), v.Arch)
		}
		return file, nil
	}
	// Kept between runs: go build leaves a file alone that is up to date.
	out := filepath.Join(b.Cache, "bin", v.Arch, strings.ReplaceAll(pkg, "/", "-"))
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return "", fmt.Errorf("make room for built programs: %w", err)
	}
	return out, Compile(ctx, b.Root, pkg, v.Arch, out)
}

// Compile builds a program of the source tree at root for Linux on an architecture as Go names it.
func Compile(ctx context.Context, root, pkg, arch, out string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-buildvcs=false", "-o", out, "./"+pkg)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch, "GOFLAGS=")
	if text, err := cmd.CombinedOutput(); errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("build %s: the go command is not on PATH; install the Go named in go.mod, or a release of bootrace", pkg)
	} else if err != nil {
		return fmt.Errorf("build %s: %w\n%s", pkg, err, lastLines(string(text), keptOutput))
	}
	return nil
}

// AddProgram adds a program to a tree under the given name.
func (b *Builder) AddProgram(ctx context.Context, t Tree, pkg, name string) error {
	program, err := b.Program(ctx, pkg)
	if err != nil {
		return err
	}
	return t.Disk(program, name, 0o755)
}

// FindRoot returns the root directory of bootrace's module, looked for from dir
// upwards: images are built from its files.
func FindRoot(dir string) (string, error) {
	start, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for d := start; ; d = filepath.Dir(d) {
		mod, err := os.ReadFile(filepath.Join(d, "go.mod"))
		if err == nil && strings.HasPrefix(string(mod), "module bootrace\n") {
			return d, nil
		}
		if d == filepath.Dir(d) {
			return "", fmt.Errorf("no bootrace source tree at or above %s: run it from a clone, name one with --source DIR, or take a release, which carries what images are made of", start)
		}
	}
}
