package vrl

import (
	"errors"
	"fmt"
	"time"
)

// ErrAbort is what Run gives for a program that reached `abort`. What becomes of the event is the transform's business
// (drop_on_abort).
var ErrAbort = errors.New("aborted")

// CompileError is a program that real Vector refuses as well. It never quotes a literal's value: interpolation may have
// put a secret there.
type CompileError struct {
	Code    int // as in "error[E105]"
	Message string
	Line    int
	Column  int
}

func (e *CompileError) Error() string {
	return fmt.Sprintf("error[E%d]: %s, at :%d:%d", e.Code, e.Message, e.Line, e.Column)
}

// Env is what a program sees of the machine.
type Env struct {
	Vars     map[string]string
	Hostname string
	Now      func() time.Time
}

// Program is a compiled program.
type Program struct {
	unknown   []string
	undecided []string
}

// Compile reads a program.
func Compile(source string) (*Program, error) {
	return &Program{unknown: []string{"the whole program"}}, nil
}

// Unknown names the forms that are VRL but not played here, in order. Empty: Run plays all of it.
func (p *Program) Unknown() []string { return p.unknown }

// Undecided names what only Vector's own compiler can decide.
func (p *Program) Undecided() []string { return p.undecided }

// Run gives the event that `.` is in the end. The input is not changed.
func (p *Program) Run(event map[string]any, env Env) (any, error) {
	return event, nil
}
