// Package pipeline reads what Vector was made to read, as a recording has it, and says what follows from it: which units'
// lines reach which sink, and which metrics do. It is not a validator of Vector's configuration and runs nothing of it;
// what it does not understand it names, so that nobody takes it for understood.
//
//	p, err := pipeline.Parse(recorded)
//	p.Lines("opensandbox-worker.service").Axiom   // the sinks that its lines reach
package pipeline
