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
	source    string
	tokens    []token
	at        int
	depth     int
	work      int
	unknown   []note
	undecided []note
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

func (p *parser) expect(text string) error {
	if p.accept(text) {
		return nil
	}
	return p.unexpected(fmt.Sprintf("expected %q", text))
}

// unexpected refuses the next token. It names the kind, never the text: a secret may have become part of the program.
func (p *parser) unexpected(expected string) error {
	t := p.peek()
	if expected != "" {
		expected = ", " + expected
	}
	switch t.kind {
	case tokEnd:
		return syntaxError(t.pos, 204, "unexpected end of program"+expected)
	case tokReserved:
		if t.text == "for" || t.text == "break" || t.text == "continue" {
			return errNewer
		}
		return &CompileError{Code: 205, Message: "reserved keyword", pos: t.pos}
	}
	return syntaxError(t.pos, 203, fmt.Sprintf("unexpected syntax token: %q", tokenNames[t.kind])+expected)
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
func (p *parser) enter() (func(), error) {
	p.work++
	if p.depth++; p.depth > maxDepth || p.work > maxWork {
		return nil, errTooDeep
	}
	return func() { p.depth-- }, nil
}

// program = { expr ( newline | ; ) }
func (p *parser) program() ([]expr, error) {
	var body []expr
	p.newlines()
	for p.peek().kind != tokEnd {
		e, err := p.expression()
		if err != nil {
			return nil, err
		}
		body = append(body, e)
		if p.peek().kind != tokEnd {
			if err := p.separator(); err != nil {
				return nil, err
			}
		}
	}
	return body, nil
}

func (p *parser) separator() error {
	if p.peek().kind != tokNewline && !p.accept(";") {
		return p.unexpected(`expected "\n" or ";"`)
	}
	p.newlines()
	return nil
}

// expression is what may stand on a line of its own.
func (p *parser) expression() (expr, error) {
	leave, err := p.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	t := p.peek()
	switch {
	case t.is("if"):
		return p.ifStatement()
	case t.is("abort"):
		p.take()
		e := &abortExpr{span: span{t.pos, t.end}}
		if p.startsExpression() {
			if e.message, err = p.expression(); err != nil {
				return nil, err
			}
		}
		return e, nil
	case t.is("return"):
		p.take()
		value, err := p.expression()
		if err != nil {
			return nil, err
		}
		return &returnExpr{span{t.pos, t.end}, value}, nil
	}
	return p.assignment()
}

func (p *parser) startsExpression() bool {
	t := p.peek()
	return t.kind != tokEnd && t.kind != tokNewline && !t.is(";") && !t.is("}") && !t.is(")")
}

// assignment = target [ "," target ] ( "=" | "|=" ) expression | arithmetic
func (p *parser) assignment() (expr, error) {
	start := p.at
	if p.accept("_") {
		return p.assign(nil, start)
	}
	left, err := p.arithmetic()
	if err != nil {
		return nil, err
	}
	next := p.peek()
	if !next.is("=") && !next.is("|=") && !next.is(",") {
		return left, nil
	}
	target := asTarget(left)
	if target == nil {
		if next.is(",") {
			return left, nil // the list that it stands in goes on
		}
		return nil, p.unexpected("")
	}
	return p.assign(target, start)
}

func (p *parser) assign(ok *queryExpr, start int) (expr, error) {
	a := &assignExpr{ok: ok}
	if p.accept(",") {
		a.fallible = true
		if !p.accept("_") {
			right, err := p.postfix()
			if err != nil {
				return nil, err
			}
			if a.err = asTarget(right); a.err == nil {
				return nil, p.unexpected("")
			}
		}
	}
	merge := p.peek().is("|=")
	if !merge && !p.peek().is("=") {
		return nil, p.unexpected(`expected "=" or "|="`)
	}
	op := p.take()
	p.newlines()
	var err error
	if a.value, err = p.expression(); err != nil {
		return nil, err
	}
	if merge {
		if ok == nil {
			return nil, syntaxError(op.pos, 203, `unexpected syntax token: "MergeEquals"`)
		}
		a.value = &opExpr{span: a.value.where(), op: "|", left: ok, right: a.value}
	}
	a.span = span{p.tokens[start].pos, a.value.where().to}
	return a, nil
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
func (p *parser) ifStatement() (expr, error) {
	leave, err := p.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	start := p.take()
	e := &ifExpr{}
	if e.test, err = p.predicate(); err != nil {
		return nil, err
	}
	p.newlines()
	if e.then, err = p.block(); err != nil {
		return nil, err
	}
	e.span = span{start.pos, e.then.to}
	if !p.accept("else") {
		return e, nil
	}
	p.newlines()
	if p.peek().is("if") {
		inner, err := p.ifStatement()
		if err != nil {
			return nil, err
		}
		e.alt = &blockExpr{span: inner.where(), body: []expr{inner}, scoped: true}
	} else if e.alt, err = p.block(); err != nil {
		return nil, err
	}
	e.to = e.alt.to
	return e, nil
}

// predicate is one expression, or several in parentheses.
func (p *parser) predicate() ([]expr, error) {
	start := p.at
	if p.accept("(") {
		if body, ok := p.predicateList(); ok {
			return body, nil
		}
		p.at = start
	}
	e, err := p.arithmetic()
	if err != nil {
		return nil, err
	}
	return []expr{e}, nil
}

func (p *parser) predicateList() ([]expr, bool) {
	unknown, undecided, depth := len(p.unknown), len(p.undecided), p.depth
	var body []expr
	p.newlines()
	separated := false
	for !p.peek().is(")") {
		e, err := p.assignment()
		if err != nil {
			break
		}
		body = append(body, e)
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
	if closed && separated && len(body) > 0 && (after.is("{") || after.kind == tokNewline) {
		return body, true
	}
	p.unknown, p.undecided, p.depth = p.unknown[:unknown], p.undecided[:undecided], depth
	return nil, false
}

// block = "{" expr { separator expr } "}". It holds one expression at least.
func (p *parser) block() (*blockExpr, error) {
	start := p.peek()
	if err := p.expect("{"); err != nil {
		return nil, err
	}
	return p.blockBody(start)
}

func (p *parser) blockBody(start token) (*blockExpr, error) {
	b := &blockExpr{scoped: true}
	p.newlines()
	for len(b.body) == 0 || !p.peek().is("}") {
		e, err := p.expression()
		if err != nil {
			return nil, err
		}
		b.body = append(b.body, e)
		if !p.peek().is("}") {
			if err := p.separator(); err != nil {
				return nil, err
			}
		}
	}
	b.span = span{start.pos, p.take().end}
	return b, nil
}
