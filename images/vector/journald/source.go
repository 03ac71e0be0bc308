// Package journald is Vector's journald source: it runs journalctl, follows it, and hands on what the units wanted have
// logged, with a checkpoint that moves only once the events are safe.
//
// It parses journalctl's JSON lines and nothing else; what becomes of the events is the business of the caller.
package journald

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"bootrace/images/vector/config"
	"bootrace/images/vector/event"
	"bootrace/images/vector/tracing"
)

const (
	restart = time.Second // Vector's BACKOFF_DURATION (src/sources/journald.rs)
	// Lines above this are discarded with a word, for the machine has 60 MB in all.
	maxLine = 4 << 20

	target = "vector::sources::journald"
)

// Emit hands events on. It may block; done is called when they are safe, or refused.
type Emit func(ctx context.Context, events []event.Event, done func(ok bool)) error

// Source follows the journal.
type Source struct {
	cfg        config.Source
	checkpoint *Checkpoint
	log        *slog.Logger
	systemd    int    // the version of it
	cursor     string // of the last record handed on
	backoff    time.Duration
}

// New returns a source that begins after the checkpoint. systemd is what Version gave.
func New(cfg config.Source, systemd int, checkpoint *Checkpoint, log *slog.Logger) *Source {
	return &Source{cfg: cfg, systemd: systemd, checkpoint: checkpoint, log: log, cursor: checkpoint.Cursor(), backoff: restart}
}

// Run follows until ctx ends. journalctl is started again whenever it ends, a second later.
func (s *Source) Run(ctx context.Context, emit Emit) error {
	for {
		s.log.Info("Starting journalctl.", tracing.Target(target))
		err := s.follow(ctx, emit)
		if ctx.Err() != nil {
			return nil
		}
		s.log.Warn("Journalctl process stopped.", tracing.Target(target), "error", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(s.backoff):
		}
	}
}

// Version asks journalctl which systemd it is of, as Vector does when it builds the source.
func Version(ctx context.Context, cfg config.Source) (int, error) {
	ask := func() ([]byte, error) { return exec.CommandContext(ctx, program(cfg), "--version").Output() }
	out, err := ask()
	// A stop of the unit ends journalctl too, and is no fault of the configuration.
	if died := (*exec.ExitError)(nil); errors.As(err, &died) && died.ExitCode() < 0 && ctx.Err() == nil {
		out, err = ask()
	}
	if err != nil && len(out) == 0 {
		return 0, fmt.Errorf("journalctl failed to execute: %s", reason(err))
	}
	words := strings.Fields(string(out))
	if len(words) > 1 {
		if n, err := strconv.Atoi(words[1]); err == nil {
			return n, nil
		}
	}
	return 0, errors.New("failed to parse output of `journalctl --version`")
}

// CheckVersion refuses what Vector refuses: with these versions `--follow` means this boot, and nothing helps.
func CheckVersion(cfg config.Source, systemd int) error {
	if !cfg.CurrentBootOnly && systemd >= 250 && systemd <= 257 {
		//lint:ignore ST1005 Vector's words
		return fmt.Errorf("`current_boot_only: false` not supported for systemd versions 250 through 257 (got %d).", systemd)
	}
	return nil
}

// reason is why a program could not be run, in Rust's words.
func reason(err error) string {
	var errno syscall.Errno
	switch {
	case errors.Is(err, exec.ErrNotFound):
		errno = syscall.ENOENT
	case !errors.As(err, &errno):
		return err.Error()
	}
	text := errno.Error()
	return fmt.Sprintf("%s (os error %d)", strings.ToUpper(text[:1])+text[1:], int(errno))
}

func program(cfg config.Source) string {
	if cfg.JournalctlPath != "" {
		return cfg.JournalctlPath
	}
	return "journalctl"
}

// Args are the arguments Vector gives journalctl. Without a starting point journalctl would follow from the last few
// lines only, hence the date. From systemd 250 on `--follow` implies `--boot`, from 258 on `--boot=all` undoes that.
func (s *Source) Args() []string {
	args := []string{"--follow", "--all", "--show-cursor", "--output=json"}
	if s.cfg.JournalDirectory != "" {
		args = append(args, "--directory="+s.cfg.JournalDirectory)
	}
	if s.cfg.JournalNamespace != "" {
		args = append(args, "--namespace="+s.cfg.JournalNamespace)
	}
	switch {
	case s.cfg.CurrentBootOnly && s.systemd < 250:
		args = append(args, "--boot")
	case !s.cfg.CurrentBootOnly && s.systemd >= 258:
		args = append(args, "--boot=all")
	}
	switch {
	case s.cursor != "":
		args = append(args, "--after-cursor="+s.cursor)
	case s.cfg.SinceNow:
		args = append(args, "--since=now")
	default:
		args = append(args, "--since=2000-01-01")
	}
	return append(args, s.cfg.ExtraArgs...)
}

