// Package subject reads what is under test and bakes it into a worker image.
//
// A subject is a directory:
//
//	SUBJECT/rootfs/…      copied to / as it is
//	SUBJECT/install.sh    run in the booted image, as an image build runs it
//	SUBJECT/subject.yaml  optional, see Manifest
//
// One of the first two must be there, in the directory or in a layer of it; with
// both the files come first.
// It knows nothing of what the subject does. The default subject is the
// populator of this project, and is a subject like any other.
package subject

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	unitfile "github.com/coreos/go-systemd/v22/unit"

	"bootrace/harness/check"
	"bootrace/images"
	"bootrace/scenarios/document"
)

// Subject is what is under test, read.
type Subject struct {
	Name   string
	Rootfs images.Tree // what is copied to /
	Enable []string    // units to enable
	Units  []string    // all units it brings; those of an installer are known once it has run
	// Populator is its unit that fetches the credentials, if it says so.
	Populator string
	// Declared is what it says of itself.
	Declared check.Declared
	// AsIs leaves in its image what bootrace's own boot of it left, too.
	AsIs bool

	unitFiles map[string]string // of Rootfs, see [images.Units]
	starters  []string          // of Rootfs, see [images.Starter]
	installer images.Tree       // the directory, if it has an install.sh
	args      []string
	timeout   time.Duration

	// CredentialsWithin is what the subject holds itself to, by scenario; "default" is
	// for scenarios that say nothing of their own.
	CredentialsWithin map[string]time.Duration
}

// Manifest is what subject.yaml may say. Without it every unit with an [Install]
// section is enabled.
type Manifest struct {
	// Layers are directories, relative to this one, whose rootfs comes first. What
	// else one with an install.sh has lies beside this one's when it is run.
	Layers []string `yaml:"layers" jsonschema:"format=text" jsonschema_description:"Directories, relative to this one, whose files come first"`
	// Populator is the unit that fetches the credentials, which scenarios restart and
	// kill, where it is not called as ours is.
	Populator string `yaml:"populator" jsonschema:"format=unit" jsonschema_description:"The unit that fetches the credentials (default: populate-vector-env.service)"`
	// Writes, MayFail and NotJudged are shown with their reasons wherever they count.
	Writes []struct {
		File   string `yaml:"file" jsonschema:"required,format=text" jsonschema_description:"Its absolute path"`
		Reason string `yaml:"reason" jsonschema:"required,format=text" jsonschema_description:"Why it holds credentials"`
	} `yaml:"writes" jsonschema_description:"Files beside vector.env in which credentials are kept, for nobody but root and Vector"`
	MayFail []struct {
		Unit   string `yaml:"unit" jsonschema:"required,format=unit" jsonschema_description:"The unit"`
		Reason string `yaml:"reason" jsonschema:"required,format=text" jsonschema_description:"Why it may"`
	} `yaml:"may_fail" jsonschema_description:"Its units that may fail"`
	NotJudged []struct {
		Check  checkName `yaml:"check" jsonschema:"required" jsonschema_description:"The check"`
		Reason string    `yaml:"reason" jsonschema:"required,format=text" jsonschema_description:"Why it says nothing of this subject"`
	} `yaml:"not_judged" jsonschema_description:"Checks that say nothing of it: no failure, and no pass for a gate"`
	// Enable names the units to enable, instead of those with [Install].
	Enable []string `yaml:"enable" jsonschema:"format=unit" jsonschema_description:"The units to enable (default: those with [Install])"`
	// Install is for an install.sh.
	Install struct {
		Args    []string      `yaml:"args" jsonschema_description:"Its arguments"`
		Timeout time.Duration `yaml:"timeout" jsonschema_description:"How long it may take (default: 5m)"` // [installTimeout]
	} `yaml:"install" jsonschema_description:"How install.sh is run"`
	// CredentialsWithin are limits tighter than the scenarios', by scenario or "default".
	CredentialsWithin map[string]time.Duration `yaml:"credentials_within" jsonschema_description:"Limits tighter than the scenarios', by scenario or default"`
}

// checkName is one of the checks.
type checkName string

// Values are what a file may say.
func (checkName) Values() []string { return check.Names() }

// declared is what the manifest says of the subject.
func (m Manifest) declared() (d check.Declared) {
	for _, w := range m.Writes {
		d.Writes = append(d.Writes, check.Written(w))
	}
	for _, f := range m.MayFail {
		d.MayFail = append(d.MayFail, check.Allowed(f))
	}
	for _, n := range m.NotJudged {
		d.NotJudged = append(d.NotJudged, check.Unjudged{Check: string(n.Check), Reason: n.Reason})
	}
	return d
}

// unitDirs adds the second name that the last has where /usr is merged.
var unitDirs = append(slices.Clone(images.UnitDirs), "lib/systemd/system")

