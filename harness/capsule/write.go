package capsule

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"bootrace/harness/recording"
	"bootrace/images"
	"bootrace/results"
)

// Contents are what goes into a capsule.
type Contents struct {
	Run  results.Run // with one case, the one that is packed
	Page []byte
	// Subject is what was under test, and At the directory in it that is the subject;
	// both empty: it was an image.
	Subject images.Tree
	At      string
	Made    time.Time
}

// Write writes a capsule. It refuses what looks like a secret: a recording has none,
// but a subject is somebody's directory.
func Write(w io.Writer, c Contents) (Manifest, error) {
	if len(c.Run.Cases) != 1 {
		return Manifest{}, fmt.Errorf("pack a capsule: expected one case, got %d", len(c.Run.Cases))
	}
	kase := c.Run.Cases[0]
	m := Manifest{
		Format: Format, Made: c.Made.UTC(), Case: kase.ID, Run: c.Run.ID,
		Subject: Subject{Name: kase.Subject, Hash: kase.Hash}, Recipe: recipe(c.Run, kase), Files: map[string]File{},
	}
	files, err := c.files(kase)
	if err == nil && c.At != "" {
		m.Subject.Dir = path.Join(subjectDir, c.At)
		files.Merge(c.Subject, subjectDir)
	}
	if err == nil {
		err = innocent(files)
	}
	if err != nil {
		return m, fmt.Errorf("pack case %s: %w", kase.ID, err)
	}
	for name, f := range files {
		sum := sha256.Sum256(f.Data)
		m.Files[name] = File{Mode: f.Mode, Size: int64(len(f.Data)), SHA256: hex.EncodeToString(sum[:])}
	}
	if err := write(w, m, files); err != nil {
		return m, fmt.Errorf("pack case %s: %w", kase.ID, err)
	}
	return m, nil
}

// files are all but the subject's.
func (c Contents) files(kase results.Case) (images.Tree, error) {
	files := images.Tree{}
	for dir, in := range recordings(kase) {
		if _, _, err := recording.Open(dir); err != nil {
			return nil, err
		}
		if err := files.Dir(dir, in); err != nil {
			return nil, err
		}
	}
	scenario, ok := files[path.Join(RecordingDir, recording.CaseFile)]
	if !ok {
		return nil, fmt.Errorf("its recording has no %s", recording.CaseFile)
	}
	record, err := json.MarshalIndent(abroad(c.Run, kase), "", "  ")
	if err != nil {
		return nil, err
	}
	files[ScenarioFile] = scenario
	files[caseFile] = images.File{Mode: 0o644, Data: append(record, '\n')}
	files[PageFile] = images.File{Mode: 0o644, Data: c.Page}
	return files, nil
}

// looksSecret are the forms of what nobody should have by a capsule: tokens of Axiom and
// private keys. The values of a boot's own secrets are not known any more, nor needed:
// its recording has their names instead.
var looksSecret = []struct {
	what string
	form *regexp.Regexp
}{
	{"a token of Axiom", regexp.MustCompile(`xaa[a-z]-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)},
	{"a private key", regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/=]{40}`)},
}

// innocent refuses files in which something looks like a secret.
func innocent(files images.Tree) error {
	tokens := recording.NewRedactor(nil)
	for name, f := range files {
		data := f.Data
		if strings.HasSuffix(name, ".gz") {
			if plain, err := gunzip(data); err == nil {
				data = plain
			}
		}
		for _, s := range looksSecret {
			if s.form.Match(data) {
				return fmt.Errorf("%s has what looks like %s: a capsule is for others too; take it out of the subject, or if it is the recording's, a check has missed a leak", name, s.what)
			}
		}
		if found := tokens.Find(data); len(found) > 0 && !within(subjectDir, name) {
			return fmt.Errorf("%s has an %s", name, strings.Join(found, " and an "))
		}
	}
	return nil
}

func gunzip(data []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, maxUnpacked))
}

func write(w io.Writer, m Manifest, files images.Tree) error {
	z, err := zstd.NewWriter(w)
	if err != nil {
		return err
	}
	t := tar.NewWriter(z)
	manifest, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	put := func(name string, f images.File) error {
		h := &tar.Header{Name: name, Mode: int64(f.Mode.Perm()), ModTime: m.Made, Typeflag: tar.TypeReg, Size: int64(len(f.Data))}
		switch {
		case f.Mode&fs.ModeSymlink != 0:
			h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, string(f.Data), 0
		case f.Mode.IsDir():
			h.Typeflag = tar.TypeDir
		}
		if err := t.WriteHeader(h); err != nil {
			return err
		}
		if h.Typeflag != tar.TypeReg {
			return nil
		}
		_, err := t.Write(f.Data)
		return err
	}
	if err := put(manifestFile, images.File{Mode: 0o644, Data: append(manifest, '\n')}); err != nil {
		return err
	}
	for _, name := range m.names() {
		if err := put(name, files[name]); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if err := t.Close(); err != nil {
		return err
	}
	return z.Close()
}
