package recording

import (
	"bytes"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
)

// Redactor knows secrets however they are written, finds them, and replaces them by
// their names.
type Redactor struct{ forms []form }

type form struct {
	name string
	text []byte
}

// IdentityToken is the name of the access tokens that the cloud issues to the
// machine's identity.
const IdentityToken = "imds-token"

// imdsPrefix is what those tokens begin with, and imdsToken what they look like
// (images/azure/accesstoken): each is new, and nobody could name them beforehand.
const imdsPrefix = "bootrace-imds-"

var imdsToken = regexp.MustCompile(imdsPrefix + `[0-9a-f]{32}[-0-9A-Za-z_.]*`)

// NewRedactor takes names and values; empty values are passed over.
func NewRedactor(secrets map[string]string) Redactor {
	var r Redactor
	for _, name := range slices.Sorted(maps.Keys(secrets)) {
		if secrets[name] == "" {
			continue
		}
		for _, text := range forms(secrets[name]) {
			r.forms = append(r.forms, form{name, text})
		}
	}
	for _, text := range forms(imdsPrefix) {
		r.forms = append(r.forms, form{IdentityToken, text})
	}
	// Longest first: one secret may be part of another.
	slices.SortStableFunc(r.forms, func(a, b form) int { return len(b.text) - len(a.text) })
	return r
}

// Find names the secrets that stand in data, in any form, compressed or not.
func (r Redactor) Find(data []byte) []string {
	names := r.plain(data)
	for _, p := range packed(data, maxDepth) {
		names = append(names, r.plain(p.content)...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (r Redactor) plain(data []byte) (names []string) {
	for _, f := range r.forms {
		if bytes.Contains(data, f.text) {
			names = append(names, f.name)
		}
	}
	return names
}

// Bytes returns data with each secret replaced by [secret:NAME].
func (r Redactor) Bytes(data []byte) []byte {
	inside := map[int][]string{} // what the streams hold, by where they begin
	ends := map[int]int{}
	for _, p := range packed(data, maxDepth) {
		if names := r.plain(p.content); len(names) > 0 {
			inside[p.from], ends[p.from] = append(inside[p.from], names...), p.to
		}
	}
	// From the end: what is replaced moves nothing that is still to be replaced.
	for _, from := range slices.Backward(slices.Sorted(maps.Keys(inside))) {
		data = slices.Concat(data[:from], markers(inside[from]), data[min(ends[from], len(data)):])
	}
	if bytes.Contains(data, []byte(imdsPrefix)) {
		data = imdsToken.ReplaceAll(data, mark(IdentityToken))
	}
	for _, f := range r.forms {
		if bytes.Contains(data, f.text) {
			data = bytes.ReplaceAll(data, f.text, mark(f.name))
		}
	}
	return data
}

func mark(name string) []byte { return []byte("[secret:" + name + "]") }

func markers(names []string) (out []byte) {
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		out = append(out, mark(name)...)
	}
	return out
}

// byteArray is how journalctl writes a field that is not printable UTF-8.
var byteArray = regexp.MustCompile(`:\s*\[\s*\d`)

// JournalLine is Bytes for a line of `journalctl -o json`, in which a field may
// be an array of byte values.
func (r Redactor) JournalLine(line []byte) []byte {
	if !byteArray.Match(line) {
		return r.Bytes(line)
	}
	var entry map[string]any
	if json.Unmarshal(line, &entry) != nil {
		return r.Bytes(line)
	}
	for name, v := range entry {
		if list, ok := v.([]any); ok {
			if data, ok := fieldBytes(list); ok {
				if clean := r.Bytes(data); !bytes.Equal(clean, data) {
					entry[name] = string(clean)
				}
			}
		}
	}
	out, err := json.Marshal(entry)
	if err != nil {
		return r.Bytes(line)
	}
	return r.Bytes(append(out, '\n'))
}

func fieldBytes(list []any) ([]byte, bool) {
	data := make([]byte, 0, len(list))
	for _, v := range list {
		n, ok := v.(float64)
		if !ok || n < 0 || n > 255 {
			return nil, false
		}
		data = append(data, byte(n))
	}
	return data, true
}
