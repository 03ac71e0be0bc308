package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"bootrace/harness/machine"
	"bootrace/harness/wire"
	"bootrace/images/kit"
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

// sources are the directory that images are made from, the source tree dir where it is given,
// and the one for what is built of it.
func sources(dir string) (root, cache string, err error) {
	if cache, err = cacheDir(); err != nil {
		return "", "", err
	}
	if root, err = kit.Root(dir, cache); err != nil && dir != "" {
		err = usage(fmt.Errorf("--source: %w", err))
	}
	return root, cache, err
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
	id         string
	dir        string
	recordings string    // where this invocation's recordings go: dir, or below it
	lock       io.Closer // nil until it is claimed
}

// newSession names a run that is to begin.
func newSession(state string) *session {
	b := make([]byte, 2)
	_, _ = rand.Read(b)
	id := time.Now().UTC().Format("20060102-150405") + "-" + hex.EncodeToString(b)
	dir := filepath.Join(state, "runs", id)
	return &session{id: id, dir: dir, recordings: dir}
}

// oldSession is that of a run to go on with. Its recordings go to a directory of
// their own: what an earlier invocation had begun to write stays as it is.
func oldSession(state, id string) *session {
	dir := filepath.Join(state, "runs", id)
	for n := 1; ; n++ {
		s := &session{id: id, dir: dir, recordings: filepath.Join(dir, fmt.Sprintf("resumed-%d", n))}
		if _, err := os.Stat(s.recordings); err != nil {
			return s
		}
	}
}

// owner is the file by which others see whether this process lives.
func (s *session) owner() string { return filepath.Join(s.dir, "lock") }

// join connects to the engine, removes what dead runs left there, and claims the
// session. Whatever comes of it, close ends it.
func (s *session) join(ctx context.Context, io streams) (wire.Backend, error) {
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return nil, advice{fmt.Errorf("make a place for the run: %w", err), "set BOOTRACE_STATE to a directory that can be written"}
	}
	b, err := wire.Connect(ctx, s.owner())
	if err != nil {
		return nil, err
	}
	// Before the claim: a run that is resumed has left machines under its own name.
	if n, err := b.Sweep(ctx, machine.NotKept); err != nil {
		fmt.Fprintf(io.err, "bootrace: what an earlier run left behind cannot be removed: %v\n", err)
	} else if n > 0 {
		fmt.Fprintf(io.err, "removed %d containers that a dead run had left behind\n", n)
	}
	return b, s.claim()
}

// claim takes the lock.
func (s *session) claim() error {
	lock, err := machine.Own(s.owner())
	if errors.Is(err, machine.ErrOwned) {
		return fmt.Errorf("claim the run: run %s goes on, in another process", s.id)
	}
	if err != nil {
		return fmt.Errorf("claim the run: %w", err)
	}
	s.lock = lock
	return nil
}

// close gives the claim back. A run that recorded nothing leaves no directory.
func (s *session) close() error {
	entries, err := os.ReadDir(s.dir)
	if err == nil && (len(entries) == 0 || len(entries) == 1 && s.lock != nil) {
		_ = os.RemoveAll(s.dir)
	}
	if s.lock == nil {
		return nil
	}
	return s.lock.Close()
}

// connect opens the engine for looking and cleaning, without a claim.
func connect(ctx context.Context) (wire.Backend, error) {
	b, err := wire.Connect(ctx, "")
	if err != nil {
		return nil, exitError{exitInvalid, err}
	}
	return b, nil
}

// explainDisk adds what to do to the one error of a disk that everybody meets.
func explainDisk(err error, dir string) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		first, _, _ := strings.Cut(err.Error(), "\n") // however many steps met it, the cause is one
		return advice{errors.New(first), "free space below " + dir + " (bootrace prune removes old runs); what had ended is stored"}
	}
	return err
}
