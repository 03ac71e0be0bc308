package journald

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

type record struct {
	cursor string
	fields map[string]any
}

// renames are the fields that have other names in the event.
var renames = map[string]string{"MESSAGE": "message", "_HOSTNAME": "host"}

// decode makes Vector's event of a line of `journalctl --output=json`: MESSAGE becomes message, _HOSTNAME host, and the
// timestamp is the sender's if there is one. A record without a cursor is discarded, as it could not be resumed from.
func decode(line []byte) (record, error) {
	var raw map[string]any
	if err := json.Unmarshal(line, &raw); err != nil {
		// Not the error's text, which may quote the line.
		return record{}, errors.New("not a JSON object")
	}
	rec := record{fields: raw}
	for name, value := range raw {
		text, err := fieldText(value)
		if err != nil {
			return record{}, fmt.Errorf("field %q: %w", name, err)
		}
		raw[name] = text
	}
	rec.cursor, _ = raw["__CURSOR"].(string)
	if rec.cursor == "" {
		return record{}, errors.New("no cursor")
	}
	delete(raw, "__CURSOR")

	for from, to := range renames {
		rename(raw, from, to)
	}
	for _, name := range []string{"_SOURCE_REALTIME_TIMESTAMP", "__REALTIME_TIMESTAMP"} {
		text, _ := raw[name].(string)
		if us, err := strconv.ParseInt(text, 10, 64); err == nil {
			raw["timestamp"] = time.UnixMicro(us).UTC()
			break
		}
	}
	raw["source_type"] = "journald"
	return rec, nil
}

func rename(fields map[string]any, from, to string) {
	if value, ok := fields[from]; ok {
		delete(fields, from)
		fields[to] = value
	}
}

// fieldText: journalctl writes what is not printable UTF-8 as an array of bytes, and a field that was given several
// times as an array of values (journalctl(1), `-o json`).
func fieldText(value any) (string, error) {
	switch v := value.(type) {
	case string:
		return v, nil
	case []any:
		if text, ok := bytesText(v); ok {
			return text, nil
		}
		b, err := json.Marshal(v)
		return string(b), err
	default:
		return "", fmt.Errorf("neither text nor bytes")
	}
}

func bytesText(values []any) (string, bool) {
	b := make([]byte, len(values))
	for i, v := range values {
		n, ok := v.(float64)
		if !ok || n < 0 || n > 255 || n != float64(byte(n)) {
			return "", false
		}
		b[i] = byte(n)
	}
	return strings.ToValidUTF8(string(b), "\uFFFD"), true
}
