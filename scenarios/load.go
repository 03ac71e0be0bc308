package scenarios

import "bootrace/scenarios/document"

// Problem is one thing that is wrong with a file.
type Problem = document.Problem

// Problems is everything that is wrong with a file.
type Problems = document.Problems

// problems gathers them in one file.
type problems struct{ document.Problems }

// Parse reads a scenario file. file is the name that problems are reported under;
// the error is a *Problems.
func Parse(file string, source []byte) (Scenario, error) {
	p := &problems{document.Problems{File: file, Source: source}}
	s := defaults()
	if root := p.Read("scenario", Version, schema(), &s); root != nil {
		p.sense(root, s)
	}
	s.File, s.Source = file, source
	return s, p.Err()
}
