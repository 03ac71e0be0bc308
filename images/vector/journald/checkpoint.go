package journald

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// Checkpoint is the file checkpoint.txt, which holds the cursor of the last record that is safe elsewhere.
type Checkpoint struct {
	path string

	mu     sync.Mutex
	f      *os.File
	cursor string
}

// OpenCheckpoint opens dir/checkpoint.txt and makes both where they are missing.
func OpenCheckpoint(dir string) (*Checkpoint, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("make checkpoint directory: %w", err)
	}
	path := filepath.Join(dir, "checkpoint.txt")
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read checkpoint: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open checkpoint: %w", err)
	}
	// A line without its end was never whole.
	cursor, _, whole := strings.Cut(string(text), "\n")
	if !whole {
		cursor = ""
	}
	return &Checkpoint{path: path, f: f, cursor: cursor}, nil
}

// Cursor is the cursor stored last.
func (c *Checkpoint) Cursor() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cursor
}

// Store replaces the cursor in one write, of which the first line counts: a longer one that was there before may leave
// its end behind.
func (c *Checkpoint) Store(cursor string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := c.f.WriteAt([]byte(cursor+"\n"), 0); err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	c.cursor = cursor
	return nil
}

// Close lets go of the file.
func (c *Checkpoint) Close() error { return c.f.Close() }
