package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/dbus"

	"bootrace/harness/recording"
	"bootrace/images/inside/process"
)

// bringers are the units that are the machine's own, where a subject's are as well.
var bringers = []string{bootLoggerUnit, "opensandbox-worker.service", "vector.service"}

// pending is what of the subject may still happen: its timers and paths, restarts of its
// services that are to come, and processes of theirs that sleep.
func pending(ctx context.Context, subject []string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, process.AnswerWithin)
	defer cancel()
	conn, units, err := askManager(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	var out bytes.Buffer
	lines := json.NewEncoder(&out)
	now := process.Monotonic()
	put := func(p recording.Pending) error {
		p.Seen = now.Nanoseconds()
		return lines.Encode(p)
	}
	tell := func(unit, how string, due time.Duration) error {
		return put(recording.Pending{Unit: unit, How: how, Due: due.Nanoseconds()})
	}
	services := map[string]bool{"vector.service": true} // whose processes may do something; drop-ins of the subject's run in Vector's as well
	for _, u := range units {
		var err error
		if process.Named(u.Name) == "vector.service" && u.SubState == "running" { // a drop-in may have told it to
			if err = pendingEnd(ctx, conn, u.Name, tell); err != nil {
				return out.Bytes(), fmt.Errorf("what ends %s: %w", u.Name, err)
			}
		}
		if !ofSubject(process.Named(u.Name), subject) {
			continue
		}
		switch path.Ext(u.Name) {
		case ".timer":
			err = pendingTimer(ctx, conn, u, now, tell)
		case ".path":
			if u.ActiveState == "active" && u.SubState == "waiting" {
				err = tell(u.Name, "waits for a change", 0)
			}
		case ".service", ".scope":
			services[u.Name] = true
			if u.SubState == "auto-restart" || u.SubState == "auto-restart-queued" {
				err = pendingRestart(ctx, conn, u.Name, tell)
			} else if path.Ext(u.Name) == ".service" && u.SubState == "running" {
				err = pendingEnd(ctx, conn, u.Name, tell)
			}
		}
		if err != nil {
			return out.Bytes(), fmt.Errorf("what %s may still do: %w", u.Name, err)
		}
	}
	vector, _ := conn.GetServicePropertyContext(ctx, "vector.service", "MainPID")
	main := ""
	if vector != nil {
		main = fmt.Sprint(vector.Value.Value())
	}
	err = sleepers(services, main, put)
	return out.Bytes(), err
}

// ofSubject: a unit of the subject, an instance of its template, or one that was made on
// the machine as it ran (systemd-run(1)) or where nobody but it puts units.
func ofSubject(unit string, subject []string) bool {
	if slices.Contains(bringers, unit) {
		return false
	}
	if prefix, rest, ok := strings.Cut(unit, "@"); ok && slices.Contains(subject, prefix+"@"+path.Ext(rest)) {
		return true
	}
	if slices.Contains(subject, unit) {
		return true
	}
	for _, dir := range []string{"/run/systemd/transient", "/etc/systemd/system", "/run/systemd/system"} {
		if info, err := os.Lstat(filepath.Join(dir, unit)); err == nil && info.Mode().IsRegular() {
			// A user's session is one that somebody opened.
			return !strings.HasPrefix(unit, "session-")
		}
	}
	return false
}

// pendingTimer tells when a timer elapses next. systemd has the largest number, or none,
// where that is never.
func pendingTimer(ctx context.Context, conn *dbus.Conn, u dbus.UnitStatus, now time.Duration, tell func(unit, how string, due time.Duration) error) error {
	if u.ActiveState != "active" {
		return nil
	}
	next := time.Duration(math.MaxInt64)
	for _, name := range []string{"NextElapseUSecMonotonic", "NextElapseUSecRealtime"} {
		p, err := conn.GetUnitTypePropertyContext(ctx, u.Name, "Timer", name)
		if err != nil {
			return err
		}
		us, ok := p.Value.Value().(uint64)
		if !ok || us == 0 || us > math.MaxInt64/1000 {
			continue
		}
		at := time.Duration(us) * time.Microsecond
		if name == "NextElapseUSecRealtime" {
			at -= time.Duration(time.Now().UnixNano()) - now
		}
		next = min(next, max(at, now))
	}
	if next == math.MaxInt64 {
		return nil
	}
	return tell(u.Name, "elapses", next)
}

