// Package capsule is a case in one file, to be looked at and booted anywhere: its
// subject, its scenario, what its image was made of, its recording and its page. A
// capsule is a tar in zstd whose first file says what the others are, by their digests.
// It is no proof of where it comes from: who can change a file can change its digest.
//
//	m, err := capsule.Write(w, capsule.Contents{Run: run, Page: html, Subject: files, At: "pr254"})
//	c, err := capsule.Open("case.tar.zst", dir)    // unpacked in dir, every digest checked
package capsule

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"bootrace/results"
)

// Format is the version of the form, as it is written and the newest that is read.
const Format = 1

// Suffix is how a capsule's name ends.
const Suffix = ".tar.zst"

// Is reports whether a name is that of a capsule; a case's id never ends so.
func Is(name string) bool { return strings.HasSuffix(name, Suffix) }

// The files of a capsule.
const (
	manifestFile  = "manifest.json"
	caseFile      = "case.json"     // a results.Run with one case
	ScenarioFile  = "scenario.yaml" // the scenario as it was read
	PageFile      = "page.html"
	RecordingDir  = "recording"
	subjectDir    = "subject"
	maxManifest   = 16 << 20
	maxUnpacked   = 8 << 30 // of all files: far above any case's
	maxFilesInOne = 200_000
)

// Manifest is what a capsule says of itself.
type Manifest struct {
	Format  int             `json:"format"`
	Made    time.Time       `json:"made"`
	Case    string          `json:"case"`
	Run     string          `json:"run"`
	Subject Subject         `json:"subject"`
	Recipe  Recipe          `json:"recipe"`
	Files   map[string]File `json:"files"`
}

// Subject is what was under test.
type Subject struct {
	Name string `json:"name"`
	Hash string `json:"hash"`
	Dir  string `json:"dir,omitempty"` // in the capsule; empty: it was an image, which is not packed
}

// Recipe is what the image that booted was made of, and what it ran on. The images
// themselves are not packed: bootrace makes them anew.
type Recipe struct {
	Base      string            `json:"base"`
	BaseImage string            `json:"base_image,omitempty"`
	Worker    string            `json:"worker_image,omitempty"`
	Vector    string            `json:"vector"` // as --vector takes it; empty: it was a file, which is not packed
	AsIs      bool              `json:"as_is,omitempty"`
	Versions  map[string]string `json:"versions,omitempty"`
}

// File is a file, a symbolic link or an empty directory.
type File struct {
	Mode   fs.FileMode `json:"mode"`
	Size   int64       `json:"size"`
	SHA256 string      `json:"sha256"` // of the content, or of the link's target
}

// names are the files' names in their order.
func (m Manifest) names() []string { return slices.Sorted(maps.Keys(m.Files)) }

// recipe is what a run knows of how its case's image was made.
func recipe(r results.Run, c results.Case) Recipe {
	out := Recipe{Base: c.Base, BaseImage: r.Bases[c.Base], Worker: c.Image, Vector: vector(r.Request, c.Vector), Versions: map[string]string{}}
	if r.Request != nil {
		out.AsIs = r.Request.AsIs
	}
	maps.Copy(out.Versions, r.Versions)
	maps.Copy(out.Versions, c.Decided().Versions)
	return out
}

// named is how Vector, and the stand-in, call themselves.
var named = regexp.MustCompile(`^vector (\d+\.\d+\.\d+)( \(bootrace stand-in)?`)

// vector asks for the Vector that ran: what auto finds may be another one elsewhere.
func vector(q *results.Request, ran string) string {
	m := named.FindStringSubmatch(ran)
	if m != nil && m[2] != "" {
		return "stand-in:" + m[1]
	}
	if q == nil || filepath.IsAbs(q.Vector) {
		return "" // not known, or a file
	}
	if slices.Contains([]string{"", "auto", "real"}, q.Vector) {
		if m == nil {
			return ""
		}
		return "real:" + m[1]
	}
	return q.Vector
}

// recordings are the boots of the machine that decided: the directories of their
// recordings here, and in the capsule.
func recordings(c results.Case) map[string]string {
	out := map[string]string{c.Recording: RecordingDir}
	for _, a := range c.Boots() {
		if a.Recording != c.Recording {
			out[a.Recording] = fmt.Sprintf("%s-%d", RecordingDir, a.Number)
		}
	}
	return out
}

// abroad is a run with one case as it is told elsewhere: without what is of this host.
func abroad(r results.Run, c results.Case) results.Run {
	packed := recordings(c)
	attempts := slices.Clone(c.Attempts)
	for i, a := range attempts {
		attempts[i].Recording = packed[a.Recording] // of another machine: none
	}
	c.Attempts, c.Recording, c.Kept = attempts, RecordingDir, ""
	r.Cases, r.Dir, r.Planned = []results.Case{c}, "", 1
	r.Request = nil // its paths are of this host
	return r
}

// within says whether a name is in a directory of the capsule.
func within(dir, name string) bool { return strings.HasPrefix(name, dir+"/") }

// ofImage says whether a name is of a subject's files that are copied to /: its links
// are the image's, and lead where they lead there.
func ofImage(name string) bool {
	return within(subjectDir, name) && slices.Contains(strings.Split(path.Dir(name), "/"), "rootfs")
}
