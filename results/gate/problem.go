package gate

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/token"
)

// Problem is one thing that is wrong with a policy.
type Problem struct {
	Line, Column int // from 1; 0 where the whole file is meant
	Message      string
}

// Problems is everything that is wrong with a policy.
type Problems struct {
	File   string
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
		if pr.Line == 0 || pr.Line > len(lines) {
			fmt.Fprintf(&b, "%s: %s", p.File, pr.Message)
			continue
		}
		fmt.Fprintf(&b, "%s:%d:%d: %s\n    %q", p.File, pr.Line, pr.Column, pr.Message, strings.TrimSpace(lines[pr.Line-1]))
	}
	return b.String()
}

func (p *Problems) orNil() error {
	if len(p.List) == 0 {
		return nil
	}
	slices.SortStableFunc(p.List, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return p
}

// notYAML is the parser's error without its excerpt of the file.
func notYAML(err error) Problem {
	text, _, _ := strings.Cut(err.Error(), "\n")
	if said := (interface{ GetMessage() string })(nil); errors.As(err, &said) {
		text = said.GetMessage()
	}
	p := Problem{Message: "not YAML: " + text}
	if at := (interface{ GetToken() *token.Token })(nil); errors.As(err, &at) && at.GetToken() != nil && at.GetToken().Position != nil {
		p.Line, p.Column = at.GetToken().Position.Line, at.GetToken().Position.Column
	}
	return p
}
