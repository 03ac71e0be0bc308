// Package scenarios reads scenario files: when and how worker.env is written,
// how long to look, and what to expect. The format is versioned, and reading is
// strict: every problem of a file is reported at once, each with file, line,
// column, what was found and what was expected.
//
//	s, err := scenarios.Find("delay-45s")       // from the library
//	s, err := scenarios.Find("./mine.yaml")     // from a file
//
// It says nothing of how a scenario is carried out.
package scenarios
