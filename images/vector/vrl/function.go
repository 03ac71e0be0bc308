package vrl

import (
	"maps"
	"slices"
	"strings"
)

// param is one parameter of a function.
type param struct {
	name     string
	kinds    bits
	required bool
}

// fails says whether a function can fail on arguments of the right types.
type fails int

const (
	never fails = iota
	always
	// unlessWithin: it cannot if the first argument is of the types of sure.
	unlessWithin
	// perhaps: only Vector's own compiler knows.
	perhaps
)

// function is one that is played.
type function struct {
	params []param
	fails  fails
	sure   bits
	result bits
	// lazy: it takes its arguments as expressions (a path), not as values.
	lazy bool
	// infer refines the kind and fallibility of the result.
	infer func(c *checker, e *callExpr, args []typed, out typed) typed
	// closure is what the closure's body must come to; 0: it takes none.
	closure bits
	// run is nil for one whose signature alone is known.
	run func(in *invocation) any
}

// invocation is one call as it runs; args stand by parameter, nil where none was given.
type invocation struct {
	*machine
	call *callExpr
	args []any
}

func (in *invocation) has(i int) bool { return in.call.ordered[i] != nil }

func (in *invocation) str(i int) string {
	s, _ := in.args[i].(string)
	return s
}

func (in *invocation) list(i int) []any {
	l, _ := in.args[i].([]any)
	return l
}

func (in *invocation) object(i int) map[string]any {
	o, _ := in.args[i].(map[string]any)
	return o
}

func (in *invocation) integer(i int, otherwise int64) int64 {
	if n, ok := in.args[i].(int64); ok {
		return n
	}
	return otherwise
}

func (in *invocation) flag(i int, otherwise bool) bool {
	if b, ok := in.args[i].(bool); ok {
		return b
	}
	return otherwise
}

var kindWords = map[string]bits{"any": kAny, "string": kString, "int": kInt, "float": kFloat, "bool": kBool, "null": kNull,
	"time": kTime, "regex": kRegex, "array": kArray, "object": kObject, "json": kJSON, "number": kNumber}

func parseKinds(s string) bits {
	var b bits
	for word := range strings.SplitSeq(s, "|") {
		b |= kindWords[word]
	}
	return b
}

// parseParams reads `value:string limit?:int`.
func parseParams(s string) []param {
	var out []param
	for field := range strings.FieldsSeq(s) {
		name, kinds, _ := strings.Cut(field, ":")
		required := !strings.HasSuffix(name, "?")
		out = append(out, param{strings.TrimSuffix(name, "?"), parseKinds(kinds), required})
	}
	return out
}

type runner func(in *invocation) any

// sureFn cannot fail on arguments of the right types, mayFn can.
func sureFn(params, result string, run runner) *function {
	return &function{params: parseParams(params), result: parseKinds(result), run: run}
}

func mayFn(params, result string, run runner) *function {
	f := sureFn(params, result, run)
	f.fails = always
	return f
}

// functions are those that are played.
var functions = func() map[string]*function {
	all := map[string]*function{}
	for _, family := range []map[string]*function{typeFunctions, convertFunctions, stringFunctions, collectionFunctions,
		pathFunctions, parseFunctions, timeFunctions, codecFunctions, systemFunctions} {
		maps.Copy(all, family)
	}
	return all
}()

// paramNames lists the keywords as Vector's message does.
func paramNames(params []param) string {
	var names []string
	for _, p := range params {
		names = append(names, `"`+p.name+`"`)
	}
	return strings.Join(names, ", ")
}

// call checks a call (vectordotdev/vrl, src/compiler/expression/function_call.rs).
func (c *checker) call(e *callExpr) typed {
	e.fn = functions[e.name]
	if e.fn == nil {
		e.fn = signatures[e.name]
	}
	if e.fn == nil {
		return c.unplayed(e)
	}
	if e.fn.run == nil {
		c.unknownForm("function "+e.name, e.from)
	}
	if table, ok := c.tableOf(e); ok {
		c.tables = append(c.tables, table)
	}
	if len(e.arguments) > len(e.fn.params) {
		refuse(106, "wrong number of function arguments", e.span)
	}
	e.order()
	out := typed{kind: of(e.fn.result)}
	args := make([]typed, len(e.fn.params))
	for i, p := range e.fn.params {
		arg := e.ordered[i]
		if arg == nil {
			if p.required {
				refuse(107, `missing function argument: required argument missing: "`+p.name+`"`, e.span)
			}
			continue
		}
		if e.fn.lazy && i == 0 && e.fn.run != nil {
			if _, ok := arg.(*queryExpr); !ok {
				if _, ok := arg.(*varExpr); !ok {
					refuse(610, "function compilation error: error[E400] unexpected expression", e.span)
				}
			}
		}
		t := c.expr(arg)
		args[i] = t
		if t.kind.bits&p.kinds == 0 && !t.kind.unsure && !t.never {
			refuse(110, "invalid argument type: the parameter \""+p.name+"\" expects "+p.kinds.String()+", this expression resolves to "+t.kind.bits.String(), arg.where())
		}
		c.enumerated(e, p.name, arg)
		if !t.kind.within(p.kinds) {
			out.merge(typed{fallible: true, unsure: t.kind.open(p.kinds), code: 110})
		}
		c.handled(t, arg, 630, "fallible argument")
	}
	switch e.fn.fails {
	case always:
		out.merge(typed{fallible: true, code: 100})
	case unlessWithin:
		out.mayFail(args[0].kind, e.fn.sure)
	case perhaps:
		out.merge(typed{fallible: true, unsure: true, code: 100})
	}
	if e.fn.infer != nil {
		out = e.fn.infer(c, e, args, out)
	}
	c.closure(e, args, &out)
	if e.abort {
		out.fallible = false
	}
	return out
}

