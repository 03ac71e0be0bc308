package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"bootrace/harness/recording"
	"bootrace/images/inside/process"
	"bootrace/images/inside/sightings"
)

// canary is a value that the search must find wherever it was planted: that
// nothing was found means something only if the search is seen to work.
type canary struct {
	value   string
	files   []string
	process *exec.Cmd
	release io.Closer
}

// plantCanary puts a new value in a file in each of the roots, each time in
// another of the forms a secret may have, and in the arguments and environment
// of a process. What it could not plant is in the error, the rest is there.
func plantCanary(ctx context.Context, roots []string) (*canary, error) {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails: crypto/rand, Go 1.24
	c := &canary{value: "bootrace-canary/" + hex.EncodeToString(b)}
	var errs []error
	for i, root := range roots {
		if _, err := os.Lstat(root); errors.Is(err, fs.ErrNotExist) {
			continue // this image has no such directory, so nothing is in it
		}
		path := filepath.Join(root, ".bootrace-canary-"+hex.EncodeToString(b[:4]))
		errs = append(errs, os.WriteFile(path, []byte("canary="+disguise(i, c.value)+"\n"), 0o600))
		c.files = append(c.files, path)
	}
	errs = append(errs, c.plantProcess(ctx))
	if err := errors.Join(errs...); err != nil {
		return c, fmt.Errorf("search: canary not planted: %w", err)
	}
	return c, nil
}

// disguise writes a value in one of the forms that a secret may have.
func disguise(i int, value string) string {
	switch i % 3 {
	case 0:
		return value
	case 1:
		return hex.EncodeToString([]byte(value))
	default:
		return base64.StdEncoding.EncodeToString([]byte("=" + value))
	}
}

// plantProcess starts a process that has the value, and waits on its stdin.
func (c *canary) plantProcess(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", "echo; read -r end; :", c.value)
	cmd.Env = []string{"BOOTRACE_CANARY=" + c.value}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	c.process, c.release = cmd, stdin
	// Start returns when the kernel has closed what is closed on exec, which is
	// before the new program's arguments can be seen in /proc.
	_, err = stdout.Read(make([]byte, 1))
	return err
}

// pid is that of the planted process, 0 if there is none.
func (c *canary) pid() int {
	if c.process == nil {
		return 0
	}
	return c.process.Process.Pid
}

// remove leaves nothing of it behind.
func (c *canary) remove() {
	for _, path := range c.files {
		_ = os.Remove(path)
	}
	if c.process != nil {
		_ = c.release.Close()
		_ = c.process.Wait()
	}
}

// missed says where the search should have found it and has not.
func (c *canary) missed(found []string) error {
	var want []string
	for _, path := range c.files {
		want = append(want, fileLeak(recording.Canary, path))
	}
	if c.process != nil {
		unit := process.Unit(fmt.Sprintf("/proc/%d", c.pid()))
		for _, where := range []string{"environment", "arguments"} {
			want = append(want, processLeak(recording.Canary, c.pid(), where, unit))
		}
	}
	var missed []string
	for _, line := range want {
		if !slices.Contains(found, line) {
			missed = append(missed, strings.TrimSpace(strings.TrimPrefix(line, recording.Canary)))
		}
	}
	if len(want) == 0 {
		missed = []string{"it was planted nowhere"}
	}
	if len(missed) > 0 {
		return fmt.Errorf("search: canary not found: %s", strings.Join(missed, ", "))
	}
	return nil
}

// sightWithin bounds how long who watches may take to note a start.
const sightWithin = 2 * time.Second

// sightings are all that were written, once the start of the planted process is among them:
// that no other was seen means something only if that one was.
func (c *canary) sightings() ([]sightings.Sighting, error) {
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		seen, err := sightings.Read()
		if err != nil || c.process == nil || sighted(seen, c.value) {
			return seen, err
		}
		if time.Since(began) > sightWithin {
			return seen, errors.New("search: what did not last was not seen: nor that a process was started for the search")
		}
	}
}

// sighted: a process with the value among its arguments was seen to start, or nobody may see.
func sighted(seen []sightings.Sighting, value string) bool {
	return slices.ContainsFunc(seen, func(s sightings.Sighting) bool {
		return s.Kind == sightings.Refused || s.Kind == sightings.Started && strings.Contains(s.Text, value)
	})
}

// bootLogger watches what does not last, in an image that has it.
const bootLogger = "/usr/local/bin/boot-logger"

// search looks for the secrets in two steps: in the processes at once, before there are
// more of them, and in the files by the function that it returns, which may run beside
// the other commands. It adds processes.txt.
func (c *collection) search(ctx context.Context, roots []string, secrets map[string]string, config recording.VectorConfig) (files func()) {
	bird, plantErr := plantCanary(ctx, roots)
	named := map[string]string{recording.Canary: bird.value}
	maps.Copy(named, secrets)
	wanted := recording.NewRedactor(named)
	c.wanted = recording.NewRedactor(secrets)

	procs, found, procErr := listProcesses(wanted, bird.pid())
	c.add(recording.ProcessesFile, procs, procErr)
	return func() {
		defer bird.remove()
		inFiles, fileErr := searchFiles(roots, bootTime(), wanted, sanctioned(ctx, config))
		c.leaks = append(found, inFiles...)
		c.doubt = errors.Join(plantErr, procErr, fileErr, bird.missed(c.leaks))
		seen, err := bird.sightings()
		for _, s := range seen {
			if s.Kind == sightings.Refused {
				c.passed = append(c.passed, fileLeak(recording.Unwatched, s.Where))
				continue
			}
			for _, name := range c.wanted.Find([]byte(s.Text)) {
				c.passed = append(c.passed, fileLeak(name, s.Where))
			}
		}
		if _, absent := os.Stat(bootLogger); absent == nil || !sightings.None(err) {
			c.doubt = errors.Join(c.doubt, err)
		}
	}
}
