package vrl

import "strconv"

// levels are the operators, the loosest first (VRL's grammar: || and && bind alike).
var levels = [][]string{{"??"}, {"||", "&&"}, {"!=", "=="}, {">=", ">", "<=", "<"}, {"|"}, {"+", "-"}, {"*", "/"}}

func (p *parser) arithmetic() (expr, error) {
	leave, err := p.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	return p.level(0)
}

func (p *parser) level(n int) (expr, error) {
	if n == len(levels) {
		return p.not()
	}
	left, err := p.level(n + 1)
	if err != nil {
		return nil, err
	}
	for chain := 0; ; chain++ {
		op := ""
		for _, candidate := range levels[n] {
			if p.peek().kind == tokOp && p.peek().text == candidate {
				op = candidate
			}
		}
		if op == "" {
			return left, nil
		}
		if chain > 10*maxDepth {
			return nil, errTooDeep
		}
		p.take()
		p.newlines()
		right, err := p.level(n + 1)
		if err != nil {
			return nil, err
		}
		left = &opExpr{span{left.where().from, right.where().to}, op, left, right}
	}
}

func (p *parser) not() (expr, error) {
	t := p.peek()
	if !t.is("!") {
		return p.postfix()
	}
	leave, err := p.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	p.take()
	inner, err := p.not()
	if err != nil {
		return nil, err
	}
	return &notExpr{span{t.pos, inner.where().to}, inner}, nil
}

// postfix is a term and the path that follows it without a space.
func (p *parser) postfix() (expr, error) {
	base, err := p.primary()
	if err != nil {
		return nil, err
	}
	switch base.(type) {
	case *queryExpr, *litExpr, *opExpr:
		return base, nil
	}
	path, to, err := p.path()
	if err != nil || len(path) == 0 {
		return base, err
	}
	at := span{base.where().from, to}
	if v, ok := base.(*varExpr); ok {
		return &queryExpr{span: at, root: rootVariable, name: v.name, path: path}, nil
	}
	return &queryExpr{span: at, root: rootExpr, base: base, path: path}, nil
}

// primary = literal | container | path | call | variable
func (p *parser) primary() (expr, error) {
	t := p.peek()
	switch t.kind {
	case tokString, tokRaw, tokInt, tokFloat, tokRegex, tokTime:
		p.take()
		return p.literal(t)
	case tokIdent:
		p.take()
		return &varExpr{span{t.pos, t.end}, t.text}, nil
	case tokCall:
		return p.call()
	}
	at := span{t.pos, t.end}
	switch {
	case p.accept("true"):
		return &litExpr{at, true}, nil
	case p.accept("false"):
		return &litExpr{at, false}, nil
	case p.accept("null"):
		return &litExpr{at, nil}, nil
	case t.is("."), t.is("%"):
		return p.rooted()
	case p.accept("("):
		return p.group(t)
	case p.accept("["):
		return p.array(t)
	case p.accept("{"):
		return p.braces(t)
	}
	return nil, p.unexpected("")
}

// rooted is a path of the event or, after %, of its metadata.
func (p *parser) rooted() (expr, error) {
	t := p.take()
	q := &queryExpr{span: span{t.pos, t.end}}
	if t.is("%") {
		q.root = rootMetadata
	}
	first := p.peek()
	if first.apart {
		return q, nil
	}
	if first.name() || first.kind == tokString || first.is("(") {
		s, err := p.segment()
		if err != nil {
			return nil, err
		}
		q.path, q.to = append(q.path, s), p.tokens[p.at-1].end
	} else if !first.is("[") {
		return q, nil
	}
	rest, to, err := p.path()
	if len(rest) > 0 {
		q.path, q.to = append(q.path, rest...), to
	}
	return q, err
}

// path reads `.field`, `."field"`, `.(a | b)` and `[0]` as long as nothing stands between.
func (p *parser) path() (path []step, to int, err error) {
	for !p.peek().apart {
		switch {
		case p.peek().is("."):
			p.take()
			s, err := p.segment()
			if err != nil {
				return nil, 0, err
			}
			path = append(path, s)
		case p.peek().is("["):
			p.take()
			t := p.take()
			n, err := strconv.Atoi(t.text)
			if t.kind != tokInt || err != nil {
				p.at--
				return nil, 0, p.unexpected(`expected "integer literal"`)
			}
			if err := p.expect("]"); err != nil {
				return nil, 0, err
			}
			path = append(path, step{index: n, array: true})
		default:
			return path, to, nil
		}
		to = p.tokens[p.at-1].end
	}
	return path, to, nil
}

