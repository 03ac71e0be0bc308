package topology

import (
	"encoding/csv"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"bootrace/images/vector/config"
	"bootrace/images/vector/event"
)

// encode makes the lines that the sink's buffer holds. Of the console's codecs those that are text are played; what the
// others would print is binary, and comes as JSON.
func (s *sink) encode(events []event.Event) ([][]byte, error) {
	lines := make([][]byte, 0, len(events))
	for _, e := range events {
		line, err := encodeAs(s.Encoding, e)
		if err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	return lines, nil
}

func encodeAs(c config.Encoding, e event.Event) ([]byte, error) {
	if c.Codec == "" {
		return e.JSON()
	}
	fields := e.Fields()
	if e.Metric == nil {
		fields = chosen(c, fields)
	}
	switch c.Codec {
	case "text", "raw_message":
		if e.Metric != nil {
			return []byte(e.Metric.Name + " = " + strconv.FormatFloat(e.Metric.Value, 'f', -1, 64)), nil
		}
		return []byte(scalar(fields["message"])), nil
	case "logfmt":
		var b []byte
		for i, name := range slices.Sorted(maps.Keys(fields)) {
			if i > 0 {
				b = append(b, ' ')
			}
			b = append(b, name+"="+logfmt(scalar(fields[name]))...)
		}
		return b, nil
	case "csv":
		var b strings.Builder
		row := make([]string, len(c.CSVFields))
		for i, name := range c.CSVFields {
			row[i] = scalar(fields[name])
		}
		w := csv.NewWriter(&b)
		if err := w.Write(row); err != nil {
			return nil, fmt.Errorf("encode as csv: %w", err)
		}
		w.Flush()
		return []byte(strings.TrimSuffix(b.String(), "\n")), w.Error()
	}
	return event.AppendJSON(nil, fields)
}

// chosen applies only_fields, except_fields and timestamp_format.
func chosen(c config.Encoding, fields map[string]any) map[string]any {
	if len(c.OnlyFields) == 0 && len(c.ExceptFields) == 0 && c.TimestampFormat == "" {
		return fields
	}
	fields = event.Event{Log: fields}.Clone().Log
	if len(c.OnlyFields) > 0 {
		kept := map[string]any{}
		for _, path := range c.OnlyFields {
			keep(kept, fields, split(path))
		}
		fields = kept
	}
	for _, path := range c.ExceptFields {
		remove(fields, split(path))
	}
	if c.TimestampFormat != "" && c.TimestampFormat != "rfc3339" {
		for name, value := range fields {
			if at, ok := value.(time.Time); ok {
				fields[name] = stamp(c.TimestampFormat, at)
			}
		}
	}
	return fields
}

func split(path string) []string { return strings.Split(strings.TrimPrefix(path, "."), ".") }

func keep(to, from map[string]any, path []string) {
	value, ok := from[path[0]]
	if !ok {
		return
	}
	inner, object := value.(map[string]any)
	if len(path) == 1 || !object {
		if len(path) == 1 {
			to[path[0]] = value
		}
		return
	}
	next, _ := to[path[0]].(map[string]any)
	if next == nil {
		next = map[string]any{}
		to[path[0]] = next
	}
	keep(next, inner, path[1:])
}

func remove(from map[string]any, path []string) {
	for len(path) > 1 {
		next, ok := from[path[0]].(map[string]any)
		if !ok {
			return
		}
		from, path = next, path[1:]
	}
	delete(from, path[0])
}

func stamp(format string, at time.Time) any {
	switch format {
	case "unix":
		return at.Unix()
	case "unix_ms":
		return at.UnixMilli()
	case "unix_us":
		return at.UnixMicro()
	case "unix_ns":
		return at.UnixNano()
	case "unix_float":
		return float64(at.UnixNano()) / 1e9
	}
	return at
}

// scalar is a value as text: itself, or JSON.
func scalar(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case time.Time:
		return event.Timestamp(v)
	}
	b, err := event.AppendJSON(nil, value)
	if err != nil {
		return ""
	}
	return string(b)
}

func logfmt(s string) string {
	if s == "" || strings.ContainsAny(s, " =\"\n\t") {
		return strconv.Quote(s)
	}
	return s
}
