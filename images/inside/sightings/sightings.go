// Package sightings is what the boot logger keeps for the collector: things that did
// not last, with the text in which the collector looks for secrets. The text may hold
// some, so it lies in memory, is root's, and is in no recording.
package sightings

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Dir is a directory in memory that is nobody's but root's.
const Dir = "/run/bootrace"

const file = Dir + "/sightings"

// Kinds of sightings.
const (
	Started = "started" // a process, and its arguments
	Closed  = "closed"  // a file that others could read, and the tokens in it
	Lost    = "lost"    // why there are not all
	Refused = "refused" // why nobody may watch, on this engine
)

// Sighting is one of them.
type Sighting struct {
	Kind  string `json:"kind"`
	Where string `json:"where"` // in words, for a finding
	Text  string `json:"text,omitempty"`
}

// Create opens the file to be written to, at its end if it is there.
func Create() (*os.File, error) {
	if err := os.MkdirAll(Dir, 0o700); err != nil {
		return nil, err
	}
	return os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
}

// Write adds a sighting.
func Write(w io.Writer, kind, where string, text ...string) error {
	s := Sighting{Kind: kind, Where: where}
	for _, t := range text {
		s.Text += t
	}
	line, err := json.Marshal(s)
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// Read returns all that were written; there is an error where some are missing.
func Read() ([]Sighting, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("what did not last: %w", err)
	}
	defer f.Close()
	return read(f)
}

func read(r io.Reader) ([]Sighting, error) {
	var out []Sighting
	var errs []error
	for lines := bufio.NewReader(r); ; {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return out, errors.Join(errs...) // a line without an end is being written
		}
		if err != nil {
			return out, fmt.Errorf("what did not last: %w", err)
		}
		var s Sighting
		if err := json.Unmarshal(line, &s); err != nil {
			return out, fmt.Errorf("what did not last: %w", err)
		}
		if s.Kind == Lost {
			errs = append(errs, errors.New("search: what did not last was not seen: "+s.Where))
			continue
		}
		out = append(out, s)
	}
}

// None reports whether nobody watched.
func None(err error) bool { return errors.Is(err, fs.ErrNotExist) }
