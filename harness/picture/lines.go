package picture

import (
	"slices"
	"time"

	"bootrace/harness/boot"
	"bootrace/results"
)

// maxPoints bounds the curve of lines: what a picture a hand wide can show.
const maxPoints = 60

// lines counts the numbered lines that had been logged, and delivered, at evenly
// spaced moments up to the end; moments at which nothing has changed since the
// one before are left out.
func lines(b boot.Facts, s boot.Setup) []results.LineCount {
	var logged, arrived []time.Duration
	for _, l := range b.Lines(s) {
		logged = append(logged, min(l.Logged, b.End)) // what is in the recording was there when it was taken
		if l.Arrived {
			arrived = append(arrived, min(l.Delivered, b.End))
		}
	}
	if len(logged) == 0 {
		return nil
	}
	slices.Sort(arrived)
	var out []results.LineCount
	for i := range maxPoints {
		at := b.End - b.End/(maxPoints-1)*time.Duration(maxPoints-1-i)
		p := results.LineCount{At: at, Logged: upTo(logged, at), Delivered: upTo(arrived, at)}
		if n := len(out); n > 0 && i < maxPoints-1 && out[n-1].Logged == p.Logged && out[n-1].Delivered == p.Delivered {
			continue
		}
		out = append(out, p)
	}
	return out
}

// upTo counts how many of the sorted moments are not after at.
func upTo(sorted []time.Duration, at time.Duration) int {
	n, _ := slices.BinarySearch(sorted, at+1)
	return n
}
