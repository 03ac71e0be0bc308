package vrl

import "slices"

func (c *checker) assign(e *assignExpr) typed {
	t := c.expr(e.value)
	out := typed{kind: t.kind, never: t.never}
	if e.fallible {
		if !t.fallible {
			refuse(104, "unnecessary error assignment", e.span)
		}
		if t.unsure {
			c.doubt("whether an expression can fail", e.value.where().from)
		}
		e.initial = t.kind.zero()
		out = typed{kind: t.kind.union(of(kString))}
	} else {
		c.handled(t, e.value, 103, "unhandled fallible assignment")
	}
	if e.ok == nil && e.err == nil {
		refuse(640, "unnecessary no-op assignment", e.span)
	}
	if e.ok != nil {
		lit := c.literal(e.value)
		if e.fallible {
			t.kind = t.kind.orZero()
		}
		c.set(e.ok, t.kind)
		if e.ok.root == rootVariable && len(e.ok.path) == 0 && lit != nil {
			c.scope.consts[e.ok.name] = lit
		}
	}
	if e.err != nil {
		c.set(e.err, of(kString|kNull))
	}
	return out
}

// set notes the kind of what was assigned to. What lies on the way to it must be able to hold it.
func (c *checker) set(to *queryExpr, v kind) {
	c.changes(to.root, to.span)
	before := &c.scope.event
	known := true
	switch to.root {
	case rootMetadata:
		before = &c.scope.metadata
	case rootVariable:
		var k kind
		k, known = c.scope.vars[to.name]
		before = &k
	}
	for i := range to.path {
		s := to.path[i]
		if s.alts != nil {
			c.unknownForm("an assignment to alternatives of a path", to.from)
			return
		}
		parent := before.at(to.path[:i])
		holds := kObject
		if s.array {
			holds = kArray
		}
		if !known || parent.bits&holds != 0 || parent.unsure {
			continue
		}
		if parent.bits&^kNull == 0 && i > 0 {
			c.doubt("whether a field can be set in what is null", to.from)
			continue
		}
		refuse(642, "parent path segment rejects this mutation", to.span)
	}
	after := before.insert(to.path, v)
	if to.root == rootVariable {
		delete(c.scope.consts, to.name)
		c.scope.vars[to.name] = after
		return
	}
	*before = after
}

// op types `left op right` (vectordotdev/vrl, src/compiler/expression/op.rs).
func (c *checker) op(e *opExpr) typed {
	left := c.expr(e.left)
	shared := c.scope
	skips := e.op == "??" || e.op == "||" || e.op == "&&"
	if skips {
		c.scope = c.scope.clone()
	}
	right := c.expr(e.right)
	if skips { // the right side may not have run
		c.scope = shared.join(c.scope.leave(shared))
	}
	out := typed{}
	out.merge(left)
	out.merge(right)
	switch e.op {
	case "??":
		return c.coalesce(e, left, right)
	case "||":
		return c.or(e, left, right)
	case "&&":
		return c.and(e, left, right)
	case "|":
		if left.kind.bits != kObject || right.kind.bits != kObject {
			if !left.kind.unsure && !right.kind.unsure {
				refuse(652, "only objects can be merged", e.span)
			}
			c.doubt("whether what is merged are objects", e.from)
		}
		out.kind = overlay(left.kind, right.kind)
		return out
	case "==", "!=", "<", "<=", ">", ">=":
		if inner, ok := e.left.(*opExpr); ok && compares(inner.op) {
			refuse(650, "comparison operators can't be chained together", e.span)
		}
		out.kind = of(kBool)
		same := left.kind.bits == kString && right.kind.bits == kString || left.kind.bits == kTime && right.kind.bits == kTime
		if e.op != "==" && e.op != "!=" && !same {
			out.mayFail(left.kind, kNumber)
			out.mayFail(right.kind, kNumber)
		}
		return out
	}
	return c.arithmetic(e, left, right, out)
}

func compares(op string) bool { return slices.Contains([]string{"==", "!=", "<", "<=", ">", ">="}, op) }

