package vrl

import (
	"errors"
	"fmt"
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

func (m *machine) spend(bytes int) error {
	if m.bytes += bytes; m.bytes > maxBytes || bytes < 0 {
		return errLimit
	}
	return nil
}

func (m *machine) spendNodes(n int) error { return m.spend(n * nodeCost) }

// spendPath is what it costs to copy what lies along a path.
func (m *machine) spendPath(v any, path []step) error {
	for i := range path {
		if err := m.spendNodes(length(v)); err != nil {
			return err
		}
		v, _ = lookup(v, path[i:i+1])
	}
	return nil
}

func (m *machine) now() time.Time {
	if m.env.Now == nil {
		return time.Now().UTC()
	}
	return m.env.Now().UTC()
}

func (m *machine) eval(e expr) (any, error) {
	if m.steps++; m.steps > maxSteps {
		return nil, errLimit
	}
	switch e := e.(type) {
	case *litExpr:
		return e.value, nil
	case *varExpr:
		return m.vars[e.name], nil
	case *arrayExpr:
		list := make([]any, 0, len(e.items))
		for _, item := range e.items {
			v, err := m.eval(item)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	case *objectExpr:
		object := make(map[string]any, len(e.keys))
		for i, key := range e.keys {
			v, err := m.eval(e.values[i])
			if err != nil {
				return nil, err
			}
			object[key] = v
		}
		return object, nil
	case *blockExpr:
		return m.sequence(e.body)
	case *queryExpr:
		v, _, err := m.find(e)
		return v, err
	case *opExpr:
		return m.op(e)
	case *notExpr:
		b, err := m.truth(e.inner)
		return !b, err
	case *ifExpr:
		return m.choose(e)
	case *assignExpr:
		return m.assign(e)
	case *abortExpr:
		if e.message != nil {
			if _, err := m.eval(e.message); err != nil {
				return nil, err
			}
		}
		return nil, ErrAbort
	case *returnExpr:
		if _, err := m.eval(e.value); err != nil {
			return nil, err
		}
		return nil, errReturned
	default:
		return m.call(e.(*callExpr))
	}
}

func (m *machine) sequence(body []expr) (v any, err error) {
	for _, e := range body {
		if v, err = m.eval(e); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func (m *machine) truth(e expr) (bool, error) {
	v, err := m.eval(e)
	if err != nil {
		return false, err
	}
	b, ok := v.(bool)
	if !ok {
		return false, errorf("expected boolean, got %s", typeOf(v))
	}
	return b, nil
}

// find is what a path leads to, and whether it is there.
func (m *machine) find(e *queryExpr) (any, bool, error) {
	var base any
	switch e.root {
	case rootEvent:
		base = m.event
	case rootMetadata:
		base = m.metadata
	case rootVariable:
		base = m.vars[e.name]
	default:
		var err error
		if base, err = m.eval(e.base); err != nil {
			return nil, false, err
		}
	}
	v, ok := lookup(base, e.path)
	return v, ok, nil
}

func (m *machine) choose(e *ifExpr) (any, error) {
	if _, err := m.sequence(e.test[:len(e.test)-1]); err != nil {
		return nil, err
	}
	yes, err := m.truth(e.test[len(e.test)-1])
	switch {
	case err != nil:
		return nil, err
	case yes:
		return m.eval(e.then)
	case e.alt != nil:
		return m.eval(e.alt)
	}
	return nil, nil
}

// set assigns; a nil target is `_`.
func (m *machine) set(to *queryExpr, v any) error {
	if to == nil {
		return nil
	}
	place := &m.event
	var variable any
	switch to.root {
	case rootMetadata:
		place = &m.metadata
	case rootVariable:
		variable = m.vars[to.name]
		place = &variable
	}
	if err := m.spendPath(*place, to.path); err != nil {
		return err
	}
	after, err := put(*place, to.path, v)
	if err != nil {
		return err
	}
	*place = after
	if to.root == rootVariable {
		m.vars[to.name] = after
	}
	return nil
}

func (m *machine) assign(e *assignExpr) (any, error) {
	v, err := m.eval(e.value)
	if !e.fallible {
		if err != nil {
			return nil, err
		}
		return v, m.set(e.ok, v)
	}
	var caught *runtimeError
	switch {
	case errors.As(err, &caught):
		if err := m.set(e.ok, e.initial); err != nil {
			return nil, err
		}
		return caught.text, m.set(e.err, caught.text)
	case err != nil:
		return nil, err
	}
	if err := m.set(e.ok, v); err != nil {
		return nil, err
	}
	return v, m.set(e.err, nil)
}

func (m *machine) op(e *opExpr) (any, error) {
	left, err := m.eval(e.left)
	var caught *runtimeError
	if e.op == "??" && errors.As(err, &caught) {
		return m.eval(e.right)
	}
	if err != nil || e.op == "??" {
		return left, err
	}
	off := left == nil || left == false
	switch e.op {
	case "||":
		if !off {
			return left, nil
		}
		return m.eval(e.right)
	case "&&":
		if off {
			return false, nil
		}
	}
	right, err := m.eval(e.right)
	if err != nil {
		return nil, err
	}
	switch e.op {
	case "&&":
		if right == nil {
			right = false
		}
		if left != true || typeOf(right) != kBool {
			return nil, errorf("can't AND type %s and %s", typeOf(left), typeOf(right))
		}
		return right, nil
	case "==":
		return m.equal(left, right)
	case "!=":
		same, err := m.equal(left, right)
		return same != true, err
	case "<", "<=", ">", ">=":
		return compare(e.op, left, right)
	case "|":
		return m.mergeObjects(left, right)
	}
	return calculate(m, e.op, left, right)
}

func (m *machine) mergeObjects(left, right any) (any, error) {
	a, ok1 := left.(map[string]any)
	b, ok2 := right.(map[string]any)
	if !ok1 || !ok2 {
		return nil, errorf("can't merge type %s and %s", typeOf(left), typeOf(right))
	}
	out := maps.Clone(a)
	if out == nil {
		out = map[string]any{}
	}
	maps.Copy(out, b)
	return out, m.spendNodes(len(out))
}

// call evaluates a function's arguments, sees that their types are right, and runs it.
func (m *machine) call(e *callExpr) (any, error) {
	in := &invocation{machine: m, call: e, args: make([]any, len(e.ordered))}
	if !e.fn.lazy {
		for i, arg := range e.ordered {
			if arg == nil {
				continue
			}
			v, err := m.eval(arg)
			if err != nil {
				return nil, err
			}
			in.args[i] = v
			if want := e.fn.params[i].kinds; typeOf(v)&want == 0 {
				return nil, in.named(errorf("expected %s, got %s", want, typeOf(v)))
			}
		}
	}
	v, err := e.fn.run(in)
	return v, in.named(err)
}

// named puts the function and its place before an error, as Vector does: programs ship that text.
func (in *invocation) named(err error) error {
	var caught *runtimeError
	if !errors.As(err, &caught) {
		return err
	}
	return &runtimeError{fmt.Sprintf("function call error for %q at (%d:%d): %s", in.call.name, in.call.from, in.call.to, caught.text)}
}
