// Package conformance is one table of what Vector does, held against a program: the stand-in, or a real Vector.
//
// A row is a name, where the behaviour is known from, a function that plays it and returns what it saw, and what Vector
// 0.56 and 0.58 were seen to do. The program runs beside small services of the row's own on loopback: an Axiom, a script in
// the place of journalctl, an exporter of metrics. Nothing here asserts a speed: what is compared is order, counts, texts
// and exit codes.
//
//	make conformance                    # the stand-in, once as 0.56 and once as 0.58
//	VECTOR=./vector make conformance    # a real one, by the rows of its generation
//
// It does not say how the stand-in does things, nor what only the stand-in says: the tests of its packages do.
package conformance