// mayFail marks an operand that must be one of the types and need not be.
func (t *typed) mayFail(k kind, want bits) {
	if !k.within(want) {
		t.merge(typed{fallible: true, unsure: k.open(want), code: 100})
	}
}

// overlay is what merging two objects makes.
func overlay(left, right kind) kind {
	out := kind{bits: kObject, rest: left.rest | right.rest, unsure: left.unsure || right.unsure}
	for name, f := range left.fields {
		if right.rest != 0 {
			o := of(right.rest)
			o.unsure = true
			f = f.union(o)
		}
		out = out.with(name, f)
	}
	for name, f := range right.fields {
		out = out.with(name, f)
	}
	return out
}

func (c *checker) coalesce(e *opExpr, left, right typed) typed {
	if !left.fallible && !left.never {
		refuse(651, "unnecessary error coalescing operation", e.span)
	}
	if left.unsure {
		c.doubt("whether an expression can fail", e.left.where().from)
	}
	out := typed{kind: left.kind.union(right.kind)}
	if right.never {
		out.kind = left.kind
	}
	out.merge(right)
	return out
}

// literal is the literal that an expression is known to be, for it is one or a variable that is.
func (c *checker) literal(e expr) *litExpr {
	if v, ok := e.(*varExpr); ok {
		return c.scope.consts[v.name]
	}
	lit, _ := e.(*litExpr)
	return lit
}

func (c *checker) constant(e expr) (any, bool) {
	if lit := c.literal(e); lit != nil {
		return lit.value, true
	}
	return nil, false
}

func (c *checker) or(e *opExpr, left, right typed) typed {
	v, _ := c.constant(e.left)
	switch {
	case left.kind.bits == kNull || v == false:
		left.merge(right)
		left.kind = right.kind
		return left
	case left.kind.bits&(kNull|kBool) == 0 && !left.kind.unsure || v == true:
		return left
	}
	left.kind.bits &^= kNull
	left.kind = left.kind.union(right.kind)
	left.merge(right)
	return left
}

func (c *checker) and(e *opExpr, left, right typed) typed {
	v, _ := c.constant(e.left)
	out := typed{kind: of(kBool)}
	out.merge(left)
	switch {
	case left.kind.bits == kNull || v == false:
		return out
	case v == true:
		out.merge(right)
		return out
	}
	out.mayFail(left.kind, kNull|kBool)
	out.merge(right)
	out.mayFail(right.kind, kNull|kBool)
	return out
}

func (c *checker) arithmetic(e *opExpr, left, right, out typed) typed {
	l, r := left.kind.bits, right.kind.bits
	either := func(b bits) bool { return l == b || r == b }
	operands := func(want, result bits) typed {
		out.mayFail(left.kind, want)
		out.mayFail(right.kind, want)
		out.kind = of(result)
		return out
	}
	switch {
	case e.op == "/":
		out.kind = of(kFloat)
		v, known := c.constant(e.right)
		numeric := l == kInt || l == kFloat
		switch {
		case known && numeric && (v != int64(0) && r == kInt || v != 0.0 && r == kFloat):
		default:
			q, ok := e.right.(*queryExpr) // Vector looks into variables that are objects, too
			deep := ok && q.root == rootVariable && numeric && (r == kInt || r == kFloat)
			out.merge(typed{fallible: true, unsure: deep || left.kind.unsure || right.kind.unsure, code: 100})
		}
		return out
	case e.op == "+" && either(kString):
		return operands(kString|kNull, kString)
	case either(kFloat):
		return operands(kNumber, kFloat)
	case l == kInt && r == kInt:
		return operands(kInt, kInt)
	case e.op == "*" && (l == kString && r == kInt || l == kInt && r == kString):
		return operands(kString|kInt, kString)
	}
	out.merge(typed{fallible: true, unsure: left.kind.unsure || right.kind.unsure, code: 100})
	out.kind = of(kString | kNumber)
	if e.op == "-" {
		out.kind = of(kNumber)
	}
	return out
}
