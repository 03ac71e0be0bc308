package config

import (
	"fmt"
	"slices"
	"strings"
)

// Played is how a component of the configuration is played, where that is anything but simply "played".
type Played struct {
	ID   string `json:"id"`
	Kind string `json:"kind"`
	Type string `json:"type"`
	How  string `json:"how"` // silent, played, passed on or swallowed
	Why  string `json:"why"`
	// Unjudged says that what passes here cannot be judged: whether it arrives, or what is in it.
	Unjudged bool `json:"unjudged,omitempty"`
}

// Undecided is something of which only a real `vector validate` could say whether it is right.
type Undecided struct {
	Component string // as in `sinks.platform`
	What      string // a sentence without its full stop
}

// UndecidedPrefix begins the line that says so; the harness looks for it.
const UndecidedPrefix = "bootrace stand-in cannot decide: "

// Sentence is the whole line.
func (u Undecided) Sentence() string {
	return fmt.Sprintf("%s`%s`: %s; only a real Vector can say, so give one: `--vector real`, or the path of a .deb or a program, or an image that holds it",
		UndecidedPrefix, u.Component, u.What)
}

// Undecided gives what only a real Vector could decide, in the order of the components.
func (c *Config) Undecided() []Undecided { return slices.Clone(c.undecided) }

// Played tells how each component is played that is not simply played.
func (c *Config) Played() []Played {
	var all []Played
	add := func(p Played, ignored []string) {
		if len(ignored) > 0 {
			why := fmt.Sprintf("`%s` is no option of it, and Vector takes no notice either", strings.Join(ignored, "`, `"))
			if p.How == "" {
				p.How, p.Why = "played", why
			} else {
				p.Why += "; " + why
			}
		}
		if p.How != "" {
			all = append(all, p)
		}
	}
	journal := slices.ContainsFunc(c.Sources, func(s Source) bool { return s.Type == "journald" })
	for _, s := range c.Sources {
		p := Played{ID: s.ID, Kind: "source", Type: s.Type}
		if known := sourceTypes[s.Type]; !known.Played {
			p.How, p.Why = "silent", "this source is not played: it opens nothing and reads nothing"
			// Beside a journald source the worker's lines come by that one.
			p.Unjudged = known.Local && !journal
		}
		add(p, s.Ignored)
	}
	for _, t := range c.Transforms {
		add(t.played(), t.Ignored)
	}
	axiom := slices.ContainsFunc(c.Sinks, func(s Sink) bool { return s.Type == "axiom" })
	for _, s := range c.Sinks {
		p := Played{ID: s.ID, Kind: "sink", Type: s.Type}
		if !sinkTypes[s.Type].Played {
			p.How, p.Why = "swallowed", "this sink is not played: it takes everything and sends nothing"
			p.Unjudged = !axiom
		}
		add(p, s.Ignored)
	}
	return all
}

func (t Transform) played() Played {
	p := Played{ID: t.ID, Kind: "transform", Type: t.Type}
	if !transformTypes[t.Type].Played {
		p.How, p.Why, p.Unjudged = "passed on", "this transform is not played: events pass as they are", true
		return p
	}
	var unknown []string
	for _, program := range t.programs() {
		for _, form := range program.Unknown() {
			if !slices.Contains(unknown, form) {
				unknown = append(unknown, form)
			}
		}
	}
	if t.opaque != "" {
		unknown = append(unknown, t.opaque)
	}
	if len(unknown) > 0 {
		p.How, p.Unjudged = "passed on", true
		p.Why = "these forms are not played, so events pass as they are: " + strings.Join(unknown, ", ")
	}
	return p
}
