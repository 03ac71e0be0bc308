package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"bootrace/harness/recording"
	"bootrace/images/inside/envfile"
	"bootrace/images/inside/process"
	"bootrace/images/inside/vectorconfig"
)

var commands = []struct {
	file string
	argv []string
}{
	{recording.JobsFile, []string{"systemctl", "list-jobs", "--no-legend", "--full", "--no-pager"}},
	{recording.ManagerFile, []string{"systemctl", "show", "--no-pager"}},
	{recording.JournaldFile, []string{"systemd-analyze", "cat-config", "systemd/journald.conf"}},
	{recording.CollectedJournal, []string{"journalctl", "--output=json", "--all", "--no-pager", "--quiet"}},
}

// collect writes a tar stream of the recording's files that only the machine
// itself can give. What could not be had is named in missing.json, with why.
func collect(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	var req recording.CollectRequest
	if err := json.NewDecoder(stdin).Decode(&req); err != nil {
		return fmt.Errorf("read the request on stdin: %w", err)
	}
	c := &collection{tar: tar.NewWriter(stdout), missing: map[string]string{}}
	if req.CPULost {
		lost := process.CPULost()
		if lost == nil {
			return errors.New("the kernel does not tell how long others have had the CPU (cpu.pressure)")
		}
		c.add(recording.CPULostFile, strconv.AppendInt(nil, *lost, 10), nil)
		return errors.Join(c.err, c.tar.Close())
	}
	if req.Pending {
		may, err := pending(ctx, req.Units)
		if c.add(recording.PendingFile, may, nil); err != nil || c.err != nil {
			return errors.Join(err, c.err)
		}
		lookAhead(ctx)
		return c.tar.Close()
	}

	// First what changes by looking: the processes, before we start more.
	c.add(recording.EnvFilesFile, listFiles(envfile.Dir), nil)
	c.add(recording.RoomFile, listRoom("/", "/run", "/tmp", "/dev/shm"), nil)
	reads := vectorconfig.Find(ctx)
	searchInFiles := func() { c.doubt = errors.New("the request names no secret to search for") }
	if len(req.Secrets) > 0 {
		searchInFiles = c.search(ctx, searched, req.Secrets, reads)
	}
	config, err := json.Marshal(reads)
	c.add(recording.VectorFile, append(config, '\n'), err)

	// Entries still in journald's hands are not in its files yet.
	if _, err := process.Output(ctx, "journalctl", "--sync"); err != nil {
		c.missing[recording.MissingSync] = err.Error()
	}
	// The recording ends here: what is looked at from now on, a busy host takes seconds for,
	// in which the journal, read at once, has no line.
	end := recording.Now()
	// All at once: each of them mostly waits for the others' servers.
	var wg sync.WaitGroup
	wg.Go(searchInFiles)
	var cloudErr error
	if req.Cloud != "" {
		// By the machine's own means, as its programs do.
		wg.Go(func() {
			_, cloudErr = process.Output(ctx, "curl", "--silent", "--show-error", "--output", "/dev/null", "https://"+req.Cloud)
		})
	}
	var versions, lacking map[string]string
	wg.Go(func() { versions, lacking = programVersions(ctx) })
	outs, errs := make([][]byte, len(commands)), make([]error, len(commands))
	var units []byte
	var unitsErr error
	wg.Go(func() { units, unitsErr = listUnits(ctx) })
	for i, cmd := range commands {
		wg.Go(func() { outs[i], errs[i] = process.Output(ctx, cmd.argv...) })
	}
	wg.Wait()
	c.add(recording.UnitsFile, units, unitsErr)
	c.look(units)
	for i, cmd := range commands {
		c.add(cmd.file, outs[i], errs[i])
		if cmd.file == recording.ManagerFile {
			c.look(outs[i])
		}
	}
	c.addLeaks()
	named, err := json.Marshal(versions)
	c.add(recording.CollectedVersions, named, err)
	maps.Copy(c.missing, lacking)
	if cloudErr != nil {
		c.missing[recording.MissingCloud] = cloudErr.Error()
	}
	missing, err := json.Marshal(c.missing)
	c.add(recording.CollectedMissing, missing, err)
	clock, err := json.Marshal(end)
	c.add(recording.CollectedClock, clock, err)
	if c.err != nil {
		return fmt.Errorf("write the collection: %w", c.err)
	}
	return c.tar.Close()
}

