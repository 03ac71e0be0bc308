// Package check says what went wrong in a boot: rules, pure functions from boot facts
// and an expectation to findings, in one table.
//
//	for _, r := range check.Judge(boot.Of(tl), expect) {
//		fmt.Println(r.Check, r.Outcome, r.Note)
//	}
//
// It knows nothing of machines and recordings, and it does not weigh: whether a
// finding is the subject's doing or the host's is decided in package verdict.
//
// Two rules hold for every check. Where the evidence it needs is missing it
// answers no-evidence, never pass. And a finding that rests on something not
// being there counts only if the sources it was looked for in are whole; what
// was seen counts always.
//
// A new check is one file here and one row in Table.
package check
