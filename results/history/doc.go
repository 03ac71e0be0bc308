// Package history says what moved between boots: from samples, as a store keeps
// them, to trends, regressions and flaky cases. It is pure: samples in, values
// out; the same samples give the same answer, in whatever order they come.
//
//	c, err := history.Compare(before, after)     // what moved, and what else differs
//	for _, f := range history.Flaky(samples) {}  // cases that cannot make up their mind
//	for _, s := range history.Trends(samples) {} // a measure, run by run
//
// # What a regression is
//
// A distribution that moved: not a limit that was passed. Three things must hold.
// There are enough boots (MinBoots a side). The shift is worth a look: all of its
// interval is beyond a floor (FloorShare, FloorTime, FloorCount). And chance makes such a shift in less than Alpha of all
// comparisons: of whole comparisons, with all their scenarios and measures, not of
// single tests. What did not move counts as unchanged only where the boots suffice
// to rule a large shift out (AimShare, AimCount); else there are too few.
//
// A verdict got worse where a case came out as expected always and now only sometimes,
// or sometimes and now never; of two sides that did so sometimes, where the 95 %
// intervals of their shares are apart.
//
// The test is a permutation test of ranks. Boots change sides as a whole, with all
// their measures, within their case; the largest statistic of each shuffle is what
// each test is held against (max-T: Westfall and Young, Resampling-Based Multiple
// Testing, 1993). Ranks do not care how far out an outlier is, and ties, which
// counts consist of, have their place in the shuffles as in the data. How often that
// finds what is there, and what is not, is simulated in simulated_test.go.
//
// # What is assumed
//
// If nothing changed, a boot could as well have been on the other side. Boots of a
// run share a host and its load, and so are more alike than boots of two runs. Where
// a side has several runs it shows how much they differ among themselves, and the
// certainty is reckoned by the runs: always from six runs a side on, with fewer where
// they are seen to differ. One run against one shows nothing of the kind: a host that
// was slower for all of one run looks like a regression, and no computation on these
// two runs can tell. Two subjects of one run boot in turns and do not have that
// trouble: both sides are then of the same run. InputChange names what else differs, the control boots' time
// among it; more runs settle it. Where the hosts of runs differed by 4 % (by 2 %), of
// a hundred simulated comparisons without change 29 (5) with one run a side said that
// something moved, 10 (1) with two, 4 (0) with three, and fewer than one with six.
// That later boots of a run resemble earlier ones is not accounted for further, nor
// that a run resembles the one before where each has a single boot.
// A sample does not have its scenario's content: a scenario that was changed and kept
// its name counts as the same.
package history