// lookAhead looks at what the collection will look at, while the case waits anyway: the
// second time it takes a third of the first, of an overlay's directories as of PID 1's units.
// Of both it keeps what does not change.
func lookAhead(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, aheadWithin)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, of, err := askUnits(ctx); err == nil && of.Of != "" {
			_ = of.write(keptFile) // without it they are asked once more
		}
	})
	wg.Go(func() {
		if list, err := listShipped(ctx); err == nil {
			_ = os.WriteFile(shippedDirs, list, 0o600) // without it they are read once more
		}
	})
	wg.Wait()
}

// aheadWithin bounds that: a busy host takes longer than the second that is left of the case,
// which then waits. What was begun and not kept would be done twice.
const aheadWithin = 5 * time.Second

type collection struct {
	tar     *tar.Writer
	missing map[string]string
	err     error // the first error of the stream

	wanted recording.Redactor
	leaks  []string // the lines of leaks.txt
	passed []string // those of what did not last
	doubt  error    // why they are not all
}

// addLeaks is leaks.txt. Where the search is not to be believed it counts as missing;
// what was found nevertheless is in it.
func (c *collection) addLeaks() {
	c.add(recording.LeaksFile, []byte(strings.Join(append(c.leaks, c.passed...), "")), c.doubt)
}

// look finds secrets in what systemd says of itself and of units, in lines Name=value
// that follow the unit's Id=.
func (c *collection) look(text []byte) {
	who := "the manager"
	for line := range bytes.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(string(line)), "=")
		if name == "Id" {
			who = value
		}
		for _, secret := range c.wanted.Find(line) {
			c.leaks = append(c.leaks, fileLeak(secret, name+"= of "+who))
		}
	}
}

// add writes a file, and keeps what there is of one whose command went wrong.
func (c *collection) add(name string, data []byte, err error) {
	if err != nil {
		c.missing[name] = err.Error()
	}
	if c.err != nil || (err != nil && len(data) == 0) {
		return
	}
	h := &tar.Header{Name: name, Mode: 0o600, Size: int64(len(data)), ModTime: time.Now()}
	if c.err = c.tar.WriteHeader(h); c.err == nil {
		_, c.err = c.tar.Write(data)
	}
}

// programVersions names the programs whose versions a verdict depends on, and why one could
// not be named; systemd's is in manager.txt.
func programVersions(ctx context.Context) (versions, missing map[string]string) {
	versions, missing = map[string]string{}, map[string]string{}
	if out, err := process.Output(ctx, "/usr/bin/vector", "--version"); err == nil {
		versions["vector"] = strings.TrimSpace(string(out))
	} else {
		missing["version of vector"] = err.Error()
	}
	if digest, err := programDigest("/usr/bin/vector", digestFile); err == nil {
		versions["vector-sha256"] = digest
	} else {
		missing["digest of vector"] = err.Error()
	}
	// Asking cloud-init itself starts Python: a third of a second.
	if data, err := os.ReadFile("/var/lib/dpkg/status"); err == nil {
		versions["cloud-init"] = packageVersion(string(data), "cloud-init")
	}
	if versions["cloud-init"] == "" {
		missing["version of cloud-init"] = "/var/lib/dpkg/status does not name it"
	}
	return versions, missing
}

// packageVersion is a package's version in dpkg's status file, dpkg(1).
func packageVersion(status, name string) string {
	for entry := range strings.SplitSeq(status, "\n\n") {
		if !strings.HasPrefix(entry, "Package: "+name+"\n") {
			continue
		}
		for l := range strings.Lines(entry) {
			if version, ok := strings.CutPrefix(l, "Version: "); ok {
				return strings.TrimSpace(version)
			}
		}
	}
	return ""
}
