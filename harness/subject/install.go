package subject

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"bootrace/harness/look"
	"bootrace/harness/machine"
	"bootrace/images"
)

// Installer makes an image of another one by installing into it.
type Installer interface {
	Install(ctx context.Context, in machine.Install) (output string, err error)
}

// installTimeout is how long an installer may take if its subject does not say.
const installTimeout = 5 * time.Minute

// installerDir is where the subject's directory lies while its installer runs.
const installerDir = "opt/bootrace-subject"

// begunFile is changed a second before the installer begins. It lies where no
// installer cleans up: some remove the directory they came in.
const begunFile = ".bootrace-begun"

// machineIDFile keeps the machine-id that the boot of the image made, beside it.
const machineIDFile = ".bootrace-machine-id"

// labelUnits names the units that an installer brought.
const labelUnits = "bootrace.units"

// labelGenerates: the subject makes units at each boot.
const labelGenerates = "bootrace.generates"

// How much of an installer's output its error shows.
const (
	outputLines   = 30
	outputColumns = 400
)

// readInstaller takes the whole directory, if it or a layer has an install.sh.
func (s *Subject) readInstaller(dir string, m Manifest) error {
	dirs := append(slices.Clone(m.Layers), ".")
	for i, layer := range dirs {
		dirs[i] = filepath.Join(dir, layer)
	}
	if !slices.ContainsFunc(dirs, hasInstaller) {
		if m.Install.Args != nil || m.Install.Timeout != 0 {
			return fmt.Errorf("subject.yaml has install, but there is no %s", filepath.Join(dir, installScript))
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
	for _, d := range dirs {
		own := d == dirs[len(dirs)-1]
		if !own && !hasInstaller(d) {
			continue // its rootfs is all that there is of it
		}
		files := images.Tree{}
		if err := files.Dir(d, ""); err != nil {
			return err
		}
		maps.DeleteFunc(files, func(name string, _ images.File) bool {
			return !own && strings.HasPrefix(name, "rootfs/") // copied to / already
		})
		s.installer.Merge(files, "")
	}
	// As image builds do with a script that they are given.
	if f := s.installer[installScript]; f.Mode.IsRegular() {
		f.Mode |= 0o111
		s.installer[installScript] = f
	}
	return nil
}

const installScript = "install.sh"

func hasInstaller(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, installScript))
	return err == nil
}

// seal is what is done last to an image. What a build leaves in it stays, and is looked at:
// what production would do with it at its first boot, a machine does. Only what bootrace's
// own boot of the image left is taken away again, and not even that of one that is to be
// as it is.
func (s Subject) seal() string {
	var sh strings.Builder
	if s.installer != nil {
		// Told apart by the change of their inode: an installer may keep the time of
		// what it copies. Engines can tell what changed, too, but take seconds.
		fmt.Fprintf(&sh, "for d in /%s; do [ ! -d $d ] || find $d -maxdepth 2 ! -type d -cnewer /%s -printf '%%P\t%%l\n'; done\n",
			strings.Join(images.UnitDirs, " /"), begunFile)
		fmt.Fprintf(&sh, "for d in /%s; do [ ! -e $d ] || find $d ! -type d -cnewer /%s -printf '%s%%p\n'; done\n",
			strings.Join(images.StarterPaths, " /"), begunFile, starter)
		if !s.AsIs {
			fmt.Fprintf(&sh, "if [ -e /%[1]s ] && [ \"$(cat /etc/machine-id 2>&1)\" = \"$(cat /%[1]s)\" ]; then : > /etc/machine-id; fi\n", machineIDFile)
			sh.WriteString("rm -rf /var/log/journal/* /var/lib/dbus/machine-id /var/lib/systemd/random-seed /var/tmp/systemd-private-*\n")
		}
		fmt.Fprintf(&sh, "rm -rf /%s /%s /%s\n", begunFile, machineIDFile, installerDir)
	}
	late := s.Enable
	if s.installer != nil {
		late = slices.DeleteFunc(slices.Clone(s.Enable), s.brings)
	}
	sh.WriteString(enable(late))
	// As in images/worker/Dockerfile: nothing is to be rebuilt at the first boot.
	sh.WriteString("touch -r /usr /etc/.updated /var/.updated\n")
	for _, unit := range s.Enable {
		when := "and no install.sh had a word after it"
		switch {
		case s.installer != nil && s.brings(unit):
			when = "before install.sh ran"
		case s.installer != nil:
			when = "as subject.yaml says, after install.sh ran"
		}
		fmt.Fprintf(&sh, "printf 'look\\tenabled\\t%%s\\t%s\\n' '%s'\n", when, unit)
	}
	for _, name := range []string{"etc/hosts", "etc/resolv.conf"} {
		if f, own := s.Rootfs[name]; own {
			decides := ""
			if name == "etc/resolv.conf" || slices.ContainsFunc(cloudNames, func(n string) bool { return strings.Contains(string(f.Data), n) }) {
				decides = "decides"
			}
			fmt.Fprintf(&sh, "printf 'look\\tcovered\\t/%s\\t%s\\n'\n", name, decides)
		}
	}
	sh.WriteString(look.Script())
	return sh.String()
}

// starter begins the seal's line of a file, from / on, that is run without a unit of its own.
const starter = "starter\t"

// cloudNames are those under which a worker finds its cloud.
var cloudNames = []string{"vault.azure.net", "axiom.co", "metadata"}

// enable is the command, in sh. Quoted: a unit's name may hold a backslash.
func enable(units []string) string {
	if len(units) == 0 {
		return ""
	}
	return fmt.Sprintf("systemctl enable '%s'\n", strings.Join(units, "' '"))
}