// unplayed is a call of a function that is not played, or that Vector does not have either.
func (c *checker) unplayed(e *callExpr) typed {
	known, ok := unplayedFunctions[e.name]
	if !ok {
		refuse(105, "call to undefined function", e.span)
	}
	c.unknownForm("function "+e.name, e.from)
	if known == newer {
		c.doubt("whether function "+e.name+" is there", e.from)
	}
	for _, arg := range e.arguments {
		c.expr(arg.value)
	}
	if e.closure != nil {
		before := c.scope
		c.scope = c.scope.clone()
		for _, name := range e.closure.names {
			delete(c.scope.consts, name)
			c.scope.vars[name] = unsureAny()
		}
		c.block(e.closure.body)
		c.scope = before.join(c.scope.leave(before))
	}
	return typed{kind: unsureAny(), fallible: !e.abort, unsure: known != fallible, code: 100}
}

// order puts the arguments in the order of the parameters.
func (e *callExpr) order() {
	e.ordered = make([]expr, len(e.fn.params))
	next := 0
	for _, arg := range e.arguments {
		i := next
		if arg.keyword != "" {
			i = slices.IndexFunc(e.fn.params, func(p param) bool { return p.name == arg.keyword })
		}
		if i < 0 || i >= len(e.fn.params) {
			refuse(108, "unknown function argument keyword: this function accepts the following keywords: "+paramNames(e.fn.params), span{from: arg.pos})
		}
		if i == next {
			next++
		}
		e.ordered[i] = arg.value
	}
}

// closure checks the block after `->` with its variables in scope.
func (c *checker) closure(e *callExpr, args []typed, out *typed) {
	switch {
	case e.fn.closure == 0 && e.closure == nil:
		return
	case e.fn.closure == 0:
		refuse(109, "unexpected closure", e.span)
	case e.closure == nil:
		refuse(111, "missing closure", e.span)
	}
	over := args[0].kind
	if e.name == "replace_with" {
		over = aMatch()
	} else if !over.within(kArray|kObject) || over.bits == 0 {
		if !over.unsure {
			refuse(121, "type mismatch in closure parameter: an array or object was expected", e.span)
		}
		c.doubt("whether a closure's value is an array or object", e.from)
	}
	kinds := closureKinds(over, e.name)
	if len(e.closure.names) != len(kinds) {
		refuse(120, "invalid closure arity", e.span)
	}
	before := c.scope
	c.scope = c.scope.clone()
	for i, name := range e.closure.names {
		delete(c.scope.consts, name)
		c.scope.vars[name] = kinds[i]
	}
	t := c.block(e.closure.body)
	if !t.kind.within(e.fn.closure) && !t.never {
		if !t.kind.unsure {
			refuse(122, "type mismatch in closure return type", e.closure.body.span)
		}
		c.doubt("whether a closure returns the right type", e.from)
	}
	out.merge(t)
	for _, name := range e.closure.names {
		delete(c.scope.vars, name)
	}
	c.scope = before.join(c.scope.leave(before))
}

// closureKinds are those of the closure's variables.
func closureKinds(over kind, name string) []kind {
	value := unsureAny()
	key := of(kString | kInt)
	switch over.bits {
	case kObject:
		key = of(kString)
		if over.rest != 0 || len(over.fields) > 0 {
			value = kind{}
		}
		if over.rest != 0 {
			value = of(over.rest)
		}
		for _, f := range over.fields {
			value = value.union(f)
		}
		value.unsure = value.unsure || over.unsure
	case kArray:
		key = of(kInt)
		if over.items != nil {
			value = *over.items
			value.unsure = value.unsure || over.unsure
		}
	}
	switch name {
	case "replace_with":
		return []kind{over}
	case "map_keys":
		return []kind{of(kString)}
	case "map_values":
		return []kind{value}
	}
	return []kind{key, value}
}

// aMatch is what a closure is given of a regex's match (vectordotdev/vrl, src/stdlib/replace_with.rs).
func aMatch() kind {
	capture := of(kString | kNull)
	captures := of(kArray)
	captures.items = &capture
	match := kind{bits: kObject, rest: capture.bits}
	return match.with("string", of(kString)).with("captures", captures)
}
