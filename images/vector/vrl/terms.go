package vrl

import (
	"slices"
	"strconv"
)

// levels are the operators, the loosest first (VRL's grammar: || and && bind alike).
var levels = [][]string{{"??"}, {"||", "&&"}, {"!=", "=="}, {">=", ">", "<=", "<"}, {"|"}, {"+", "-"}, {"*", "/"}}

func (p *parser) arithmetic() expr {
	defer p.enter()()
	return p.level(0)
}

func (p *parser) level(n int) expr {
	if n == len(levels) {
		return p.not()
	}
	left := p.level(n + 1)
	for chain := 0; ; chain++ {
		op := p.peek()
		if op.kind != tokOp || !slices.Contains(levels[n], op.text) {
			return left
		}
		if chain > 10*maxDepth {
			panic(stopped{errTooDeep})
		}
		p.take()
		p.newlines()
		right := p.level(n + 1)
		left = &opExpr{span{left.where().from, right.where().to}, op.text, left, right}
	}
}

func (p *parser) not() expr {
	t := p.peek()
	if !t.is("!") {
		return p.postfix()
	}
	defer p.enter()()
	p.take()
	inner := p.not()
	return &notExpr{span{t.pos, inner.where().to}, inner}
}

// postfix is a term and the path that follows it without a space.
func (p *parser) postfix() expr {
	base := p.primary()
	switch base.(type) {
	case *queryExpr, *litExpr, *opExpr:
		return base
	}
	path, to := p.path()
	if len(path) == 0 {
		return base
	}
	at := span{base.where().from, to}
	if v, ok := base.(*varExpr); ok {
		return &queryExpr{span: at, root: rootVariable, name: v.name, path: path}
	}
	return &queryExpr{span: at, root: rootExpr, base: base, path: path}
}

// primary = literal | container | path | call | variable
func (p *parser) primary() expr {
	t := p.peek()
	switch t.kind {
	case tokString, tokRaw, tokInt, tokFloat, tokRegex, tokTime:
		p.take()
		return p.literal(t)
	case tokIdent:
		p.take()
		return &varExpr{span{t.pos, t.end}, t.text}
	case tokCall:
		return p.call()
	}
	at := span{t.pos, t.end}
	switch {
	case p.accept("true"):
		return &litExpr{at, true}
	case p.accept("false"):
		return &litExpr{at, false}
	case p.accept("null"):
		return &litExpr{at, nil}
	case t.is("."), t.is("%"):
		return p.rooted()
	case p.accept("("):
		return p.group(t)
	case p.accept("["):
		return p.array(t)
	case p.accept("{"):
		return p.braces(t)
	}
	panic(p.unexpected(""))
}

// rooted is a path of the event or, after %, of its metadata.
func (p *parser) rooted() expr {
	t := p.take()
	q := &queryExpr{span: span{t.pos, t.end}}
	if t.is("%") {
		q.root = rootMetadata
	}
	first := p.peek()
	if first.apart {
		return q
	}
	if first.name() || first.kind == tokString || first.is("(") {
		q.path = append(q.path, p.segment())
		q.to = p.tokens[p.at-1].end
	} else if !first.is("[") {
		return q
	}
	if rest, to := p.path(); len(rest) > 0 {
		q.path, q.to = append(q.path, rest...), to
	}
	return q
}

// path reads `.field`, `."field"`, `.(a | b)` and `[0]` as long as nothing stands between.
func (p *parser) path() (path []step, to int) {
	for !p.peek().apart {
		switch {
		case p.accept("."):
			path = append(path, p.segment())
		case p.accept("["):
			t := p.peek()
			n, err := strconv.Atoi(t.text)
			if t.kind != tokInt || err != nil {
				panic(p.unexpected(`expected "integer literal"`))
			}
			p.take()
			p.expect("]")
			path = append(path, step{index: n, array: true})
		default:
			return path, to
		}
		to = p.tokens[p.at-1].end
	}
	return path, to
}

func (p *parser) segment() step {
	if !p.accept("(") {
		return step{field: p.field()}
	}
	alts := []string{p.field()}
	for p.accept("|") {
		alts = append(alts, p.field())
	}
	p.expect(")")
	return step{alts: alts}
}

func (p *parser) field() string {
	t := p.peek()
	switch {
	case t.name():
		p.take()
		return t.text
	case t.kind == tokString:
		p.take()
		name, _ := unescape(t.text) // the lexer has seen that it can be
		return name
	}
	panic(p.unexpected(`expected a field's name`))
}

// group = "(" assignment ")". VRL's grammar has no newline in it; some versions might.
func (p *parser) group(open token) expr {
	defer p.enter()()
	newlines := func() {
		if p.peek().kind == tokNewline {
			p.doubt("a newline inside parentheses", open.pos)
			p.newlines()
		}
	}
	newlines()
	e := p.assignment()
	newlines()
	p.expect(")")
	return &blockExpr{span: span{open.pos, p.tokens[p.at-1].end}, body: []expr{e}}
}

// list reads what stands between commas up to the closing bracket; the last comma may have nothing after it.
func (p *parser) list(closing string, item func()) {
	p.newlines()
	for !p.accept(closing) {
		item()
		comma := p.accept(",")
		p.newlines()
		if !comma {
			p.expect(closing)
			return
		}
	}
}

func (p *parser) array(open token) expr {
	a := &arrayExpr{}
	p.list("]", func() { a.items = append(a.items, p.arithmetic()) })
	a.span = span{open.pos, p.tokens[p.at-1].end}
	return a
}

// braces is an object if it is empty or starts with a key, else a block.
func (p *parser) braces(open token) expr {
	start := p.at
	p.newlines()
	if p.peek().is("}") || p.peek().kind == tokString && p.tokens[p.at+1].is(":") {
		return p.object(open)
	}
	p.at = start
	return p.blockBody(open)
}

func (p *parser) object(open token) expr {
	o := &objectExpr{}
	p.list("}", func() {
		key := p.peek()
		if key.kind != tokString {
			panic(p.unexpected(`expected "string literal"`))
		}
		p.take()
		p.expect(":")
		name, _ := unescape(key.text) // the lexer has seen that it can be
		o.keys, o.values = append(o.keys, name), append(o.values, p.arithmetic())
	})
	o.span = span{open.pos, p.tokens[p.at-1].end}
	return o
}

// call = name [ "!" ] "(" arguments ")" [ "->" "|" names "|" block ]
func (p *parser) call() expr {
	name := p.take()
	c := &callExpr{name: name.text, abort: p.accept("!")}
	p.expect("(")
	p.list(")", func() {
		arg := argument{pos: p.peek().pos}
		if p.peek().name() && p.tokens[p.at+1].is(":") {
			arg.keyword = p.take().text
			p.take()
		}
		arg.value = p.arithmetic()
		c.arguments = append(c.arguments, arg)
	})
	c.span = span{name.pos, p.tokens[p.at-1].end}
	if !p.accept("->") {
		return c
	}
	c.closure = &closure{}
	if !p.accept("||") {
		p.expect("|")
		p.list("|", func() {
			t := p.peek()
			if t.kind != tokIdent && !t.is("_") {
				panic(p.unexpected(`expected "identifier"`))
			}
			c.closure.names = append(c.closure.names, p.take().text)
		})
	}
	p.newlines()
	c.closure.body = p.block()
	c.to = c.closure.body.to
	return c
}