func (s *Source) follow(ctx context.Context, emit Emit) error {
	cmd := exec.CommandContext(ctx, program(s.cfg), s.Args()...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = time.Second
	cmd.Stderr = &complaints{log: s.log}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("pipe: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	readErr := s.read(ctx, stdout, emit)
	if readErr != nil && cmd.ProcessState == nil {
		_ = cmd.Cancel()
	}
	if err := cmd.Wait(); err != nil {
		return errors.Join(readErr, fmt.Errorf("journalctl: %w", err))
	}
	return errors.Join(readErr, errors.New("journalctl ended"))
}

// read takes lines in batches: a batch ends when it is full or when no whole line is waiting, so that a single line is
// not kept waiting and a backlog is not written one by one.
func (s *Source) read(ctx context.Context, r io.Reader, emit Emit) error {
	lines := bufio.NewReaderSize(r, 32<<10)
	var batch []event.Event
	cursor := ""
	for n := 1; ; n++ {
		line, err := s.line(lines)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read: %w", err)
		}
		if len(line) > 0 {
			rec, decodeErr := decode(line)
			if decodeErr != nil {
				s.log.Error("Invalid record from journald, discarding.", tracing.Target(target), "error", decodeErr)
			} else {
				cursor = rec.cursor
				if s.wanted(rec.fields) {
					s.finish(&rec)
					batch = append(batch, event.Event{Log: rec.fields})
				}
			}
		}
		if err == nil && n < s.cfg.BatchSize && waiting(lines) {
			continue
		}
		if cursor != "" {
			if err := s.handOn(ctx, emit, batch, cursor); err != nil {
				return err
			}
		}
		batch, cursor, n = nil, "", 0
		if err != nil {
			return nil
		}
	}
}

func (s *Source) handOn(ctx context.Context, emit Emit, batch []event.Event, cursor string) error {
	done := func(ok bool) {
		if !ok {
			return // Vector's finalizer moves on only for what was delivered
		}
		if err := s.checkpoint.Store(cursor); err != nil {
			s.log.Error("Could not set journald checkpoint.", tracing.Target(target), "error", err, "filename", s.checkpoint.path)
		}
	}
	s.cursor = cursor
	if len(batch) == 0 {
		done(true)
		return nil
	}
	return emit(ctx, batch, done)
}

// line reads one line; one above the limit comes back empty, and is said to have been there.
func (s *Source) line(r *bufio.Reader) ([]byte, error) {
	var line []byte
	tooLong := false
	for {
		part, err := r.ReadSlice('\n')
		if tooLong = tooLong || len(line)+len(part) > maxLine; !tooLong {
			line = append(line, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if tooLong {
			s.log.Error("A journal entry is too long for the stand-in, discarding.", tracing.Target(target), "limit_bytes", maxLine)
			return nil, err
		}
		return bytes.TrimSpace(line), err
	}
}

func waiting(r *bufio.Reader) bool {
	buffered, _ := r.Peek(r.Buffered())
	return bytes.IndexByte(buffered, '\n') >= 0
}

// wanted: one field that is asked for is enough, and one that is excluded is too much; units are fields among others.
func (s *Source) wanted(fields map[string]any) bool {
	if len(s.cfg.IncludeUnits)+len(s.cfg.IncludeMatches) > 0 && !matches(fields, s.cfg.IncludeUnits, s.cfg.IncludeMatches) {
		return false
	}
	return !matches(fields, s.cfg.ExcludeUnits, s.cfg.ExcludeMatches)
}

func matches(fields map[string]any, units []string, matches map[string][]string) bool {
	if unit, ok := fields["_SYSTEMD_UNIT"].(string); ok && slices.Contains(units, unit) {
		return true
	}
	for name, values := range matches {
		if renamed, ok := renames[name]; ok {
			name = renamed
		}
		if value, ok := fields[name].(string); ok && slices.Contains(values, value) {
			return true
		}
	}
	return false
}

var priorities = []string{"EMERG", "ALERT", "CRIT", "ERR", "WARNING", "NOTICE", "INFO", "DEBUG"}

// finish does what the options ask for beyond the record itself.
func (s *Source) finish(rec *record) {
	if s.cfg.EmitCursor {
		rec.fields["__CURSOR"] = rec.cursor
	}
	text, _ := rec.fields["PRIORITY"].(string)
	if n, err := strconv.Atoi(text); err == nil && s.cfg.RemapPriority {
		rec.fields["PRIORITY"] = "UNKNOWN"
		if n >= 0 && n < len(priorities) {
			rec.fields["PRIORITY"] = priorities[n]
		}
	}
}

// complaints logs what journalctl says on stderr.
type complaints struct{ log *slog.Logger }

func (c *complaints) Write(b []byte) (int, error) {
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line != "" {
			c.log.Warn("Warning journalctl stderr: "+line, tracing.Target(target))
		}
	}
	return len(b), nil
}
