package event

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// JSON is the event's one line, without the newline: keys sorted, nothing escaped that need not be, and a whole float
// with its point, as serde_json writes them.
func (e Event) JSON() ([]byte, error) {
	return AppendJSON(make([]byte, 0, 512), e.Fields())
}

// AppendJSON appends a value.
func AppendJSON(b []byte, value any) ([]byte, error) {
	switch v := value.(type) {
	case nil:
		return append(b, "null"...), nil
	case string:
		return appendText(b, v), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case int:
		return strconv.AppendInt(b, int64(v), 10), nil
	case int64:
		return strconv.AppendInt(b, v, 10), nil
	case float64:
		return appendFloat(b, v), nil
	case time.Time:
		return appendText(b, Timestamp(v)), nil
	case []any:
		var err error
		b = append(b, '[')
		for i, inner := range v {
			if i > 0 {
				b = append(b, ',')
			}
			if b, err = AppendJSON(b, inner); err != nil {
				return nil, err
			}
		}
		return append(b, ']'), nil
	case map[string]any:
		var err error
		b = append(b, '{')
		for i, key := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendText(b, key), ':')
			if b, err = AppendJSON(b, v[key]); err != nil {
				return nil, err
			}
		}
		return append(b, '}'), nil
	}
	if text, ok := value.(fmt.Stringer); ok {
		return appendText(b, text.String()), nil
	}
	return nil, fmt.Errorf("encode event: no JSON for a %T", value)
}

func appendFloat(b []byte, v float64) []byte {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return append(b, "null"...)
	case v == math.Trunc(v) && math.Abs(v) < 1e16:
		return strconv.AppendFloat(b, v, 'f', 1, 64)
	case math.Abs(v) >= 1e16 || math.Abs(v) < 1e-5:
		return strconv.AppendFloat(b, v, 'e', -1, 64)
	}
	return strconv.AppendFloat(b, v, 'f', -1, 64)
}

func appendText(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for len(s) > 0 {
		r, width := utf8.DecodeRuneInString(s)
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, '\\', 'n')
		case r == '\r':
			b = append(b, '\\', 'r')
		case r == '\t':
			b = append(b, '\\', 't')
		case r == '\b':
			b = append(b, '\\', 'b')
		case r == '\f':
			b = append(b, '\\', 'f')
		case r < ' ':
			b = append(b, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		case r == utf8.RuneError && width == 1:
			b = append(b, "\uFFFD"...)
		default:
			b = append(b, s[:width]...)
		}
		s = s[width:]
	}
	return append(b, '"')
}
