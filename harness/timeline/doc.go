// Package timeline turns the recording of one boot into typed events on the
// boot clock, and the machine's last state into values.
//
// It reads what was recorded and nothing else: it does not judge (package
// check does), does not talk to a machine, and does not write recordings.
// A source that is absent, cut short or garbled never disappears silently: what
// could be read is there, and Missing says what could not, so that no check
// takes silence for health.
//
//	tl, err := timeline.Read(os.DirFS("recordings/late-45s"))
//	if err != nil { … }           // no manifest: not a recording
//	fmt.Print(tl.Text())          // +45.012s vector.service started …
//
// The clock: zero is the moment PID 1 took over in userspace
// (UserspaceTimestampMonotonic in org.freedesktop.systemd1(5)), and all times
// come from CLOCK_MONOTONIC, which worker, cloud and harness share. Lines of
// PID 1's console carry no time; they are events at zero with Untimed set.
// They matter all the same: what PID 1 says before journald runs (the start of
// a unit with DefaultDependencies=no, an ordering cycle) is on the console only.
package timeline
