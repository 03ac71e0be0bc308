package recording

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// Writer writes one recording. Its methods may be called from several goroutines.
type Writer struct {
	dir     string
	redact  Redactor
	secrets []string

	mu      sync.Mutex
	missing map[string]string
}

// Create makes the directory, which must not exist, and opens a recording in it.
// secrets are name and value.
func Create(dir string, secrets map[string]string) (*Writer, error) {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return nil, fmt.Errorf("create recording: %w", err)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, fmt.Errorf("create recording: %w", err)
	}
	return &Writer{
		dir: dir, redact: NewRedactor(secrets),
		secrets: slices.Sorted(maps.Keys(secrets)), missing: map[string]string{},
	}, nil
}

// Missing notes that something could not be recorded, and why.
func (w *Writer) Missing(what string, why error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.missing[what] = why.Error()
}

// Put writes a whole file.
func (w *Writer) Put(name string, data []byte) error {
	if err := os.WriteFile(filepath.Join(w.dir, name), w.redact.Bytes(data), 0o644); err != nil {
		return fmt.Errorf("record %s: %w", name, err)
	}
	return nil
}

// maxLine bounds a line of a stream: what is longer is cut into several, with
// which a secret on the cut might get through; no console or log has such lines.
const maxLine = 1 << 20

// Stream writes a stream line by line as it comes, until it ends. see is shown
// each line as it was written, without its newline; it may be nil.
func (w *Writer) Stream(name string, r io.Reader, see func(line []byte)) error {
	f, err := os.OpenFile(filepath.Join(w.dir, name), os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("record %s: %w", name, err)
	}
	defer f.Close()
	if err := copyLines(f, r, w.redact, see); err != nil {
		return fmt.Errorf("record %s: %w", name, err)
	}
	return nil
}

// copyLines reads to the end whatever happens to w: the boot must not stall on
// a full disk. It returns the first error of writing.
func copyLines(w io.Writer, r io.Reader, redact Redactor, see func([]byte)) error {
	lines := bufio.NewReaderSize(r, maxLine)
	var writeErr error
	for {
		line, readErr := lines.ReadSlice('\n')
		if len(line) > 0 {
			line = redact.Bytes(line)
			if _, err := w.Write(line); err != nil && writeErr == nil {
				writeErr = err
			}
			if see != nil {
				see(bytes.TrimRight(line, "\r\n"))
			}
		}
		if readErr != nil && !errors.Is(readErr, bufio.ErrBufferFull) {
			return writeErr
		}
	}
}

// maxCollected bounds one file of a collection: far above any journal of a boot.
const maxCollected = 1 << 30

// Collected is what the collector says beside files.
type Collected struct {
	Versions map[string]string
	Clock    Clock // zero: it did not come so far
}

// Collection unpacks the collector's tar stream. What it says is missing is added
// to what is missing.
func (w *Writer) Collection(r io.Reader) (c Collected, err error) {
	tr := tar.NewReader(r)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return c, nil
		}
		if err != nil {
			return c, fmt.Errorf("read what was collected: %w", err)
		}
		if h.Size > maxCollected {
			return c, fmt.Errorf("read what was collected: %s has %d bytes, more than any boot's", h.Name, h.Size)
		}
		switch h.Name {
		case CollectedJournal:
			err = w.journal(tr)
		case CollectedMissing, CollectedVersions:
			m := map[string]string{}
			if err = json.NewDecoder(tr).Decode(&m); err != nil {
				break
			}
			if h.Name == CollectedVersions {
				c.Versions = m
				break
			}
			for what, why := range m {
				w.Missing(what, errors.New(why))
			}
		case CollectedClock:
			err = json.NewDecoder(tr).Decode(&c.Clock)
		default:
			var data []byte
			if data, err = io.ReadAll(tr); err == nil {
				err = w.Put(filepath.Base(h.Name), data)
			}
		}
		if err != nil {
			return c, fmt.Errorf("record %s: %w", h.Name, err)
		}
	}
}

func (w *Writer) journal(r io.Reader) (err error) {
	f, err := os.Create(filepath.Join(w.dir, JournalFile))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	zw := gzip.NewWriter(f)
	lines := bufio.NewReader(r)
	for {
		line, readErr := lines.ReadBytes('\n')
		if _, err := zw.Write(w.redact.JournalLine(line)); err != nil {
			return err
		}
		if errors.Is(readErr, io.EOF) {
			return zw.Close()
		}
		if readErr != nil {
			return readErr
		}
	}
}

// Close writes the manifest; what the writer knows is added to m.
func (w *Writer) Close(m Manifest) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	m.Secrets, m.Missing = w.secrets, w.missing
	if err := writeManifest(w.dir, m); err != nil {
		return fmt.Errorf("close recording %s: %w", w.dir, err)
	}
	return nil
}
