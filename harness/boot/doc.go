// Package boot says what one boot was: when units started and who asked for it, what
// failed, what was refused, what waited for what, which cycles there were, what Vector
// had and what came to Axiom. Checks, explanations, pictures and histories read these
// facts, so that none of them can count otherwise than another.
//
//	b := boot.Of(tl)
//	for _, s := range b.Starts(boot.Vector).All {
//		fmt.Println(s.At, s.By, s.Evidence)
//	}
//
// It judges nothing: whether a fact is right is for package check to say. What was seen
// counts always. That there was no more counts only where the sources that a fact rests
// on are whole, and Seen tells the two apart.
package boot
