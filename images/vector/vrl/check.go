package vrl

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
	vars     map[string]kind
	event    kind
	metadata kind
}

func (s *scope) clone() *scope {
	vars := make(map[string]kind, len(s.vars))
	for name, k := range s.vars {
		vars[name] = k
	}
	return &scope{vars, s.event, s.metadata}
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
}

func fail(code int, message string, at span) error {
	return &CompileError{Code: code, Message: message, pos: at.from}
}

// root checks a whole program.
func (c *checker) root(body []expr) error {
	for _, e := range body {
		t, err := c.expr(e)
		if err != nil {
			return err
		}
		if err := c.handled(t, e, 0, ""); err != nil {
			return err
		}
	}
	return nil
}

// handled refuses what may fail where nothing takes the error. A code of 0 is the expression's own.
func (c *checker) handled(t typed, e expr, code int, message string) error {
	if !t.fallible {
		return nil
	}
	if t.unsure {
		c.doubt("whether an expression can fail", e.where().from)
		return nil
	}
	if code == 0 {
		code, message = 100, "unhandled error"
		if t.code == 110 {
			code, message = 110, "invalid argument type"
		}
	}
	return fail(code, message, e.where())
}

// merge takes over another's fallibility.
func (t *typed) merge(o typed) {
	if o.fallible && (!t.fallible || t.unsure && !o.unsure) {
		t.fallible, t.unsure, t.code = true, o.unsure, o.code
	}
}

func (c *checker) expr(e expr) (typed, error) {
	switch e := e.(type) {
	case *litExpr:
		return typed{kind: kindOf(e.value)}, nil
	case *varExpr:
		k, ok := c.scope.vars[e.name]
		if !ok {
			return typed{}, fail(701, "call to undefined variable", e.span)
		}
		return typed{kind: k}, nil
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
		t, err := c.expr(e.inner)
		if err == nil && t.kind.bits != kBool && !t.kind.unsure {
			err = fail(660, "non-boolean negation", e.span)
		}
		t.kind = of(kBool)
		return t, err
	case *ifExpr:
		return c.ifExpr(e)
	case *assignExpr:
		return c.assign(e)
	case *abortExpr:
		return c.abort(e)
	case *returnExpr:
		t, err := c.expr(e.value)
		if err == nil {
			err = c.handled(t, e, 631, "unhandled fallible expression")
		}
		return typed{never: true}, err
	default:
		return c.call(e.(*callExpr))
	}
}

func (c *checker) array(e *arrayExpr) (typed, error) {
	out := typed{kind: of(kArray)}
	for _, item := range e.items {
		t, err := c.expr(item)
		if err != nil {
			return out, err
		}
		out.merge(t)
	}
	return out, nil
}

func (c *checker) object(e *objectExpr) (typed, error) {
	out := typed{kind: kind{bits: kObject}}
	for i, value := range e.values {
		t, err := c.expr(value)
		if err != nil {
			return out, err
		}
		out.merge(t)
		out.kind = out.kind.with(e.keys[i], t.kind)
	}
	return out, nil
}

func (c *checker) block(e *blockExpr) (typed, error) {
	before := c.scope
	if e.scoped {
		c.scope = c.scope.clone()
	}
	out := typed{}
	for _, inner := range e.body {
		t, err := c.expr(inner)
		if err != nil {
			return out, err
		}
		out.merge(t)
		out.kind, out.never = t.kind, out.never || t.never
	}
	if e.scoped {
		c.scope = c.scope.leave(before)
	}
	return out, nil
}

func (c *checker) query(e *queryExpr) (typed, error) {
	switch e.root {
	case rootEvent:
		return typed{kind: c.scope.event.at(e.path)}, nil
	case rootMetadata:
		return typed{kind: c.scope.metadata.at(e.path)}, nil
	case rootVariable:
		k, ok := c.scope.vars[e.name]
		if !ok {
			return typed{}, fail(701, "call to undefined variable", e.span)
		}
		return typed{kind: k.at(e.path)}, nil
	}
	t, err := c.expr(e.base)
	t.kind = t.kind.at(e.path)
	return t, err
}

func (c *checker) ifExpr(e *ifExpr) (typed, error) {
	var test typed
	for _, part := range e.test {
		t, err := c.expr(part)
		if err != nil {
			return test, err
		}
		if err := c.handled(t, part, 0, ""); err != nil {
			return test, err
		}
		test = t
	}
	if test.kind.bits != kBool && !test.never {
		if !test.kind.unsure {
			return test, fail(102, "non-boolean predicate", e.test[len(e.test)-1].where())
		}
		c.doubt("whether a predicate is a boolean", e.from)
	}
	before := c.scope
	out, err := c.block(e.then)
	if err != nil {
		return out, err
	}
	after := c.scope
	c.scope = before
	other := typed{kind: of(kNull)}
	if e.alt != nil {
		if other, err = c.block(e.alt); err != nil {
			return out, err
		}
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
	return typed{kind: kinds, fallible: out.fallible, unsure: out.unsure, code: out.code, never: out.never && other.never}, nil
}

func (c *checker) abort(e *abortExpr) (typed, error) {
	if e.message == nil {
		return typed{never: true}, nil
	}
	t, err := c.expr(e.message)
	if err == nil {
		err = c.handled(t, e, 631, "unhandled fallible expression")
	}
	if err == nil && t.kind.bits != kString {
		if !t.kind.unsure {
			return t, fail(300, "non-string abort message", e.message.where())
		}
		c.doubt("whether an abort's message is a string", e.from)
	}
	return typed{never: true}, err
}
