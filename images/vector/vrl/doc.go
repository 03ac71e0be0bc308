// Package vrl plays Vector Remap Language as far as log shipping uses it: what a `remap` makes of an event, and whether
// Vector would take the program at all.
//
//	program, err := vrl.Compile(source)    // *CompileError: Vector refuses it too
//	if len(program.Unknown()) > 0 { … }    // VRL, but not played: pass events and judge nothing that depends on it
//	event, err := program.Run(event, vrl.Env{Vars: vars, Hostname: name})
//
// It is no Vector. It plays the language (lexer, parser, checker, eval) and the functions in the fn files; the other
// functions it knows by name (names.go), so that an unknown form is told from a misspelt one. The checker follows the
// types of VRL's compiler in outline: what a literal, a function or an assigned path is; a field of the event is
// anything. Where Vector's compiler knows more (items of arrays, constants in variables), the program is Undecided
// rather than refused or passed.
//
// Events hold nil, bool, int64, float64, string, time.Time, []any and map[string]any. The journald source's timestamp
// is a time there, not a string.
//
// Differences that stay: messages of parsers that programs catch are worded alike, not equal; Rust's regex is read by
// Go's, which has no Unicode classes behind \d and \w; a run is bounded in steps and bytes.
//
// Sources: vector.dev/docs/reference/vrl (language, functions, errors) and the observed behaviour of Vector 0.56 and
// 0.58-dev.
package vrl
