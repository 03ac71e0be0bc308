package journal

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"
)

// object reads a line that is a JSON object: an entry of journalctl -o json (the Journal JSON
// Format), or a record of somebody who keeps lines.
func (t *textReader) object(n int, b []byte) bool {
	fields := map[string]string{}
	ok := members(b, func(name string, value []byte) {
		if !wanted[name] {
			return
		}
		s, whole := decodeField(value)
		if !whole {
			t.fault(n, "a field was left out for its size (journalctl without --all)")
		}
		fields[name] = s
	})
	switch {
	case ok && fields["__REALTIME_TIMESTAMP"] != "":
		t.fielded(n, JSON, fields, time.Time{})
		return true
	case !ok && (len(fields) > 0 || bytes.Contains(b, []byte(`"__REALTIME_TIMESTAMP"`)) || bytes.Contains(b, []byte(`"__CURSOR"`))):
		t.fault(n, "an entry that is cut or is not JSON")
		return true
	case !ok:
		return false
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return false
	}
	if rec, ok := lineOf(v); ok {
		t.record(&n, rec)
		return true
	}
	found := false
	return t.inOrder(func() error { found = t.records(&n, v); return nil }) == nil && found
}

// ofFields makes an entry of journald's fields.
func ofFields(n int, form Form, fields map[string]string) Entry {
	e := Entry{Line: n, Form: form, Fields: fields, Boot: fields["_BOOT_ID"], Host: Clean([]byte(fields["_HOSTNAME"])), Ident: fields["SYSLOG_IDENTIFIER"]}
	if e.Ident == "" {
		e.Ident = fields["_COMM"]
	}
	e.Ident = Clean([]byte(e.Ident))
	e.PID, _ = strconv.Atoi(fields["_PID"])
	if us, err := strconv.ParseInt(fields["__MONOTONIC_TIMESTAMP"], 10, 64); err == nil && us >= 0 && us < maxMicro {
		e.Mono, e.HasMono = time.Duration(us)*time.Microsecond, true
	}
	if us, err := strconv.ParseInt(fields["__REALTIME_TIMESTAMP"], 10, 64); err == nil && us > 0 && us < maxMicro {
		e.Wall = time.UnixMicro(us).UTC()
	}
	msg := fields["MESSAGE"]
	if len(msg) > maxMessage {
		msg = msg[:maxMessage]
	}
	e.Message = Clean([]byte(msg))
	fields["MESSAGE"] = e.Message
	return e
}

// maxMicro keeps microseconds within time.Duration.
const maxMicro = int64(1<<63-1) / 1000 / 2

// members calls f for each member of the object: its undecoded value. ok: b is one whole object.
func members(b []byte, f func(name string, value []byte)) bool {
	i := space(b, 0)
	if i >= len(b) || b[i] != '{' {
		return false
	}
	i = space(b, i+1)
	for i < len(b) && b[i] == '"' {
		end := stringEnd(b, i)
		if end < 0 {
			return false
		}
		name := b[i+1 : end-1]
		i = space(b, end)
		if i >= len(b) || b[i] != ':' {
			return false
		}
		start := space(b, i+1)
		end = valueEnd(b, start)
		if end < 0 {
			return false
		}
		f(string(name), b[start:end])
		i = space(b, end)
		if i < len(b) && b[i] == ',' {
			i = space(b, i+1)
		}
	}
	return i < len(b) && b[i] == '}' && space(b, i+1) == len(b)
}

func space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	return i
}

// stringEnd is after the closing quote of the string at i; -1: there is none.
func stringEnd(b []byte, i int) int {
	for i++; i < len(b); {
		q := bytes.IndexByte(b[i:], '"')
		if q < 0 {
			return -1
		}
		back := 0
		for k := i + q - 1; k >= i && b[k] == '\\'; k-- {
			back++
		}
		if i += q + 1; back%2 == 0 {
			return i
		}
	}
	return -1
}

// valueEnd is after the value at i, which may hold others; -1: it has no end.
func valueEnd(b []byte, i int) int {
	if i >= len(b) {
		return -1
	}
	if b[i] == '"' {
		return stringEnd(b, i)
	}
	depth := 0
	for i < len(b) {
		switch b[i] {
		case '"':
			if i = stringEnd(b, i); i < 0 {
				return -1
			}
			continue
		case '[', '{':
			depth++
		case ',':
			if depth == 0 {
				return i
			}
		case ']', '}':
			if depth--; depth < 0 {
				return i
			}
			if depth == 0 {
				return i + 1
			}
		}
		i++
	}
	return -1
}

// decodeField is a field's text: a string, an array of numbers (bytes that are not text), an
// array of either (the first counts), or null (too large for journalctl without --all).
func decodeField(raw []byte) (s string, whole bool) {
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return "", false
	case raw[0] == '"':
		if bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw) {
			return string(raw[1 : len(raw)-1]), true
		}
		if json.Unmarshal(raw, &s) == nil {
			return s, true
		}
		return string(bytes.Trim(raw, `"`)), true
	case raw[0] != '[':
		return string(raw), true
	}
	first := space(raw, 1)
	if first < len(raw) && (raw[first] == '[' || raw[first] == '"' || raw[first] == 'n') {
		end := valueEnd(raw, first)
		if end < 0 || raw[first] == '[' && first+1 < len(raw) && raw[first+1] == '[' {
			return "", true
		}
		return decodeField(raw[first:end])
	}
	var out []byte
	for part := range bytes.SplitSeq(bytes.Trim(raw, "[]"), []byte(",")) {
		v, err := strconv.Atoi(string(bytes.TrimSpace(part)))
		if err != nil || v < -128 || v > 255 {
			return string(out), len(out) == 0
		}
		if out = append(out, byte(v)); len(out) > maxMessage {
			break
		}
	}
	return string(out), true
}
