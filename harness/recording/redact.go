package recording

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/url"
	"regexp"
	"slices"
)

// Redactor replaces secrets by their names.
type Redactor struct{ forms []form }

type form struct{ value, marker []byte }

// imdsToken is what the cloud's access tokens look like (images/azure/imds).
var imdsToken = regexp.MustCompile(`bootrace-imds-[0-9a-f]{32}`)

// NewRedactor takes names and values. A value is found as it is, as JSON, URL
// and base64 write it.
func NewRedactor(secrets map[string]string) Redactor {
	var r Redactor
	for _, name := range slices.Sorted(maps.Keys(secrets)) {
		value := secrets[name]
		if value == "" {
			continue
		}
		marker := []byte("[secret:" + name + "]")
		quoted, err := json.Marshal(value)
		if err != nil {
			continue // a string always marshals
		}
		values := [][]byte{
			[]byte(value), quoted[1 : len(quoted)-1],
			[]byte(url.QueryEscape(value)), []byte(base64.StdEncoding.EncodeToString([]byte(value))),
		}
		for i, v := range values {
			if i == 0 || !bytes.Equal(v, values[0]) {
				r.forms = append(r.forms, form{v, marker})
			}
		}
	}
	// Longest first: one secret may be part of another.
	slices.SortStableFunc(r.forms, func(a, b form) int { return len(b.value) - len(a.value) })
	return r
}

// Bytes returns data with each secret replaced by [secret:NAME].
func (r Redactor) Bytes(data []byte) []byte {
	for _, f := range r.forms {
		if bytes.Contains(data, f.value) {
			data = bytes.ReplaceAll(data, f.value, f.marker)
		}
	}
	if bytes.Contains(data, []byte("bootrace-imds-")) {
		data = imdsToken.ReplaceAll(data, []byte("[secret:imds-token]"))
	}
	return data
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
