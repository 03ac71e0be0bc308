package vrl

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

var escapes = map[byte]string{'\'': "'", '"': `"`, '\\': `\`, 'n': "\n", 'r': "\r", 't': "\t", '{': "{", '}': "}", '0': "\x00"}

// The messages name no character: it may be one of a secret's.
var errEscape = errors.New("unexpected error: invalid escape character")

// unescape puts in what a string literal's escapes stand for. A backslash at a line's end joins it with the next,
// whose indent is dropped.
func unescape(s string) (string, error) {
	if !strings.Contains(s, `\`) {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		if i++; i == len(s) {
			return "", errEscape
		}
		switch c := s[i]; {
		case c == '\n':
			for i+1 < len(s) && strings.IndexByte(" \t\r\n", s[i+1]) >= 0 {
				i++
			}
		case c == 'u':
			end := strings.IndexByte(s[i:], '}')
			if end < 3 || end > 8 || s[i+1] != '{' {
				return "", errEscape
			}
			v, err := strconv.ParseUint(s[i+2:i+end], 16, 32)
			if err != nil || v > utf8.MaxRune || !utf8.ValidRune(rune(v)) {
				return "", errEscape
			}
			b.WriteRune(rune(v))
			i += end
		case escapes[c] != "":
			b.WriteString(escapes[c])
		default:
			return "", errEscape
		}
	}
	return b.String(), nil
}

// segment is a piece of a string literal: text, or the name of the variable that stands in {{ }}.
type segment struct {
	text     string
	variable bool
}

// segments splits a string literal at its templates; `\{{` is no template.
func segments(s string) []segment {
	var out []segment
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			plain, _ := unescape(text.String()) // the lexer has seen that it can be
			out = append(out, segment{text: plain})
			text.Reset()
		}
	}
	for i := 0; i < len(s); {
		switch {
		case strings.HasPrefix(s[i:], `\{{`) || strings.HasPrefix(s[i:], `\}}`):
			text.WriteString(s[i+1 : i+3])
			i += 3
		case s[i] == '\\' && i+1 < len(s):
			text.WriteString(s[i : i+2])
			i += 2
		case strings.HasPrefix(s[i:], "{{") && strings.Contains(s[i:], "}}"):
			flush()
			end := i + strings.Index(s[i:], "}}")
			out = append(out, segment{text: strings.TrimSpace(s[i+2 : end]), variable: true})
			i = end + 2
		default:
			text.WriteByte(s[i])
			i++
		}
	}
	flush()
	return out
}

func (p *parser) literal(t token) expr {
	at := span{t.pos, t.end}
	switch t.kind {
	case tokString:
		return stringLiteral(t, at)
	case tokRaw:
		return &litExpr{at, t.text}
	case tokInt:
		v, err := strconv.ParseInt(t.text, 10, 64)
		return number(t, v, err)
	case tokFloat:
		v, err := strconv.ParseFloat(t.text, 64)
		return number(t, v, err)
	case tokRegex:
		text := strings.ReplaceAll(t.text, `\'`, `'`)
		re, err := regexp.Compile(text)
		if err != nil || rustOnly(text) {
			return p.badRegex(t, at)
		}
		return &litExpr{at, re}
	default: // tokTime
		v, err := time.Parse(time.RFC3339Nano, strings.Replace(t.text, " ", "T", 1))
		if err != nil {
			panic(stopped{&CompileError{Code: 601, Message: "invalid timestamp", pos: t.pos}})
		}
		return &litExpr{at, v.UTC()}
	}
}

func number(t token, v any, err error) expr {
	if err != nil {
		panic(stopped{syntaxError(t.pos, 202, "unexpected error: invalid numeric literal")})
	}
	return &litExpr{span{t.pos, t.end}, v}
}

// rustOnly says that a regex has a class in which Rust sees more than Go: an operation (&&, --, ~~) or a class in a class.
func rustOnly(s string) bool {
	inClass, named := false, false
	for i := 0; i < len(s); i++ {
		switch rest := s[i:]; {
		case s[i] == '\\':
			i++
		case !inClass:
			inClass = s[i] == '['
			if inClass && strings.HasPrefix(rest[1:], "^") {
				i++
			}
			if inClass && strings.HasPrefix(s[i+1:], "]") {
				i++
			}
		case named:
			named = !strings.HasPrefix(rest, ":]")
			if !named {
				i++
			}
		case strings.HasPrefix(rest, "[:"):
			named = true
			i++
		case s[i] == '[', strings.HasPrefix(rest, "&&"), strings.HasPrefix(rest, "--"), strings.HasPrefix(rest, "~~"):
			return true
		case s[i] == ']':
			inClass = false
		}
	}
	return false
}

// neverMatches stands for a regex that cannot be read here.
const neverMatches = "$^"

// badRegex tells a regex that Rust refuses too from one that only Go refuses.
func (p *parser) badRegex(t token, at span) expr {
	maybe := rustOnly(t.text)
	for _, only := range []string{"(?", `\<`, `\>`, `\b{`, `\x`, `\u`, `\U`, "{"} {
		maybe = maybe || strings.Contains(t.text, only)
	}
	if maybe {
		p.unknownForm("a regex that this interpreter cannot read", t.pos)
		return &litExpr{at, regexp.MustCompile(neverMatches)}
	}
	panic(stopped{&CompileError{Code: 101, Message: "invalid regular expression", pos: t.pos}})
}

// stringLiteral turns "a {{ b }}" into the sum that VRL makes of it.
func stringLiteral(t token, at span) expr {
	parts := segments(t.text)
	if len(parts) == 0 {
		return &litExpr{at, ""}
	}
	if len(parts) == 1 && !parts[0].variable {
		return &litExpr{at, parts[0].text}
	}
	var sum expr
	for _, part := range parts {
		var e expr = &litExpr{at, part.text}
		if part.variable {
			e = &varExpr{at, part.text}
		}
		if sum == nil {
			sum = e
			continue
		}
		sum = &opExpr{span: at, op: "+", left: sum, right: e}
	}
	return sum
}
