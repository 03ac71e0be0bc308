package vrl

import (
	"errors"
	"maps"
	"time"
)

// What one run may cost: steps of the program and copied bytes or nodes. Logs are small; only a program that doubles its
// values comes near.
const (
	maxSteps = 1 << 17
	maxBytes = 2 << 20
	nodeCost = 16 // of a field or an item, in bytes
)

var errLimit = errors.New("the program took more steps or memory than the interpreter grants one event")

// errReturned ends a program at its `return`. remap sends what `.` is by then; the
// value is for other users of the language.
var errReturned = errors.New("return")

// machine runs a program on one event.
type machine struct {
	env      Env
	event    any
	metadata any
	vars     map[string]any
	steps    int
	bytes    int
}

func (m *machine) spend(bytes int) {
	if m.bytes += bytes; m.bytes > maxBytes || bytes < 0 {
		panic(stopped{errLimit})
	}
}

func (m *machine) spendNodes(n int) { m.spend(n * nodeCost) }

// spendPath is what it costs to copy what lies along a path.
func (m *machine) spendPath(v any, path []step) {
	for i := range path {
		m.spendNodes(length(v))
		v, _ = lookup(v, path[i:i+1])
	}
}

func (m *machine) now() time.Time {
	if m.env.Now == nil {
		return time.Now().UTC()
	}
	return m.env.Now().UTC()
}

func (m *machine) eval(e expr) any {
	if m.steps++; m.steps > maxSteps {
		panic(stopped{errLimit})
	}
	switch e := e.(type) {
	case *litExpr:
		return e.value
	case *varExpr:
		return m.vars[e.name]
	case *arrayExpr:
		list := make([]any, 0, len(e.items))
		for _, item := range e.items {
			list = append(list, m.eval(item))
		}
		return list
	case *objectExpr:
		object := make(map[string]any, len(e.keys))
		for i, key := range e.keys {
			object[key] = m.eval(e.values[i])
		}
		return object
	case *blockExpr:
		return m.sequence(e.body)
	case *queryExpr:
		v, _ := m.find(e)
		return v
	case *opExpr:
		return m.op(e)
	case *notExpr:
		return !m.truth(e.inner)
	case *ifExpr:
		return m.choose(e)
	case *assignExpr:
		return m.assign(e)
	case *abortExpr:
		if e.message != nil {
			m.eval(e.message)
		}
		panic(stopped{ErrAbort})
	case *returnExpr:
		m.eval(e.value)
		panic(stopped{errReturned})
	default:
		return m.call(e.(*callExpr))
	}
}

// try evaluates an expression, or gives the error that the program may catch.
func (m *machine) try(e expr) (v any, caught *runtimeError) {
	err := attempt(func() { v = m.eval(e) })
	if err != nil && !errors.As(err, &caught) {
		panic(stopped{err})
	}
	return v, caught
}

func (m *machine) sequence(body []expr) (v any) {
	for _, e := range body {
		v = m.eval(e)
	}
	return v
}

func (m *machine) truth(e expr) bool {
	v := m.eval(e)
	b, ok := v.(bool)
	if !ok {
		panic(errorf("expected boolean, got %s", typeOf(v)))
	}
	return b
}

// find is what a path leads to, and whether it is there.
func (m *machine) find(e *queryExpr) (any, bool) {
	switch e.root {
	case rootEvent:
		return lookup(m.event, e.path)
	case rootMetadata:
		return lookup(m.metadata, e.path)
	case rootVariable:
		return lookup(m.vars[e.name], e.path)
	}
	return lookup(m.eval(e.base), e.path)
}

func (m *machine) choose(e *ifExpr) any {
	last := len(e.test) - 1
	m.sequence(e.test[:last])
	switch {
	case m.truth(e.test[last]):
		return m.eval(e.then)
	case e.alt != nil:
		return m.eval(e.alt)
	}
	return nil
}

// change puts in the place of the event, the metadata or the variable what f makes of it.
func (m *machine) change(at *queryExpr, f func(whole any) any) {
	var whole any
	switch at.root {
	case rootMetadata:
		whole = m.metadata
	case rootVariable:
		whole = m.vars[at.name]
	default:
		whole = m.event
	}
	m.spendPath(whole, at.path)
	whole = f(whole)
	switch at.root {
	case rootMetadata:
		m.metadata = whole
	case rootVariable:
		m.vars[at.name] = whole
	default:
		m.event = whole
	}
}

// set assigns; a nil target is `_`.
func (m *machine) set(to *queryExpr, v any) {
	if to != nil {
		m.change(to, func(whole any) any { return put(whole, to.path, v) })
	}
}

func (m *machine) assign(e *assignExpr) any {
	if !e.fallible {
		v := m.eval(e.value)
		m.set(e.ok, v)
		return v
	}
	v, caught := m.try(e.value)
	if caught != nil {
		m.set(e.ok, e.initial)
		m.set(e.err, caught.text)
		return caught.text
	}
	m.set(e.ok, v)
	m.set(e.err, nil)
	return v
}

func (m *machine) op(e *opExpr) any {
	if e.op == "??" {
		left, caught := m.try(e.left)
		if caught != nil {
			return m.eval(e.right)
		}
		return left
	}
	left := m.eval(e.left)
	off := left == nil || left == false
	switch e.op {
	case "||":
		if !off {
			return left
		}
		return m.eval(e.right)
	case "&&":
		if off {
			return false
		}
	}
	right := m.eval(e.right)
	switch e.op {
	case "&&":
		if right == nil {
			right = false
		}
		if left != true || typeOf(right) != kBool {
			panic(errorf("can't AND type %s and %s", typeOf(left), typeOf(right)))
		}
		return right
	case "==":
		return m.equal(left, right)
	case "!=":
		return !m.equal(left, right)
	case "<", "<=", ">", ">=":
		return compare(e.op, left, right)
	case "|":
		return m.mergeObjects(left, right)
	}
	return calculate(m, e.op, left, right)
}

func (m *machine) mergeObjects(left, right any) map[string]any {
	a, ok1 := left.(map[string]any)
	b, ok2 := right.(map[string]any)
	if !ok1 || !ok2 {
		panic(errorf("can't merge type %s and %s", typeOf(left), typeOf(right)))
	}
	out := maps.Clone(a)
	if out == nil {
		out = map[string]any{}
	}
	maps.Copy(out, b)
	m.spendNodes(len(out))
	return out
}

// call evaluates a function's arguments, sees that their types are right, and runs it.
func (m *machine) call(e *callExpr) (v any) {
	in := &invocation{machine: m, call: e, args: make([]any, len(e.ordered))}
	if !e.fn.lazy {
		for i, arg := range e.ordered {
			if arg == nil {
				continue
			}
			in.args[i] = m.eval(arg)
			if want := e.fn.params[i].kinds; typeOf(in.args[i])&want == 0 {
				panic(in.named(errorf("expected %s, got %s", want, typeOf(in.args[i])).err))
			}
		}
	}
	if err := attempt(func() { v = e.fn.run(in) }); err != nil {
		panic(in.named(err))
	}
	return v
}

// named puts the function and its place before an error, as Vector does: programs ship that text.
func (in *invocation) named(err error) stopped {
	var caught *runtimeError
	if !errors.As(err, &caught) {
		return stopped{err}
	}
	return errorf("function call error for %q at (%d:%d): %s", in.call.name, in.call.from, in.call.to, caught.text)
}