func (p *parser) segment() (step, error) {
	if !p.accept("(") {
		name, err := p.field()
		return step{field: name}, err
	}
	var alts []string
	for {
		name, err := p.field()
		if err != nil {
			return step{}, err
		}
		alts = append(alts, name)
		if p.accept("|") {
			continue
		}
		return step{alts: alts}, p.expect(")")
	}
}

func (p *parser) field() (string, error) {
	t := p.peek()
	switch {
	case t.name():
		p.take()
		return t.text, nil
	case t.kind == tokString:
		p.take()
		return unescape(t.text)
	}
	return "", p.unexpected(`expected a field's name`)
}

// group = "(" assignment ")". VRL's grammar has no newline in it; some versions might.
func (p *parser) group(open token) (expr, error) {
	leave, err := p.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	if p.peek().kind == tokNewline {
		p.doubt("a newline inside parentheses", open.pos)
		p.newlines()
	}
	e, err := p.assignment()
	if err != nil {
		return nil, err
	}
	if p.peek().kind == tokNewline {
		p.doubt("a newline inside parentheses", open.pos)
		p.newlines()
	}
	if err := p.expect(")"); err != nil {
		return nil, err
	}
	return &blockExpr{span: span{open.pos, p.tokens[p.at-1].end}, body: []expr{e}}, nil
}

// list reads what stands between commas up to the closing bracket; the last comma may have nothing after it.
func (p *parser) list(closing string, item func() error) error {
	p.newlines()
	for !p.accept(closing) {
		if err := item(); err != nil {
			return err
		}
		if p.accept(",") {
			p.newlines()
			continue
		}
		p.newlines()
		if err := p.expect(closing); err != nil {
			return err
		}
		return nil
	}
	return nil
}

func (p *parser) array(open token) (expr, error) {
	a := &arrayExpr{}
	err := p.list("]", func() error {
		e, err := p.arithmetic()
		a.items = append(a.items, e)
		return err
	})
	a.span = span{open.pos, p.tokens[p.at-1].end}
	return a, err
}

// braces is an object if it is empty or starts with a key, else a block.
func (p *parser) braces(open token) (expr, error) {
	start := p.at
	p.newlines()
	if p.peek().is("}") || p.peek().kind == tokString && p.tokens[p.at+1].is(":") {
		return p.object(open)
	}
	p.at = start
	return p.blockBody(open)
}

func (p *parser) object(open token) (expr, error) {
	o := &objectExpr{}
	err := p.list("}", func() error {
		key := p.peek()
		if key.kind != tokString {
			return p.unexpected(`expected "string literal"`)
		}
		p.take()
		if err := p.expect(":"); err != nil {
			return err
		}
		name, _ := unescape(key.text) // the lexer has seen that it can be
		value, err := p.arithmetic()
		o.keys, o.values = append(o.keys, name), append(o.values, value)
		return err
	})
	o.span = span{open.pos, p.tokens[p.at-1].end}
	return o, err
}

// call = name [ "!" ] "(" arguments ")" [ "->" "|" names "|" block ]
func (p *parser) call() (expr, error) {
	name := p.take()
	c := &callExpr{name: name.text, abort: p.accept("!")}
	if err := p.expect("("); err != nil {
		return nil, err
	}
	err := p.list(")", func() error {
		arg := argument{pos: p.peek().pos}
		if p.peek().name() && p.tokens[p.at+1].is(":") {
			arg.keyword = p.take().text
			p.take()
		}
		var err error
		arg.value, err = p.arithmetic()
		c.arguments = append(c.arguments, arg)
		return err
	})
	c.span = span{name.pos, p.tokens[p.at-1].end}
	if err != nil || !p.accept("->") {
		return c, err
	}
	c.closure = &closure{}
	if !p.accept("||") {
		if err := p.expect("|"); err != nil {
			return nil, err
		}
		if err := p.list("|", func() error {
			t := p.peek()
			if t.kind != tokIdent && !t.is("_") {
				return p.unexpected(`expected "identifier"`)
			}
			c.closure.names = append(c.closure.names, p.take().text)
			return nil
		}); err != nil {
			return nil, err
		}
	}
	p.newlines()
	if c.closure.body, err = p.block(); err != nil {
		return nil, err
	}
	c.to = c.closure.body.to
	return c, nil
}
