package vrl

type tokenKind int

const (
	tokEnd tokenKind = iota
	tokIdent
	tokField    // an identifier with @: good for a path only
	tokReserved // reserved word: good for a path and a keyword argument only
	tokKeyword
	tokCall // an identifier that ( or ! follows at once
	tokString
	tokRaw
	tokInt
	tokFloat
	tokRegex
	tokTime
	tokNewline
	tokOp // operators and punctuation, by text
)

// token is one word of a program. text is the literal's raw content, or the word itself.
type token struct {
	kind     tokenKind
	text     string
	pos, end int
	// apart says that space or a comment stands before it: `.a [0]` is no path, `.a[0]` is one.
	apart bool
}

func (t token) is(text string) bool {
	return (t.kind == tokOp || t.kind == tokKeyword) && t.text == text
}

// name says whether the token can name a field.
func (t token) name() bool {
	switch t.kind {
	case tokIdent, tokField, tokReserved:
		return true
	case tokKeyword:
		return t.text != "return"
	}
	return false
}

// keywords and reserved words, as VRL's own lexer has them (vectordotdev/vrl, src/parser/lex.rs).
var keywords = words("if else true false null abort return")

var reserved = words("array bool boolean break continue do emit float for forall foreach all each any try undefined " +
	"int integer iter object regex string traverse timestamp duration unless walk while loop")