// pendingRestart tells when Restart= starts a service again.
func pendingRestart(ctx context.Context, conn *dbus.Conn, unit string, tell func(unit, how string, due time.Duration) error) error {
	since, err := conn.GetUnitPropertyContext(ctx, unit, "StateChangeTimestampMonotonic")
	if err != nil {
		return err
	}
	pause, err := conn.GetServicePropertyContext(ctx, unit, "RestartUSec")
	if err != nil {
		return err
	}
	at, _ := since.Value.Value().(uint64)
	after, _ := pause.Value.Value().(uint64)
	return tell(unit, "is started again", time.Duration(at+min(after, math.MaxInt64/2000))*time.Microsecond)
}

// pendingEnd tells when PID 1 ends a service that runs: one that has never said WATCHDOG=1
// since it was up, and one that may not run for longer (systemd.service(5), WatchdogSec=,
// RuntimeMaxSec=).
func pendingEnd(ctx context.Context, conn *dbus.Conn, unit string, tell func(unit, how string, due time.Duration) error) error {
	times := map[string]uint64{}
	for _, name := range []string{"WatchdogUSec", "WatchdogTimestampMonotonic", "RuntimeMaxUSec"} {
		p, err := conn.GetServicePropertyContext(ctx, unit, name)
		if err != nil {
			return err
		}
		times[name], _ = p.Value.Value().(uint64)
	}
	p, err := conn.GetUnitPropertyContext(ctx, unit, "ActiveEnterTimestampMonotonic")
	if err != nil {
		return err
	}
	up, _ := p.Value.Value().(uint64)
	for _, end := range ends(up, times["WatchdogTimestampMonotonic"], times["WatchdogUSec"], times["RuntimeMaxUSec"]) {
		if err := tell(unit, end.how, time.Duration(end.due)*time.Microsecond); err != nil {
			return err
		}
	}
	return nil
}

type end struct {
	how string
	due uint64 // in microseconds of CLOCK_MONOTONIC
}

// fed is how much later than its service is up a watchdog begins to count without having
// been fed.
const fed = uint64(200_000)

// ends are those of a service that is up since then. A span of 0 or of all bits is none.
func ends(up, watched, watchdog, runtime uint64) []end {
	var out []end
	set := func(span uint64) bool { return span > 0 && span < math.MaxInt64/2000 }
	if set(watchdog) && watched <= up+fed {
		out = append(out, end{"has a watchdog that nobody has fed yet", max(watched, up) + watchdog})
	}
	if set(runtime) {
		out = append(out, end{"may not run for longer (RuntimeMaxSec=)", up + runtime})
	}
	return out
}

// startedByVector: what Vector runs is its own, as the journalctl that it reads from.
func startedByVector(dir string) bool {
	status, err := os.ReadFile(dir + "/status")
	if err != nil {
		return false
	}
	_, parent, _ := strings.Cut(string(status), "\nPPid:\t")
	parent, _, _ = strings.Cut(parent, "\n")
	exe, err := os.Readlink("/proc/" + parent + "/exe")
	return err == nil && filepath.Base(exe) == "vector"
}

// sleepers tells of the processes of those services that will go on by themselves. Vector
// itself, the process with that number, always does.
func sleepers(services map[string]bool, vector string, put func(recording.Pending) error) error {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return err
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || e.Name() == vector {
			continue
		}
		dir := "/proc/" + e.Name()
		unit := process.Unit(dir)
		if !services[unit] {
			continue
		}
		exe, _ := os.Readlink(dir + "/exe")
		if unit == "vector.service" && (filepath.Base(exe) == "vector" || startedByVector(dir)) {
			continue
		}
		due, ok := process.Wakes(dir)
		if !ok {
			continue
		}
		name := filepath.Base(exe)
		if data, err := os.ReadFile(dir + "/cmdline"); err == nil && name == "sleep" {
			name = strings.ReplaceAll(strings.TrimRight(string(data), "\x00"), "\x00", " ")
		}
		how := fmt.Sprintf("goes on (process %d, %s)", pid, name)
		if err := put(recording.Pending{Unit: unit, How: how, Due: due.Nanoseconds(), Process: pid}); err != nil {
			return err
		}
	}
	return nil
}
