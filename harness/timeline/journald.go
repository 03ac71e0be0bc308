package timeline

import (
	"encoding/json"
	"io"
	"strconv"
	"strings"
)

// readRoom reads path and bytes free.
func readRoom(r io.Reader, d *damage) map[string]int64 {
	out := map[string]int64{}
	rows(r, d, 2, 2, func(n int, f []string) {
		free, err := strconv.ParseInt(f[1], 10, 64)
		if err != nil {
			d.at(n, "no number of bytes")
			return
		}
		out[f[0]] = free
	})
	return out
}

// readJournald reads journald.conf(5) with its drop-ins, as systemd-analyze cat-config
// prints them: each after its path in a comment. The last word on a setting holds, and an
// empty one takes it back.
func readJournald(r io.Reader, d *damage) map[string]Setting {
	out := map[string]Setting{}
	path := ""
	eachLine(r, d, func(n int, line []byte) {
		text := strings.TrimSpace(string(line))
		if file, ok := strings.CutPrefix(text, "# /"); ok && strings.HasSuffix(file, ".conf") {
			path = "/" + file
			return
		}
		name, value, ok := strings.Cut(text, "=")
		if !ok || strings.HasPrefix(text, "#") || strings.HasPrefix(text, ";") {
			return
		}
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if delete(out, name); value != "" {
			out[name] = Setting{Value: value, Path: path, Evidence: Evidence{File: Journald, Line: n, Text: clip(path + ": " + name + "=" + value)}}
		}
	})
	return out
}

// numbers are journald's own of the entries, by the ID of their sequence: they go from 1
// without a gap, whatever is dropped on the way to the journal (systemd's
// journal-file.c). What is missing has been in it, and was removed.
type numbers map[string]map[uint64]bool

// add takes an entry's __CURSOR, whose s and i they are (Journal Export Formats).
func (ns numbers) add(cursor json.RawMessage) {
	text, _ := decode(cursor)
	var id string
	for part := range strings.SplitSeq(text, ";") {
		if value, ok := strings.CutPrefix(part, "s="); ok {
			id = value
		}
		value, ok := strings.CutPrefix(part, "i=")
		n, err := strconv.ParseUint(value, 16, 64)
		if !ok || err != nil || id == "" {
			continue
		}
		if ns[id] == nil {
			ns[id] = map[uint64]bool{}
		}
		ns[id][n] = true
	}
}

// removed counts what is missing below the highest.
func (ns numbers) removed() int {
	gone := 0
	for _, have := range ns {
		highest := uint64(0)
		for n := range have {
			highest = max(highest, n)
		}
		gone += int(min(highest, maxRemoved)) - min(len(have), maxRemoved)
	}
	return max(0, gone)
}

// maxRemoved bounds what a garbled cursor may say.
const maxRemoved = 1 << 30
