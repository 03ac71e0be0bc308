package vrl

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"
)

// ErrAbort is what Run gives for a program that reached `abort`. What becomes of the event is the transform's business
// (drop_on_abort).
var ErrAbort = errors.New("aborted")

// CompileError is a program that real Vector refuses as well. It quotes nothing of the program but VRL's own names:
// interpolation may have made a secret part of it.
type CompileError struct {
	Code         int // as in "error[E105]"
	Message      string
	Line, Column int
	pos          int
}

func (e *CompileError) Error() string {
	return fmt.Sprintf("error[E%03d]: %s (:%d:%d), see https://errors.vrl.dev/%d", e.Code, e.Message, e.Line, e.Column, e.Code)
}

// Env is what a program sees of the machine.
type Env struct {
	Vars     map[string]string
	Hostname string
	Now      func() time.Time // nil: the clock
}

// maxSource bounds a program; Vector's have some dozen lines.
const maxSource = 256 << 10

// Program is a compiled program.
type Program struct {
	body      []expr
	unknown   []string
	undecided []string
	tables    []string
}

// CheckCondition says whether Vector takes a program as a condition: as Compile says, and it must come to a boolean and leave
// the event as it is (Vector's src/conditions/vrl.rs). What only Vector's compiler can decide comes as doubts.
func CheckCondition(source string) (doubts []string, err error) {
	if len(source) > maxSource {
		return []string{"whether a program that long compiles"}, nil
	}
	source = strings.ToValidUTF8(source, "\uFFFD")
	p, err := compile(source, true)
	var refused *CompileError
	if errors.As(err, &refused) {
		refused.Line, refused.Column = place(source, refused.pos)
		return nil, refused
	}
	if err != nil {
		return []string{err.Error()}, nil
	}
	doubts = remarks(source, p.undecided)
	switch last := p.last; {
	case last.never, last.kind.bits == kBool:
	case last.kind.unsure && last.kind.bits&kBool != 0:
		doubts = append(doubts, "whether it comes to a boolean")
	default:
		return nil, errNoBoolean
	}
	return doubts, nil
}

//lint:ignore ST1005 Vector's words
var errNoBoolean = errors.New("VRL conditions must return a boolean.")

// Compile reads a program. An error is a *CompileError. A program without any expression is good.
func Compile(source string) (*Program, error) {
	if len(source) > maxSource {
		return &Program{unknown: []string{fmt.Sprintf("a program of more than %d bytes", maxSource)}, undecided: []string{"whether a program that long compiles"}}, nil
	}
	source = strings.ToValidUTF8(source, "\uFFFD")
	p, err := compile(source, false)
	var refused *CompileError
	if errors.As(err, &refused) {
		refused.Line, refused.Column = place(source, refused.pos)
		return nil, refused
	}
	out := &Program{body: p.body, unknown: remarks(source, p.unknown), undecided: remarks(source, p.undecided), tables: p.tables}
	if err != nil { // it could not be read to its end
		line, _ := place(source, p.tokens[p.at].pos)
		text := fmt.Sprintf("%v (line %d)", err, line)
		out.unknown, out.undecided, out.body = append(out.unknown, text), append(out.undecided, text), nil
	}
	return out, nil
}

func compile(source string, readOnly bool) (*compiled, error) {
	tokens, err := lex(source)
	if err != nil {
		return nil, err
	}
	out := &compiled{parser: &parser{tokens: tokens}}
	return out, attempt(func() {
		out.body = out.program()
		c := &checker{parser: out.parser, scope: &scope{vars: map[string]kind{}, consts: map[string]*litExpr{}, event: of(kObject), metadata: of(kObject)}, readOnly: readOnly}
		out.last = c.root(out.body)
	})
}

type compiled struct {
	*parser
	body []expr
	last typed
}

// place is where a byte stands, both counted from 1.
func place(source string, pos int) (line, column int) {
	before := source[:min(pos, len(source))]
	return 1 + strings.Count(before, "\n"), len(before) - strings.LastIndexByte(before, '\n')
}

// remarks are the notes in the order of the program, each once.
func remarks(source string, notes []note) []string {
	slices.SortStableFunc(notes, func(a, b note) int { return a.pos - b.pos })
	var out []string
	for _, n := range notes {
		line, _ := place(source, n.pos)
		if text := fmt.Sprintf("%s (line %d)", n.text, line); !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}

// Unknown names the forms that are VRL but not played here, in order. Empty: Run plays all of it.
func (p *Program) Unknown() []string { return p.unknown }

// Undecided names what only Vector's own compiler can decide. Empty as a rule.
func (p *Program) Undecided() []string { return p.undecided }

// Tables names the enrichment tables that it looks up.
func (p *Program) Tables() []string { return p.tables }

// Run gives what `.` is in the end: an object as a rule, for each of whose kinds the caller has its use (an array is
// several events). ErrAbort is abort; any other error is one that the program handles with `!`, so that Vector drops or
// passes the event as drop_on_error says, or the interpreter's own limit. The input is not changed. A program with
// unknown forms does not run.
func (p *Program) Run(event map[string]any, env Env) (any, error) {
	if len(p.unknown) > 0 {
		return nil, fmt.Errorf("run a VRL program: %s is not played", p.unknown[0])
	}
	m := &machine{env: env, metadata: map[string]any{}, vars: map[string]any{}}
	err := attempt(func() {
		m.event = m.take(event)
		m.sequence(p.body)
	})
	if err != nil && !errors.Is(err, errReturned) {
		return nil, err
	}
	var out any
	err = attempt(func() { out = m.plain(m.event) })
	return out, err
}

// take copies what comes in, with the numbers in VRL's two types.
func (m *machine) take(v any) any {
	return m.copied(v, func(v any) any {
		switch v := v.(type) {
		case nil, bool, string, int64, float64:
			return v // strings are shared, not copied
		case time.Time:
			return v.UTC()
		case int:
			return int64(v)
		case json.Number:
			n, err := numbers(v, 0)
			if err != nil {
				panic(stopped{err})
			}
			return n
		}
		panic(stopped{fmt.Errorf("run a VRL program: an event has no %T", v)})
	})
}

// plain copies a value into what the rest of the stand-in takes: a regex is its text, and JSON has no word for an infinity.
func (m *machine) plain(v any) any {
	return m.copied(v, func(v any) any {
		if re, ok := v.(*regexp.Regexp); ok {
			return re.String()
		}
		if f, ok := v.(float64); ok && math.IsInf(f, 0) {
			return nil
		}
		return v
	})
}

// copied is a value with all that it holds, of which leaf makes what is neither a list nor an object.
func (m *machine) copied(v any, leaf func(any) any) any {
	m.spendNodes(1)
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = m.copied(v[i], leaf)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for name := range v {
			out[name] = m.copied(v[name], leaf)
		}
		return out
	}
	return leaf(v)
}
