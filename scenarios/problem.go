package scenarios

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml/token"
)

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
	List   []Problem
	source []byte
}

// Error shows each problem with the line it is on.
func (p *Problems) Error() string {
	lines := strings.Split(string(p.source), "\n")
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

// problems gathers them in one file.
type problems struct {
	file string
	list []Problem
}

func (p *problems) at(tk *token.Token, format string, args ...any) {
	pr := Problem{File: p.file, Message: fmt.Sprintf(format, args...)}
	if tk != nil && tk.Position != nil {
		pr.Line, pr.Column = tk.Position.Line, tk.Position.Column
	}
	p.list = append(p.list, pr)
}

func (p *problems) err(source []byte) error {
	if len(p.list) == 0 {
		return nil
	}
	slices.SortStableFunc(p.list, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return &Problems{List: p.list, source: source}
}
