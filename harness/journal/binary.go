package journal

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// binary has journalctl read a .journal file: its format is systemd's own, and has changed.
func (r *reader) binary(ctx context.Context, in io.Reader) (err error) {
	path, err := exec.LookPath("journalctl")
	if err != nil {
		return errors.New("a .journal file, which journalctl reads, and there is none here: on the host, journalctl --file FILE -o export > boot.export")
	}
	f, err := os.CreateTemp("", "bootrace-*.journal")
	if err != nil {
		return fmt.Errorf("a copy for journalctl: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	if _, err := io.Copy(f, in); err != nil {
		return fmt.Errorf("a copy for journalctl: %w", err)
	}
	cmd := exec.CommandContext(ctx, path, "--file", f.Name(), "-o", "export", "--no-pager", "--quiet")
	var said bytes.Buffer
	cmd.Stderr = &limited{&said, 4 << 10}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("journalctl: %w", err)
	}
	readErr := r.export(bufio.NewReaderSize(out, 256<<10))
	if err := cmd.Wait(); err != nil {
		if r.report.Entries == 0 {
			return fmt.Errorf("journalctl --file: %w: %s", err, Clean(said.Bytes()))
		}
		r.fault(0, "journalctl could not read all of it: "+Clean(said.Bytes()))
	}
	return readErr
}

// limited keeps the first bytes.
type limited struct {
	buf  *bytes.Buffer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	keep := min(len(p), l.left)
	l.left -= keep
	l.buf.Write(p[:keep])
	return len(p), nil
}
