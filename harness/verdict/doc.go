// Package verdict weighs what the checks found against what disturbed the boot,
// and several attempts against each other. It is pure: values in, values out.
//
//	j := verdict.Of(results, disturbance, bounds)     // one attempt
//	j = verdict.Combine(attempts)             // all attempts on the same inputs
//
// The order of the rules, and why:
//
//  1. A finding that no disturbance can produce (a secret in the journal, an
//     ordering cycle, a write in place) is a fail, however bad the host was.
//  2. A cause at the host that spoils a boot by itself (inotify exhausted, out
//     of memory, disk full, the machine gone) makes it invalid, also where
//     every check passed: it was not the boot that was meant.
//  3. Any other finding is a fail, unless it was late and would have been in time
//     on a host that is neither busy (others had the CPU meanwhile) nor slow (its
//     control boots are), or the host was disturbed beyond the tolerances and lost
//     enough time to explain it: then invalid.
//  4. What remains comes of something that a machine of this kind has not, or what is
//     under test needs that: untestable. A finding that does not come of it is a fail
//     all the same, by the rules above.
//  5. A check without evidence makes the case invalid: silence is no pass.
//  6. No check that could be judged at all is an error.
//  7. A scenario that could not do what it says is not applicable. What failed
//     meanwhile failed.
//  8. Otherwise pass. A boot that got everything right on a slow host passes.
//
// It neither runs anything again nor measures anything.
package verdict
