package vrl

import (
	"errors"
	"fmt"
)

// maxDepth bounds how deep expressions nest: no program written by hand comes near it.
const maxDepth = 100

// maxWork bounds the expressions tried, as a predicate in parentheses is tried twice.
const maxWork = 200_000

// errTooDeep and errNewer end the parsing of programs that may be good, but not here.
var (
	errTooDeep = errors.New("expressions nested too deep")
	errNewer   = errors.New("loop")
)

type parser struct {
	tokens    []token
	at        int
	depth     int
	work      int
	unknown   []note
	undecided []note
	tables    []string // enrichment tables that are looked up
}

// note is a remark at a place of the program.
type note struct {
	text string
	pos  int
}

func (p *parser) unknownForm(text string, pos int) { p.unknown = append(p.unknown, note{text, pos}) }
func (p *parser) doubt(text string, pos int)       { p.undecided = append(p.undecided, note{text, pos}) }

func syntaxError(pos, code int, detail string) error {
	return &CompileError{Code: code, Message: "syntax error: " + detail, pos: pos}
}

// stopped is thrown where a program cannot be read, is refused, or its run fails, so that a rule reads as the grammar does
// and a function as what it works out. It never leaves the package: Compile and Run catch it.
type stopped struct{ err error }

// attempt gives the error that f stopped with.
func attempt(f func()) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case stopped:
			err = r.err
		default:
			panic(r)
		}
	}()
	f()
	return nil
}

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) take() token {
	t := p.tokens[p.at]
	if t.kind != tokEnd {
		p.at++
	}
	return t
}

func (p *parser) accept(text string) bool {
	if p.peek().is(text) {
		p.at++
		return true
	}
	return false
}

func (p *parser) expect(text string) {
	if !p.accept(text) {
		panic(p.unexpected(fmt.Sprintf("expected %q", text)))
	}
}

// unexpected refuses the next token. It names the kind, never the text: a secret may have become part of the program.
func (p *parser) unexpected(expected string) stopped {
	t := p.peek()
	if expected != "" {
		expected = ", " + expected
	}
	switch t.kind {
	case tokEnd:
		return stopped{syntaxError(t.pos, 204, "unexpected end of program"+expected)}
	case tokReserved:
		if t.text == "for" || t.text == "break" || t.text == "continue" {
			return stopped{errNewer}
		}
		return stopped{&CompileError{Code: 205, Message: "reserved keyword", pos: t.pos}}
	}
	return stopped{syntaxError(t.pos, 203, fmt.Sprintf("unexpected syntax token: %q", tokenNames[t.kind])+expected)}
}

var tokenNames = map[tokenKind]string{
	tokIdent: "Identifier", tokField: "PathField", tokKeyword: "keyword", tokCall: "FunctionCall", tokString: "StringLiteral",
	tokRaw: "RawStringLiteral", tokInt: "IntegerLiteral", tokFloat: "FloatLiteral", tokRegex: "RegexLiteral",
	tokTime: "TimestampLiteral", tokNewline: "Newline", tokOp: "Operator",
}

func (p *parser) newlines() {
	for p.peek().kind == tokNewline {
		p.at++
	}
}

// enter counts one level of nesting; leave it with the function given.
func (p *parser) enter() func() {
	p.work++
	if p.depth++; p.depth > maxDepth || p.work > maxWork {
		panic(stopped{errTooDeep})
	}
	return func() { p.depth-- }
}

// program = { expr ( newline | ; ) }
func (p *parser) program() []expr {
	var body []expr
	p.newlines()
	for p.peek().kind != tokEnd {
		body = append(body, p.expression())
		if p.peek().kind != tokEnd {
			p.separator()
		}
	}
	return body
}

func (p *parser) separator() {
	if p.peek().kind != tokNewline && !p.accept(";") {
		panic(p.unexpected(`expected "\n" or ";"`))
	}
	p.newlines()
}

// expression is what may stand on a line of its own.
func (p *parser) expression() expr {
	defer p.enter()()
	t := p.peek()
	switch {
	case t.is("if"):
		return p.ifStatement()
	case t.is("abort"):
		p.take()
		e := &abortExpr{span: span{t.pos, t.end}}
		if p.startsExpression() {
			e.message = p.expression()
		}
		return e
	case t.is("return"):
		p.take()
		return &returnExpr{span{t.pos, t.end}, p.expression()}
	}
	return p.assignment()
}

