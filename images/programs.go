package images

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/moby/moby/client"
)

// Program builds a Go program of this module for the engine's architecture,
// static and without paths or times in it, and returns the file.
func (b *Builder) Program(ctx context.Context, pkg string) (string, error) {
	v, err := b.Engine.ServerVersion(ctx, client.ServerVersionOptions{})
	if err != nil {
		return "", fmt.Errorf("ask the engine for its architecture: %w", err)
	}
	if v.Os != "linux" {
		return "", fmt.Errorf("the engine runs %s containers: bootrace needs a Linux engine", v.Os)
	}
	// Kept between runs: go build leaves a file alone that is up to date.
	out := filepath.Join(b.Cache, "bin", v.Arch, strings.ReplaceAll(pkg, "/", "-"))
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return "", fmt.Errorf("make room for built programs: %w", err)
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-buildvcs=false", "-o", out, "./"+pkg)
	cmd.Dir = b.Root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+v.Arch, "GOFLAGS=")
	if text, err := cmd.CombinedOutput(); errors.Is(err, exec.ErrNotFound) {
		return "", fmt.Errorf("build %s: the go command is not on PATH; install the Go named in go.mod", pkg)
	} else if err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", pkg, err, lastLines(string(text), keptOutput))
	}
	return out, nil
}

// AddProgram builds a program and adds it to a tree under the given name.
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
			return "", fmt.Errorf("no bootrace source tree at or above %s: run it from a clone, images are built from it", start)
		}
	}
}