// brings: the unit is there before an installer runs.
func (s Subject) brings(unit string) bool {
	_, there := s.unitFiles[unit]
	return there
}

// begin is what is done before an installer runs, in sh: it has the last word on what is
// enabled. The machine-id is that of the boot that it runs in, unless the subject brings one.
func (s Subject) begin() string {
	own := slices.DeleteFunc(slices.Clone(s.Enable), func(unit string) bool { return !s.brings(unit) })
	begin := enable(own)
	if _, theirs := s.Rootfs["etc/machine-id"]; !theirs {
		begin += "cp /etc/machine-id /" + machineIDFile + " || :\n"
	}
	return begin
}

// Bake returns the worker image with the subject in it, made only once, and the
// units that it brings.
func (s Subject) Bake(ctx context.Context, b *images.Builder, i Installer, worker images.Image) (img images.Image, units []string, err error) {
	img, err = b.Once(ctx, images.Recipe{Kind: kind, Args: map[string]string{"WORKER": worker.ID, "SUBJECT": s.Hash()}}, func(ctx context.Context, ref string) error {
		return s.bake(ctx, i, worker, ref)
	})
	if err != nil {
		return img, nil, fmt.Errorf("bake subject %s: %w", s.Name, err)
	}
	if units = s.Units; s.installer != nil {
		units = strings.Fields(img.Labels[labelUnits])
	}
	if len(units) == 0 && !s.generatesWith("") && img.Labels[labelGenerates] == "" {
		return img, nil, fmt.Errorf("bake subject %s: %w", s.Name, noUnit("/"))
	}
	return img, units, nil
}

// kind is the kind of a baked image.
const kind = "subject"

func (s Subject) bake(ctx context.Context, i Installer, worker images.Image, ref string) error {
	files := images.Tree{}
	files.Merge(s.Rootfs, "")
	files.Merge(s.installer, installerDir)
	tar, err := files.Tar()
	if err != nil {
		return err
	}
	in := machine.Install{Name: s.Name, Image: worker.ID, Files: tar, Seal: s.seal(), Ref: ref, Labels: func(sealed string) map[string]string {
		labels := map[string]string{images.LabelImage: kind, labelUnits: strings.Join(s.unitsWith(sealed), " "), look.Label: look.Encode(sealed)}
		if s.generatesWith(sealed) {
			labels[labelGenerates] = "yes"
		}
		return labels
	}}
	if s.installer == nil {
		_, err := i.Install(ctx, in)
		return err
	}
	in.Command = append([]string{"/bin/sh", "-c", "set -e\n" + s.begin() + `cd "/` + installerDir + `" && touch -d '1 second ago' "/` + begunFile + `" && exec "$0" "$@"`, "./install.sh"}, s.args...)
	in.Env = []string{"PACKER_BUILD=1", "DEBIAN_FRONTEND=noninteractive", "HOME=/root"}
	in.Within = s.timeout
	output, err := i.Install(ctx, in)
	switch {
	case errors.As(err, new(machine.LateError)):
		err = fmt.Errorf("%w (subject.yaml, install.timeout)", err)
	case !errors.As(err, new(machine.ExitError)):
		return err // it had not begun, or had done its part
	}
	return InstallError{Command: strings.Join(append([]string{"install.sh"}, s.args...), " "), Output: output, Err: err}
}

// unitsWith are the units, given what the seal printed: an installer's files of
// unit directories, a line each of path, tab and link target. Where there are none, it is
// those that run what it has without.
func (s Subject) unitsWith(sealed string) []string {
	files := maps.Clone(s.unitFiles)
	for line := range strings.Lines(sealed) {
		if file, target, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t"); ok && !strings.HasPrefix(line, "look\t") && !strings.HasPrefix(line, starter) {
			files[file] = target
		}
	}
	units := images.Units(files)
	if len(units) > 0 {
		return units
	}
	for _, file := range s.startersWith(sealed) {
		if unit, _ := images.Starter(file); unit != "" {
			units = append(units, unit)
		}
	}
	slices.Sort(units)
	return slices.Compact(units)
}

// startersWith is the same of files that are run without a unit of their own.
func (s Subject) startersWith(sealed string) []string {
	out := slices.Clone(s.starters)
	for line := range strings.Lines(sealed) {
		if file, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), starter+"/"); ok {
			out = append(out, file)
		}
	}
	return out
}

// generatesWith: units are made of one of those at each boot.
func (s Subject) generatesWith(sealed string) bool {
	return slices.ContainsFunc(s.startersWith(sealed), func(file string) bool {
		unit, ok := images.Starter(file)
		return ok && unit == ""
	})
}

// InstallError is an installer that failed, with what it printed.
type InstallError struct {
	Command, Output string
	Err             error
}

func (e InstallError) Error() string {
	lines := strings.Split(strings.Trim(printable(e.Output), "\n"), "\n")
	if cut := len(lines) - outputLines; cut > 0 {
		lines = append([]string{"(more before)"}, lines[cut:]...)
	}
	for i, l := range lines {
		if r := []rune(l); len(r) > outputColumns {
			lines[i] = string(r[:outputColumns]) + "…"
		}
	}
	said := "it printed nothing"
	if e.Output != "" {
		said = "it printed:\n    " + strings.Join(lines, "\n    ")
	}
	return fmt.Sprintf("%s: %v; %s", e.Command, e.Err, said)
}

// printable leaves of what a program printed what does nothing to a terminal.
func printable(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\r", "\n")
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, s)
}

func (e InstallError) Unwrap() error { return e.Err }

// networkWords are how the usual programs say that they cannot reach a host.
var networkWords = []string{"Could not resolve", "Temporary failure", "Network is unreachable", "Couldn't connect", "unable to resolve", "Unable to locate package"}

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
