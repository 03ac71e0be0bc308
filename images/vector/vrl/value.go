package vrl

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A value is nil, bool, int64, float64, string, time.Time, *regexp.Regexp, []any or map[string]any. None is ever changed
// in place: what changes is copied along the way, so that values can be shared.

var kindNames = []struct {
	bit  bits
	name string
}{{kString, "string"}, {kInt, "integer"}, {kFloat, "float"}, {kBool, "boolean"}, {kTime, "timestamp"}, {kRegex, "regex"},
	{kNull, "null"}, {kArray, "array"}, {kObject, "object"}}

func (b bits) String() string {
	if b == kAny {
		return "any"
	}
	var names []string
	for _, k := range kindNames {
		if b&k.bit != 0 {
			names = append(names, k.name)
		}
	}
	if len(names) > 1 {
		return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
	}
	return strings.Join(names, "")
}

func typeOf(v any) bits { return kindOf(v).bits }

// runtimeError is one that the program can catch.
type runtimeError struct{ text string }

func (e *runtimeError) Error() string { return e.text }

// errorf is to be thrown.
func errorf(format string, args ...any) stopped {
	return stopped{&runtimeError{fmt.Sprintf(format, args...)}}
}

func asFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

// equal is VRL's ==: integers and floats compare by value at the top, by type within.
func (m *machine) equal(a, b any) bool {
	if x, ok := asFloat(a); ok {
		y, ok := asFloat(b)
		return ok && x == y
	}
	return m.same(a, b)
}

func (m *machine) same(a, b any) bool {
	m.spendNodes(1)
	switch x := a.(type) {
	case time.Time:
		y, ok := b.(time.Time)
		return ok && x.Equal(y)
	case *regexp.Regexp:
		y, ok := b.(*regexp.Regexp)
		return ok && x.String() == y.String()
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, m.same)
	case map[string]any:
		y, ok := b.(map[string]any)
		return ok && maps.EqualFunc(x, y, m.same)
	}
	return typeOf(a) == typeOf(b) && a == b
}

func compare(op string, a, b any) bool {
	order := 0
	switch x := a.(type) {
	case string:
		y, ok := b.(string)
		if !ok {
			panic(errorf("expected string, got %s", typeOf(b)))
		}
		order = strings.Compare(x, y)
	case time.Time:
		y, ok := b.(time.Time)
		if !ok {
			panic(errorf("expected timestamp, got %s", typeOf(b)))
		}
		order = x.Compare(y)
	default:
		x1, ok1 := asFloat(a)
		y1, ok2 := asFloat(b)
		if !ok1 || !ok2 {
			panic(errorf("can't compare %s %s %s", typeOf(a), op, typeOf(b)))
		}
		switch {
		case x1 < y1:
			order = -1
		case x1 > y1:
			order = 1
		}
	}
	switch op {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	default:
		return order >= 0
	}
}

// finite is what VRL makes of a float that is none.
func finite(f float64) any {
	if math.IsNaN(f) {
		return 0.0
	}
	return f
}

func calculate(m *machine, op string, a, b any) any {
	x, xInt := a.(int64)
	y, yInt := b.(int64)
	xs, xString := a.(string)
	ys, yString := b.(string)
	f, xNumber := asFloat(a)
	g, yNumber := asFloat(b)
	verb := map[string]string{"+": "add", "-": "subtract", "*": "multiply", "/": "divide"}[op]
	switch {
	case op == "/" && xNumber && yNumber:
		if g == 0 {
			panic(errorf("can't divide by zero"))
		}
		return finite(f / g)
	case op == "+" && (xString || yString) && (xString || a == nil) && (yString || b == nil):
		m.spend(len(xs) + len(ys))
		return xs + ys
	case op == "*" && xString && yInt:
		return repeat(m, xs, y)
	case op == "*" && xInt && yString:
		return repeat(m, ys, x)
	case op == "/" || !xNumber || !yNumber:
		panic(errorf("can't %s type %s and %s", verb, typeOf(a), typeOf(b)))
	case xInt && yInt && op == "+":
		return x + y
	case xInt && yInt && op == "-":
		return x - y
	case xInt && yInt:
		return x * y
	case op == "+":
		return finite(f + g)
	case op == "-":
		return finite(f - g)
	}
	return finite(f * g)
}

func repeat(m *machine, s string, n int64) any {
	if n <= 0 || s == "" {
		return ""
	}
	if n > maxBytes {
		panic(stopped{errLimit})
	}
	m.spend(len(s) * int(n))
	return strings.Repeat(s, int(n))
}