func (p *parser) startsExpression() bool {
	t := p.peek()
	return t.kind != tokEnd && t.kind != tokNewline && !t.is(";") && !t.is("}") && !t.is(")")
}

// assignment = target [ "," target ] ( "=" | "|=" ) expression | arithmetic
func (p *parser) assignment() expr {
	start := p.at
	if p.accept("_") {
		return p.assign(nil, start)
	}
	left := p.arithmetic()
	next := p.peek()
	if !next.is("=") && !next.is("|=") && !next.is(",") {
		return left
	}
	target := asTarget(left)
	if target == nil {
		if !next.is(",") {
			panic(p.unexpected(""))
		}
		return left // the list that it stands in goes on
	}
	return p.assign(target, start)
}

func (p *parser) assign(ok *queryExpr, start int) expr {
	a := &assignExpr{ok: ok}
	if p.accept(",") {
		a.fallible = true
		if !p.accept("_") {
			if a.err = asTarget(p.postfix()); a.err == nil {
				panic(p.unexpected(""))
			}
		}
	}
	merge := p.peek().is("|=")
	if !merge && !p.peek().is("=") {
		panic(p.unexpected(`expected "=" or "|="`))
	}
	op := p.take()
	p.newlines()
	a.value = p.expression()
	if merge {
		if ok == nil {
			panic(stopped{syntaxError(op.pos, 203, `unexpected syntax token: "MergeEquals"`)})
		}
		a.value = &opExpr{span: a.value.where(), op: "|", left: ok, right: a.value}
	}
	a.span = span{p.tokens[start].pos, a.value.where().to}
	return a
}

// asTarget is the expression as something to assign to, or nil.
func asTarget(e expr) *queryExpr {
	switch e := e.(type) {
	case *varExpr:
		return &queryExpr{span: e.span, root: rootVariable, name: e.name}
	case *queryExpr:
		if e.root != rootExpr {
			return e
		}
	}
	return nil
}

// ifStatement = "if" predicate block { "else" "if" predicate block } [ "else" block ]. An else stands on the line of the
// brace before it: VRL takes it nowhere else.
func (p *parser) ifStatement() expr {
	defer p.enter()()
	start := p.take()
	e := &ifExpr{test: p.predicate()}
	p.newlines()
	e.then = p.block()
	e.span = span{start.pos, e.then.to}
	if !p.accept("else") {
		return e
	}
	p.newlines()
	if p.peek().is("if") {
		inner := p.ifStatement()
		e.alt = &blockExpr{span: inner.where(), body: []expr{inner}, scoped: true}
	} else {
		e.alt = p.block()
	}
	e.to = e.alt.to
	return e
}

// predicate is one expression, or several in parentheses.
func (p *parser) predicate() []expr {
	before := *p
	if p.accept("(") {
		var body []expr
		if err := attempt(func() { body = p.predicateList() }); err == nil && body != nil {
			return body
		}
		p.at, p.unknown, p.undecided = before.at, before.unknown, before.undecided
	}
	return []expr{p.arithmetic()}
}

// predicateList is nil where the parentheses are those of one expression.
func (p *parser) predicateList() []expr {
	var body []expr
	p.newlines()
	separated := false
	for !p.peek().is(")") {
		body = append(body, p.assignment())
		if p.peek().kind != tokNewline && !p.peek().is(";") {
			break
		}
		separated = true
		for p.peek().kind == tokNewline || p.peek().is(";") {
			p.at++
		}
	}
	closed := p.accept(")")
	after := p.peek()
	if closed && separated && (after.is("{") || after.kind == tokNewline) {
		return body
	}
	return nil
}

// block = "{" expr { separator expr } "}". It holds one expression at least.
func (p *parser) block() *blockExpr {
	start := p.peek()
	p.expect("{")
	return p.blockBody(start)
}

func (p *parser) blockBody(start token) *blockExpr {
	b := &blockExpr{scoped: true}
	p.newlines()
	for len(b.body) == 0 || !p.peek().is("}") {
		b.body = append(b.body, p.expression())
		if !p.peek().is("}") {
			p.separator()
		}
	}
	b.span = span{start.pos, p.take().end}
	return b
}
