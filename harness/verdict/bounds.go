package verdict

import (
	"slices"
	"strings"

	"bootrace/harness/check"
)

// Bounds are what one boot could not show, however calm its host.
type Bounds struct {
	Lacks []Lack `json:"lacks,omitempty"`
	// Undone is what the scenario was to do and could not; empty: nothing.
	Undone string `json:"undone,omitempty"`
	// Late: it might have, had the boot been sooner.
	Late bool `json:"late,omitempty"`
}

// Lack is what a machine of this kind has not and a real one has.
type Lack struct {
	Reason string `json:"reason"`
	// Decides: what is under test needs it, so that a boot without it shows nothing.
	Decides bool `json:"decides,omitempty"`
	// Explains: the finding comes of it; nil: none does.
	Explains func(check.Finding) bool `json:"-"`
}

func (b Bounds) deciding() []Lack {
	return slices.DeleteFunc(slices.Clone(b.Lacks), func(l Lack) bool { return !l.Decides })
}

func (b Bounds) explains(f check.Finding) (Lack, bool) {
	for _, l := range b.Lacks {
		if l.Explains != nil && l.Explains(f) {
			return l, true
		}
	}
	return Lack{}, false
}

// untestable is each reason once.
func untestable(lacks []Lack) string {
	var all []string
	for _, l := range lacks {
		if !slices.Contains(all, l.Reason) {
			all = append(all, l.Reason)
		}
	}
	return "a container cannot show it: " + strings.Join(all, "; ")
}
