package vrl

import "maps"

// typed is what is known of an expression before it runs.
type typed struct {
	kind kind
	// fallible: it may end in an error. unsure: only Vector's own compiler knows whether.
	fallible, unsure bool
	// code says how Vector names the fault where it is not handled: 110 for an argument's type, 100 else.
	code int
	// never: it does not come to an end (abort, return).
	never bool
}

// scope is what is known at a place of the program.
type scope struct {
	vars map[string]kind
	// consts are the variables that are a literal.
	consts   map[string]*litExpr
	event    kind
	metadata kind
}

func (s *scope) clone() *scope {
	return &scope{maps.Clone(s.vars), maps.Clone(s.consts), s.event, s.metadata}
}

// join is the scope after either.
func (s *scope) join(o *scope) *scope {
	out := s.clone()
	for name, k := range o.vars {
		if mine, ok := out.vars[name]; ok {
			k = mine.union(k)
		}
		out.vars[name] = k
	}
	maps.DeleteFunc(out.consts, func(name string, lit *litExpr) bool { return o.consts[name] != lit })
	out.event, out.metadata = s.event.union(o.event), s.metadata.union(o.metadata)
	return out
}

// leave ends a block: what it made first is gone, what it changed stays.
func (s *scope) leave(before *scope) *scope {
	out := s.clone()
	for name := range out.vars {
		if _, ok := before.vars[name]; !ok {
			delete(out.vars, name)
		}
	}
	return out
}

// checker finds what Vector's compiler refuses. The rules are those of vectordotdev/vrl, src/compiler.
type checker struct {
	*parser
	scope *scope
	// readOnly: the event must stay as it is, as in a condition.
	readOnly bool
}

// changes refuses a change of the event or its metadata where that is read-only.
func (c *checker) changes(root rootKind, at span) {
	if c.readOnly && (root == rootEvent || root == rootMetadata) {
		refuse(315, "mutation of read-only value", at)
	}
}

// refuse ends the checking.
func refuse(code int, message string, at span) {
	panic(stopped{&CompileError{Code: code, Message: message, pos: at.from}})
}

// root checks a whole program, and gives what is known of its last expression.
func (c *checker) root(body []expr) (last typed) {
	last.kind = of(kNull)
	for _, e := range body {
		last = c.expr(e)
		c.handled(last, e, 0, "")
	}
	return last
}

// handled refuses what may fail where nothing takes the error. A code of 0 is the expression's own.
func (c *checker) handled(t typed, e expr, code int, message string) {
	switch {
	case !t.fallible:
		return
	case t.unsure:
		c.doubt("whether an expression can fail", e.where().from)
		return
	case code == 0 && t.code == 110:
		code, message = 110, "invalid argument type"
	case code == 0:
		code, message = 100, "unhandled error"
	}
	refuse(code, message, e.where())
}

// merge takes over another's fallibility.
func (t *typed) merge(o typed) {
	if o.fallible && (!t.fallible || t.unsure && !o.unsure) {
		t.fallible, t.unsure, t.code = true, o.unsure, o.code
	}
}

func (c *checker) expr(e expr) typed {
	switch e := e.(type) {
	case *litExpr:
		return typed{kind: kindOf(e.value)}
	case *varExpr:
		return typed{kind: c.variable(e.name, e.span)}
	case *arrayExpr:
		return c.array(e)
	case *objectExpr:
		return c.object(e)
	case *blockExpr:
		return c.block(e)
	case *queryExpr:
		return c.query(e)
	case *opExpr:
		return c.op(e)
	case *notExpr:
		t := c.expr(e.inner)
		if t.kind.bits != kBool && !t.kind.unsure {
			refuse(660, "non-boolean negation", e.span)
		}
		t.kind = of(kBool)
		return t
	case *ifExpr:
		return c.ifExpr(e)
	case *assignExpr:
		return c.assign(e)
	case *abortExpr:
		return c.abort(e)
	case *returnExpr:
		c.handled(c.expr(e.value), e, 631, "unhandled fallible expression")
		return typed{never: true}
	default:
		return c.call(e.(*callExpr))
	}
}

func (c *checker) variable(name string, at span) kind {
	k, ok := c.scope.vars[name]
	if !ok {
		refuse(701, "call to undefined variable", at)
	}
	return k
}

func (c *checker) array(e *arrayExpr) typed {
	out := typed{kind: of(kArray)}
	for _, item := range e.items {
		t := c.expr(item)
		out.merge(t)
		if out.kind.items != nil {
			t.kind = t.kind.union(*out.kind.items)
		}
		out.kind.items, out.kind.listed = &t.kind, true
	}
	return out
}

func (c *checker) object(e *objectExpr) typed {
	out := typed{kind: kind{bits: kObject}}
	for i, value := range e.values {
		t := c.expr(value)
		out.merge(t)
		out.kind = out.kind.with(e.keys[i], t.kind)
	}
	return out
}

func (c *checker) block(e *blockExpr) typed {
	before := c.scope
	if e.scoped {
		c.scope = c.scope.clone()
	}
	out := typed{}
	for _, inner := range e.body {
		t := c.expr(inner)
		out.merge(t)
		out.kind, out.never = t.kind, out.never || t.never
	}
	if e.scoped {
		c.scope = c.scope.leave(before)
	}
	return out
}

func (c *checker) query(e *queryExpr) typed {
	switch e.root {
	case rootEvent:
		return typed{kind: c.scope.event.at(e.path)}
	case rootMetadata:
		return typed{kind: c.scope.metadata.at(e.path)}
	case rootVariable:
		return typed{kind: c.variable(e.name, e.span).at(e.path)}
	}
	t := c.expr(e.base)
	t.kind = t.kind.at(e.path)
	return t
}

func (c *checker) ifExpr(e *ifExpr) typed {
	var test typed
	for _, part := range e.test {
		test = c.expr(part)
		c.handled(test, part, 0, "")
	}
	if test.kind.bits != kBool && !test.never {
		if !test.kind.unsure {
			refuse(102, "non-boolean predicate", e.test[len(e.test)-1].where())
		}
		c.doubt("whether a predicate is a boolean", e.from)
	}
	before := c.scope
	out := c.block(e.then)
	after := c.scope
	c.scope = before
	other := typed{kind: of(kNull)}
	if e.alt != nil {
		other = c.block(e.alt)
	}
	switch {
	case out.never:
		// what the branch that does not end did is never seen
	case other.never:
		c.scope = after
	default:
		c.scope = after.join(c.scope)
	}
	kinds := out.kind.union(other.kind)
	out.merge(other)
	return typed{kind: kinds, fallible: out.fallible, unsure: out.unsure, code: out.code, never: out.never && other.never}
}

func (c *checker) abort(e *abortExpr) typed {
	if e.message == nil {
		return typed{never: true}
	}
	t := c.expr(e.message)
	c.handled(t, e, 631, "unhandled fallible expression")
	if t.kind.bits != kString {
		if !t.kind.unsure {
			refuse(300, "non-string abort message", e.message.where())
		}
		c.doubt("whether an abort's message is a string", e.from)
	}
	return typed{never: true}
}
