// Package document reads a file that holds one YAML document of a known kind and
// version, and gathers everything that is wrong with it by line and column.
//
//	p := &document.Problems{File: "mine.yaml", Source: source}
//	if root := p.Read("scenario", 1, schema, &scenario); root != nil && scenario.Delay > most {
//		p.At(document.Find(root, "delay"), "delay: more than %s", most)
//	}
//	return p.Err()
package document

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// MaxSize bounds a file, in bytes. Ours have some hundred; the parser's time grows
// with the square of the depth (60 kB of "[" take 15 s, 16 kB under 1 s).
const MaxSize = 16 << 10

// Problem is one thing that is wrong with a file.
type Problem struct {
	File         string
	Line, Column int // from 1; 0 where the whole file is meant
	Message      string
}

func (p Problem) String() string {
	if p.Line == 0 {
		return fmt.Sprintf("%s: %s", p.File, p.Message)
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message)
}

// Problems is everything that is wrong with a file.
type Problems struct {
	File   string
	Source []byte
	List   []Problem
}

// Error shows each problem with the line it is on.
func (p *Problems) Error() string {
	lines := strings.Split(string(p.Source), "\n")
	var b strings.Builder
	for i, pr := range p.List {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(pr.String())
		if pr.Line > 0 && pr.Line <= len(lines) {
			line, column := excerpt(lines[pr.Line-1], pr.Column)
			fmt.Fprintf(&b, "\n    %s\n    %s^", line, strings.Repeat(" ", column-1))
		}
	}
	return b.String()
}

// excerpt is the part of a line around a column, and the column's place in it.
// What a terminal would obey instead of show becomes a blank or a mark.
func excerpt(line string, column int) (string, int) {
	const before, most = 60, 100
	text := []rune(strings.TrimRight(line, "\r"))
	for i, r := range text {
		switch {
		case r == '\t':
			text[i] = ' '
		case !unicode.IsPrint(r):
			text[i] = unicode.ReplacementChar
		}
	}
	column = min(max(1, column), len(text)+1)
	if from := column - 1 - before; from > 0 {
		text, column = text[from:], column-from
	}
	return string(text[:min(most, len(text))]), column
}

// At notes a problem; without a token it is of the whole file.
func (p *Problems) At(tk *token.Token, format string, args ...any) {
	pr := Problem{File: p.File, Message: fmt.Sprintf(format, args...)}
	if tk != nil && tk.Position != nil {
		pr.Line, pr.Column = tk.Position.Line, tk.Position.Column
	}
	p.List = append(p.List, pr)
}

// Err is nil without a problem, else p with its list in the order of the file.
func (p *Problems) Err() error {
	if len(p.List) == 0 {
		return nil
	}
	slices.SortStableFunc(p.List, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return p
}

// byteOrderMark is what some editors of Windows begin a file with.
var byteOrderMark = []byte("\ufeff")

// parse returns the root of the file's one document, nil where there is a problem.
// kind is what the file holds, such as scenario.
func (p *Problems) parse(kind string, version int) ast.Node {
	p.Source = bytes.TrimPrefix(p.Source, byteOrderMark)
	switch {
	case len(p.Source) > MaxSize:
		p.At(nil, "%d bytes; a %s has at most %d", len(p.Source), kind, MaxSize)
		return nil
	case !utf8.Valid(p.Source) || bytes.ContainsRune(p.Source, 0):
		p.At(nil, "not a text file: expected YAML in UTF-8")
		return nil
	}
	f, err := parser.ParseBytes(p.Source, 0)
	if err != nil {
		p.notYAML(err)
		return nil
	}
	var docs []ast.Node
	for _, d := range f.Docs {
		if d.Body != nil && d.Body.Type() != ast.CommentType {
			docs = append(docs, d.Body)
		}
	}
	switch len(docs) {
	case 0:
		if version > 0 {
			p.At(nil, "empty: expected a %s, beginning with version: %d", kind, version)
		}
		return nil
	case 1:
		return docs[0]
	}
	p.At(docs[1].GetToken(), "a second document: a file holds one %s", kind)
	return nil
}

// notYAML notes the parser's error without its excerpt of the file.
func (p *Problems) notYAML(err error) {
	text, _, _ := strings.Cut(err.Error(), "\n")
	if said := (interface{ GetMessage() string })(nil); errors.As(err, &said) {
		text = said.GetMessage()
	}
	var tk *token.Token
	if at := (interface{ GetToken() *token.Token })(nil); errors.As(err, &at) {
		tk = at.GetToken()
	}
	p.At(tk, "not YAML: %s", text)
}

// Find returns the token at a path of keys' names and elements' numbers, or of its
// deepest part that there is: a key's own, an element's first.
func Find(n ast.Node, path ...any) *token.Token {
	tk := n.GetToken()
	for _, step := range path {
		key, value := child(n, step)
		if value == nil {
			break
		}
		n, tk = value, key
	}
	return tk
}

func child(n ast.Node, step any) (*token.Token, ast.Node) {
	switch step := step.(type) {
	case int:
		if list, ok := n.(*ast.SequenceNode); ok && step < len(list.Values) {
			return list.Values[step].GetToken(), list.Values[step]
		}
	case string:
		m, ok := n.(ast.MapNode)
		if !ok {
			break
		}
		for it := m.MapRange(); it.Next(); {
			if it.Key().GetToken().Value == step {
				return it.Key().GetToken(), it.Value()
			}
		}
	}
	return nil, nil
}
