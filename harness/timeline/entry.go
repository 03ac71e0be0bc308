package timeline

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// entry is one journal entry with its fields undecoded: of some thirty, about
// ten are read.
type entry struct {
	raw       map[string]json.RawMessage
	text      map[string]string // or decoded, of a log that is of no recording
	oversized bool              // a field that was asked for is null
	wrong     string            // a field of ours that cannot be right
}

func (en *entry) has(name string) bool {
	_, raw := en.raw[name]
	_, text := en.text[name]
	return raw || text
}

// get decodes a field: a string, an array of numbers (not printable text), an
// array of either (the field occurs more than once: the first counts), or null
// (larger than 4096 bytes and journalctl was not given --all).
func (en *entry) get(name string) string {
	if s, ok := en.text[name]; ok {
		return s
	}
	raw, ok := en.raw[name]
	if !ok {
		return ""
	}
	s, ok := decode(raw)
	if !ok {
		en.oversized = true
	}
	return s
}

func decode(raw json.RawMessage) (string, bool) {
	if len(raw) == 0 || string(raw) == "null" {
		return "", false
	}
	if raw[0] != '[' {
		var s string
		if json.Unmarshal(raw, &s) == nil {
			return s, true
		}
		return strings.Trim(string(raw), `"`), true // a bare number
	}
	var numbers []uint8AsNumber
	if json.Unmarshal(raw, &numbers) == nil {
		b := make([]byte, len(numbers))
		for i, n := range numbers {
			b[i] = byte(n)
		}
		return string(b), true
	}
	var many []json.RawMessage
	if json.Unmarshal(raw, &many) != nil || len(many) == 0 {
		return "", true
	}
	if many[0] == nil || many[0][0] == '[' && len(many[0]) > 1 && many[0][1] == '[' {
		return "", true // deeper than the format goes
	}
	return decode(many[0])
}

// uint8AsNumber keeps encoding/json from taking []uint8 for base64.
type uint8AsNumber uint8

func (en *entry) number(name string) int {
	n, err := strconv.Atoi(en.get(name))
	if err != nil {
		return 0
	}
	return n
}

// secrets looks at every field, also at those nobody reads and at every
// occurrence of a repeated one.
func (en *entry) secrets(line []byte) []string {
	names := secretsIn(scrub(string(line)))
	for _, raw := range en.raw {
		if len(raw) == 0 || raw[0] != '[' {
			continue
		}
		var many []json.RawMessage
		if json.Unmarshal(raw, &many) != nil {
			continue
		}
		texts := []json.RawMessage{raw}
		if len(many) > 0 && len(many[0]) > 0 && many[0][0] != '-' && (many[0][0] < '0' || many[0][0] > '9') {
			texts = many
		}
		for _, t := range texts {
			s, _ := decode(t)
			for _, n := range secretsIn(scrub(s)) {
				names = addNew(names, n)
			}
		}
	}
	return names
}

func addNew(names []string, n string) []string {
	if slices.Contains(names, n) {
		return names
	}
	return append(names, n)
}

// ours reads the entries of the boot logger and of the scenario's script.
func (en *entry) ours(event string, e *Event) {
	switch event {
	case "script":
		e.Kind, e.Step = Script, en.get("BOOTRACE_STEP")
		e.Text = strings.TrimSpace(e.Step + " " + en.get("BOOTRACE_PATH"))
	case "env-file":
		e.Kind = EnvFile
		f := &FileChange{
			Path: en.get("BOOTRACE_PATH"), Op: en.get("BOOTRACE_OP"),
			Mode: en.get("BOOTRACE_MODE"), UID: en.get("BOOTRACE_UID"),
			Vars: vars(en.get("BOOTRACE_VARS")), Whole: en.get("BOOTRACE_WHOLE") == "1",
			Size: int64(en.number("BOOTRACE_SIZE")),
		}
		f.Others, f.KnownOthers = others(en.get("BOOTRACE_OTHERS"))
		if f.Path == "" || f.Op == "" {
			en.wrong = "an env-file entry without path or operation"
		}
		e.File = f
		e.Text = strings.TrimSpace(fmt.Sprintf("%s %s mode=%s uid=%s size=%d whole=%t %s",
			f.Op, f.Path, f.Mode, f.UID, f.Size, f.Whole, en.get("BOOTRACE_VARS")))
		en.seenAt(e)
	}
}

// seenAt prefers the moment the boot logger saw the event to the moment
// journald got the entry.
func (en *entry) seenAt(e *Event) {
	ns, err := strconv.ParseInt(en.get("BOOTRACE_MONO"), 10, 64)
	if err != nil || ns <= 0 {
		en.wrong = "an env-file entry without BOOTRACE_MONO"
		return
	}
	us, err := strconv.ParseInt(en.get("__MONOTONIC_TIMESTAMP"), 10, 64)
	if err == nil {
		e.At += time.Duration(ns) - time.Duration(us)*time.Microsecond
	}
}

// vars reads NAME=digest,… .
func vars(s string) map[string]string {
	out := map[string]string{}
	for part := range strings.SplitSeq(s, ",") {
		if name, digest, ok := strings.Cut(strings.TrimSpace(part), "="); ok && name != "" {
			out[name] = digest
		}
	}
	return out
}