// Read reads a subject directory.
func Read(dir string) (Subject, error) {
	s := Subject{Rootfs: images.Tree{}}
	whole, err := filepath.Abs(dir) // "." has a name
	if err != nil {
		return s, fmt.Errorf("subject %s: %w", dir, err)
	}
	s.Name = filepath.Base(whole)
	m, err := readManifest(filepath.Join(dir, "subject.yaml"))
	if err != nil {
		return s, fmt.Errorf("subject %s: %w", dir, err)
	}
	if err := s.readInstaller(dir, m); err != nil {
		return s, fmt.Errorf("subject %s: %w", dir, err)
	}
	for _, layer := range append(m.Layers, ".") {
		rootfs := filepath.Join(dir, layer, "rootfs")
		// Layers may be all that it is of.
		enough := s.installer != nil || layer == "." && len(m.Layers) > 0
		if _, err := os.Stat(rootfs); enough && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if info, err := os.Stat(rootfs); err != nil || !info.IsDir() {
			return s, fmt.Errorf("subject %s: there is no directory %s, whose files are copied to / of the worker image, and no install.sh (README.md, \"Your own subject\")", dir, rootfs)
		}
		if err := s.Rootfs.Dir(rootfs, ""); err != nil {
			return s, fmt.Errorf("subject %s: %w", dir, err)
		}
	}
	s.Enable, s.Populator, s.Declared, s.CredentialsWithin = m.Enable, m.Populator, m.declared(), m.CredentialsWithin
	if err := s.complete(m.Enable != nil); err != nil {
		return s, fmt.Errorf("subject %s: %w", dir, err)
	}
	return s, nil
}

// readManifest returns the zero manifest when there is no file.
func readManifest(file string) (m Manifest, err error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return m, err
	}
	p := &document.Problems{File: file, Source: text}
	root := p.Read("subject", unversioned, manifestSchema(), &m)
	for name, limit := range m.CredentialsWithin {
		if limit <= 0 {
			p.At(document.Find(root, "credentials_within", name), "credentials_within.%s: expected more than 0s", name)
		}
	}
	for i, w := range m.Writes {
		if !path.IsAbs(w.File) {
			p.At(document.Find(root, "writes", i, "file"), "writes[%d].file: expected an absolute path", i)
		}
	}
	return m, p.Err()
}

// unversioned: a manifest has no version, and may say nothing.
const unversioned = 0

var manifestSchema = sync.OnceValue(func() *document.Schema { return document.Of(Manifest{}, "bootrace subject") })

// Schema is the JSON Schema (2020-12) of subject.yaml, for editors.
func Schema() ([]byte, error) { return manifestSchema().JSON() }

// Populator is the default subject: this project's own, built from source.
func Populator(ctx context.Context, b *images.Builder) (Subject, error) {
	s := Subject{Name: "populator", Rootfs: images.Tree{}}
	m, err := readManifest(filepath.Join(b.Root, "populator", "subject.yaml"))
	if err := errors.Join(err,
		b.AddProgram(ctx, s.Rootfs, "populator/cmd/populate-vector-env", "usr/local/bin/populate-vector-env"),
		s.Rootfs.Dir(filepath.Join(b.Root, "populator", "systemd"), "etc/systemd/system"),
	); err != nil {
		return s, fmt.Errorf("subject populator: %w", err)
	}
	s.CredentialsWithin = m.CredentialsWithin
	return s, s.complete(false)
}

// complete fills in Units, and Enable where the subject does not say.
func (s *Subject) complete(named bool) error {
	s.unitFiles = map[string]string{}
	for name, f := range s.Rootfs {
		if _, ok := images.Starter(name); ok {
			s.starters = append(s.starters, name)
		}
		for _, dir := range unitDirs {
			file, ok := strings.CutPrefix(name, dir+"/")
			if !ok {
				continue
			}
			s.unitFiles[file] = ""
			if f.Mode&fs.ModeSymlink != 0 {
				s.unitFiles[file] = string(f.Data)
				f = s.Rootfs[strings.TrimPrefix(string(f.Data), "/")]
			}
			if !named && images.IsUnit(file, s.unitFiles[file]) && s.installs(file, f.Data) {
				s.Enable = append(s.Enable, file)
			}
		}
	}
	slices.Sort(s.Enable)
	s.Units = s.unitsWith("")
	if len(s.Units) == 0 && s.installer == nil && !s.generatesWith("") {
		return noUnit("rootfs/")
	}
	return nil
}

// installs reports whether a unit can be enabled: [Install] of its file, or of its
// drop-ins, says something, and a template names an instance (systemd.unit(5),
// DefaultInstance=).
func (s *Subject) installs(unit string, text []byte) bool {
	text = append([]byte("\n"), text...)
	for _, name := range slices.Sorted(maps.Keys(s.Rootfs)) {
		if path.Base(path.Dir(name)) == unit+".d" && path.Ext(name) == ".conf" {
			text = slices.Concat(text, []byte("\n"), s.Rootfs[name].Data)
		}
	}
	options, err := unitfile.DeserializeOptions(bytes.NewReader(text))
	install := map[string]string{}
	for _, o := range options {
		if o.Section != "Install" {
			continue
		}
		if install[o.Name] = o.Value; o.Value == "" { // takes back what was said before
			delete(install, o.Name)
		}
	}
	if strings.Contains(unit, "@.") {
		return install["DefaultInstance"] != ""
	}
	// The library gives up at a line without "=" and at one of more than 2 kB; systemd
	// warns of the one and takes the other.
	return len(install) > 0 || err != nil && bytes.Contains(text, []byte("\n[Install]\n"))
}

func noUnit(root string) error {
	return fmt.Errorf("it brings no unit, nor a drop-in for one, nor what is run without: expected one in %s; or a file in %s",
		root+strings.Join(images.UnitDirs, " or "+root), root+strings.Join(images.StarterPaths, " or "+root))
}

// Hash identifies what is under test: two subjects with one hash are the same.
func (s Subject) Hash() string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s\n%q\n%s\n", s.Rootfs.Hash(), s.installer.Hash(), s.args, s.seal())
	fmt.Fprint(h, s.begin())
	if s.Populator != "" {
		fmt.Fprintln(h, s.Populator)
	}
	if d, err := json.Marshal(s.Declared); err == nil && string(d) != "{}" {
		h.Write(d)
	}
	return hex.EncodeToString(h.Sum(nil))
}
