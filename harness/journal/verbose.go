package journal

import (
	"bytes"
	"strings"
)

// cursor is how the first line of an entry of journalctl -o verbose goes on after the date.
const cursor = "[s="

// field is "    NAME=value" of an entry of journalctl -o verbose.
func (t *textReader) field(b []byte) {
	name, value, ok := bytes.Cut(bytes.TrimLeft(b, " \t"), []byte("="))
	if !ok || !fieldName(name) || t.raw == 0 || t.held.Form != Verbose {
		return
	}
	set(t.held.Fields, string(name), value)
}

// opens reads that line.
func (t *textReader) opens(n int, s string) bool {
	at := strings.Index(s, cursor)
	if at < 0 || !strings.HasSuffix(s, "]") {
		return false
	}
	var e Entry
	if _, kind := stamp(s[:at]+" x", &e); kind != wall {
		return false
	}
	t.hold(Entry{Line: n, Form: Verbose, Wall: e.Wall, Fields: map[string]string{}}, 1)
	return true
}
