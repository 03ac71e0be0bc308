package gate

import (
	"maps"
	"slices"
	"strings"
	"time"

	"bootrace/results"
)

// Certificate is what the gate came to, in its own words; [Sign] makes an in-toto
// attestation of it.
type Certificate struct {
	Result    Result
	Subject   Subject
	Images    []Image // by base
	Policy    PolicyFile
	Waivers   []Waiver // of the policy
	Scenarios map[string]string
	Run       Run
	Reasons   []Reason // why it failed
}

// Subject is what was under test.
type Subject struct {
	Name  string
	Hash  string   // SHA-256 in hex: of its files, or the id of its image
	Given []string // digests of the image that was given: its id, and what registries know it by
}

// Image is a worker image that was booted, and what came of it.
type Image struct {
	Base       string
	Digest     string // the image's id, sha256:…
	BaseDigest string // the id of the image it is made of
	Cases      []Judged
	Found      []results.ImageFinding // what lies in it
	Versions   map[string]string      // of what booted; several are separated by commas
	Statistics map[string]Statistic   // by measure, see package results
}

// Statistic is a measure over the boots that decided the image's cases. A boot in
// which it could not be taken is not counted.
type Statistic struct {
	Median float64 `json:"median"`
	Count  int     `json:"count"`
}

// PolicyFile is the policy as it was read.
type PolicyFile struct {
	File   string
	Source string
}

// Digest is the SHA-256 of the file, in hex.
func (p PolicyFile) Digest() string { return digestOf([]byte(p.Source)) }

// Run is the run that was decided on.
type Run struct {
	ID      string    `json:"id"`
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended"`
	Decided time.Time `json:"decided"`
	Harness string    `json:"harness"` // the version of what booted and judged
}

// Certify writes a decision down.
func Certify(p Policy, plan Plan, run results.Run, d Decision, now time.Time) Certificate {
	c := Certificate{
		Result:  d.Result(),
		Subject: Subject{Name: plan.Subject, Hash: strings.TrimPrefix(plan.Hash, "sha256:"), Given: plan.Given},
		Policy:  PolicyFile{File: p.File, Source: string(p.Source)}, Waivers: p.Waivers, Scenarios: plan.Scenarios,
		Run:     Run{ID: run.ID, Started: run.Started.UTC(), Ended: run.Ended.UTC(), Decided: now.UTC().Round(0), Harness: plan.Harness},
		Reasons: d.Reasons,
	}
	for _, base := range p.Bases {
		i := Image{Base: base, Digest: plan.Images[base], BaseDigest: plan.Bases[base]}
		for _, judged := range d.Cases {
			if judged.Base == base {
				i.Cases = append(i.Cases, judged)
			}
		}
		for _, f := range run.Found {
			if f.Base == base {
				i.Found = append(i.Found, f)
			}
		}
		i.Versions, i.Statistics = measured(run, base)
		c.Images = append(c.Images, i)
	}
	return c
}

// measured sums up the boots that decided the cases of a base.
func measured(run results.Run, base string) (map[string]string, map[string]Statistic) {
	versions, values := map[string]map[string]bool{}, map[string][]float64{}
	for _, c := range run.Cases {
		if c.Base != base || c.Verdict != pass && c.Verdict != fail {
			continue
		}
		a := c.Decided()
		for name, v := range a.Versions {
			if versions[name] == nil {
				versions[name] = map[string]bool{}
			}
			versions[name][v] = true
		}
		if a.Boot == nil {
			continue
		}
		for name, v := range a.Boot.Measures {
			values[name] = append(values[name], v)
		}
	}
	said, statistics := map[string]string{}, map[string]Statistic{}
	for name, set := range versions {
		said[name] = strings.Join(slices.Sorted(maps.Keys(set)), ", ")
	}
	for name, list := range values {
		statistics[name] = Statistic{Median: results.Median(list), Count: len(list)}
	}
	return said, statistics
}
