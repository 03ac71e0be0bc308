package subject

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"bootrace/harness/machine"
	"bootrace/images"
)

// Installer runs a command in the running system of an image and commits it.
type Installer interface {
	Install(ctx context.Context, in machine.Install) (output string, err error)
}

// installTimeout is how long an installer may take if its subject does not say.
const installTimeout = 5 * time.Minute

// installerDir is where the subject's directory lies while its installer runs.
const installerDir = "opt/bootrace-subject"

// labelUnits names the units that an installer brought.
const labelUnits = "bootrace.units"

// outputLines is how much of an installer's output its error shows.
const outputLines = 30

// readInstaller takes the whole directory, if it has an install.sh.
func (s *Subject) readInstaller(dir string, m Manifest) error {
	script := filepath.Join(dir, "install.sh")
	if _, err := os.Stat(script); err != nil {
		if m.Install.Args != nil || m.Install.Timeout != 0 {
			return fmt.Errorf("subject.yaml has install, but there is no %s", script)
		}
		return nil
	}
	s.installer, s.args, s.timeout = images.Tree{}, m.Install.Args, m.Install.Timeout
	if s.timeout < 0 {
		return fmt.Errorf("subject.yaml: install.timeout %s: expected more than 0", s.timeout)
	}
	if s.timeout == 0 {
		s.timeout = installTimeout
	}
	return s.installer.Dir(dir, "")
}

// install returns the image with what install.sh did to it, made only once.
func (s Subject) install(ctx context.Context, b *images.Builder, i Installer, worker images.Image) (images.Image, error) {
	return b.Once(ctx, images.Recipe{Kind: "installed", Args: map[string]string{"WORKER": worker.ID, "SUBJECT": s.Hash()}}, func(ctx context.Context, ref string) error {
		files := images.Tree{}
		files.Merge(s.Rootfs, "")
		files.Merge(s.installer, installerDir)
		tar, err := files.Tar()
		if err != nil {
			return err
		}
		bounded, cancel := context.WithTimeout(ctx, s.timeout)
		defer cancel()
		output, err := i.Install(bounded, machine.Install{
			Name: s.Name, Image: worker.ID, Files: tar, Ref: ref,
			Command: append([]string{"/bin/sh", "-c", `cd "/` + installerDir + `" && exec "$0" "$@"`, "./install.sh"}, s.args...),
			Env:     []string{"PACKER_BUILD=1", "DEBIAN_FRONTEND=noninteractive", "HOME=/root"},
			Labels: func(changed []string) map[string]string {
				return map[string]string{images.LabelImage: "installed", labelUnits: strings.Join(unitsAmong(changed), " ")}
			},
		})
		if err == nil {
			return nil
		}
		if bounded.Err() != nil && ctx.Err() == nil {
			err = fmt.Errorf("it did not end within %s (subject.yaml, install.timeout)", s.timeout)
		}
		return InstallError{Command: strings.Join(append([]string{"install.sh"}, s.args...), " "), Output: output, Err: err}
	})
}

// unitsAmong picks the units that are installed for the system.
func unitsAmong(paths []string) []string {
	var out []string
	for _, p := range paths {
		if dir := path.Dir(p); (slices.Contains(unitDirs, dir) || dir == "lib/systemd/system") && unitName.MatchString(path.Base(p)) {
			out = append(out, path.Base(p))
		}
	}
	return out
}

// InstallError is an installer that failed, with what it printed.
type InstallError struct {
	Command, Output string
	Err             error
}

func (e InstallError) Error() string {
	lines := strings.Split(strings.TrimRight(e.Output, "\n"), "\n")
	if cut := len(lines) - outputLines; cut > 0 {
		lines = append([]string{fmt.Sprintf("(%d lines before)", cut)}, lines[cut:]...)
	}
	said := "it printed nothing"
	if e.Output != "" {
		said = "it printed:\n    " + strings.Join(lines, "\n    ")
	}
	return fmt.Sprintf("%s: %v; %s", e.Command, e.Err, said)
}

func (e InstallError) Unwrap() error { return e.Err }

// networkWords are how the usual programs say that they cannot reach a host.
var networkWords = []string{"Could not resolve", "Temporary failure", "Network is unreachable", "Couldn't connect", "unable to resolve"}

// Fix is what to do about it.
func (e InstallError) Fix() string {
	if slices.ContainsFunc(networkWords, func(w string) bool { return strings.Contains(e.Output, w) }) {
		return "an installer has no network here: put what it downloads into the subject's directory, or skip it when it is there already"
	}
	if errors.Is(e.Err, context.Canceled) {
		return "run again"
	}
	return "it ran as root in the booted image, in /" + installerDir + " with PACKER_BUILD=1"
}
