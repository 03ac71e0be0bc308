package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"bootrace/harness/machine/container"
)

// stateDir is where runs and results are kept: BOOTRACE_STATE, else where the
// XDG base directory specification puts state.
func stateDir() (string, error) {
	if dir := os.Getenv("BOOTRACE_STATE"); dir != "" {
		return filepath.Abs(dir)
	}
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "bootrace"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("no place for results: %w; set BOOTRACE_STATE", err)
	}
	return filepath.Join(home, ".local", "state", "bootrace"), nil
}

// cacheDir is where built programs are kept; losing it costs time only.
func cacheDir() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no place for built programs: %w; set XDG_CACHE_HOME", err)
	}
	return filepath.Join(dir, "bootrace"), nil
}

// session is one invocation's claim on what it starts: a directory, and in it a
// file that stays locked for as long as this process lives.
type session struct {
	id   string
	dir  string
	lock *os.File
}

// newSession claims state/runs/ID.
func newSession(state string) (*session, error) {
	b := make([]byte, 2)
	_, _ = rand.Read(b)
	id := time.Now().UTC().Format("20060102-150405") + "-" + hex.EncodeToString(b)
	dir := filepath.Join(state, "runs", id)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, advice{fmt.Errorf("make a place for the run: %w", err), "set BOOTRACE_STATE to a directory that can be written"}
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("claim the run: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("claim the run: lock %s: %w", f.Name(), err)
	}
	return &session{id: id, dir: dir, lock: f}, nil
}

// close gives the claim back. A run that recorded nothing leaves no directory.
func (s *session) close() error {
	if entries, err := os.ReadDir(s.dir); err == nil && len(entries) == 1 {
		_ = os.RemoveAll(s.dir)
	}
	return s.lock.Close()
}

// connect opens the engine for looking and cleaning, without a claim.
func connect(ctx context.Context) (*container.Backend, error) {
	b, err := container.Connect(ctx, "")
	if err != nil {
		return nil, exitError{exitInvalid, err}
	}
	return b, nil
}

// explainDisk adds what to do to the one error of a disk that everybody meets.
func explainDisk(err error, dir string) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		first, _, _ := strings.Cut(err.Error(), "\n") // however many steps met it, the cause is one
		return advice{errors.New(first), "free space below " + dir + " (bootrace clean --runs removes old recordings); what had ended is stored"}
	}
	return err
}
