package axiom

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"bootrace/harness/recording"
)

// Bounds of what one request leaves in the log, whatever it held.
const (
	maxSources = 16
	maxSource  = 64
	maxRanges  = 512
)

// lines are the numbered lines of one batch, by source.
type lines map[string]*ranges

// numbered is what makes an event a numbered line. The fields are raw because
// events are any client's: one whose seq is a word is no numbered line, but an event.
type numbered struct {
	Source json.RawMessage `json:"source"`
	Seq    json.RawMessage `json:"seq"`
}

// maxDepth bounds how deep in an event a line is looked for.
const maxDepth = 8

// note notes the numbered lines of an event, and reports whether it has one: by
// their references, else an object in it that has source and seq, or a string
// that is such an object.
func (l *lines) note(event []byte) bool {
	found := false
	for _, m := range recording.RefPattern.FindAllSubmatch(event, -1) {
		seq, err := strconv.Atoi(string(m[2]))
		found = err == nil && l.line(string(m[1]), seq) || found
	}
	return found || l.within(event, maxDepth)
}

// within looks for one in a JSON value.
func (l *lines) within(value []byte, depth int) bool {
	if value = bytes.TrimSpace(value); depth == 0 || len(value) == 0 {
		return false
	}
	switch value[0] {
	case '{':
		var n numbered
		if json.Unmarshal(value, &n) == nil && l.add(n) {
			return true
		}
		var members map[string]json.RawMessage
		if json.Unmarshal(value, &members) != nil {
			return false
		}
		for _, name := range slices.Sorted(maps.Keys(members)) {
			if l.within(members[name], depth-1) {
				return true
			}
		}
	case '[':
		var items []json.RawMessage
		if json.Unmarshal(value, &items) == nil {
			return slices.ContainsFunc(items, func(item json.RawMessage) bool { return l.within(item, depth-1) })
		}
	case '"':
		var text string
		if json.Unmarshal(value, &text) == nil && strings.HasPrefix(strings.TrimSpace(text), "{") {
			return l.within([]byte(text), depth-1)
		}
	}
	return false
}

func (l *lines) add(n numbered) bool {
	var source string
	var seq int
	if n.Source == nil || n.Seq == nil || json.Unmarshal(n.Source, &source) != nil || json.Unmarshal(n.Seq, &seq) != nil {
		return false
	}
	return l.line(source, seq)
}

func (l *lines) line(source string, seq int) bool {
	if source == "" || len(source) > maxSource || seq < 0 {
		return false
	}
	if *l == nil {
		*l = lines{}
	}
	of := (*l)[source]
	if of == nil {
		if len(*l) == maxSources {
			return true // a numbered line, but one too many to tell of
		}
		of = &ranges{}
		(*l)[source] = of
	}
	of.add(seq)
	return true
}

// text returns the lines as the log has them: {"boot-logger":"1-20,22"}.
func (l lines) text() map[string]string {
	if len(l) == 0 {
		return nil
	}
	m := make(map[string]string, len(l))
	for source, r := range l {
		m[source] = r.String()
	}
	return m
}

// ranges is a set of numbers that come mostly in order: sorted, disjoint and not
// adjacent, so that a batch of any length takes a few bytes.
type ranges struct {
	sorted  []recording.Range
	dropped bool
}

func (r *ranges) add(n int) {
	// The first span that n could join or stand before.
	i, _ := slices.BinarySearchFunc(r.sorted, n, func(s recording.Range, n int) int {
		if s.Last < n-1 {
			return -1
		}
		return 1
	})
	switch {
	case i == len(r.sorted) || n < r.sorted[i].First-1:
		if len(r.sorted) == maxRanges {
			r.dropped = true
			return
		}
		r.sorted = slices.Insert(r.sorted, i, recording.Range{First: n, Last: n})
	case n < r.sorted[i].First:
		r.sorted[i].First = n
	case n > r.sorted[i].Last:
		r.sorted[i].Last = n
		if i+1 < len(r.sorted) && r.sorted[i+1].First == n+1 {
			r.sorted[i].Last = r.sorted[i+1].Last
			r.sorted = slices.Delete(r.sorted, i+1, i+2)
		}
	}
}

// String returns "1-20,22"; a set with too many gaps to tell ends in ",...", so
// that nobody takes what is missing for lost.
func (r *ranges) String() string {
	if r.dropped {
		return recording.RangesText(r.sorted) + ",..."
	}
	return recording.RangesText(r.sorted)
}
