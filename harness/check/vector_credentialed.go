package check

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"bootrace/harness/boot"
	"bootrace/harness/recording"
	"bootrace/harness/timeline"
)

var vectorCredentialed = Check{
	Name:  "vector-credentialed",
	Why:   "the running Vector has not loaded the vault's values in time; a process sees EnvironmentFile= as it was when it was started (systemd.exec(5)), so a stub stays until a restart, with every unit green",
	Needs: []string{timeline.Journal, timeline.Units, timeline.Processes, timeline.Cloud},
	Judge: func(b boot.Facts, e Expect) Result {
		switch {
		case e.RoleEnv == Never:
			return notAsked("worker.env never comes")
		case e.NoCredentials:
			return notAsked("the vault never gives them")
		}
		if len(e.EnvDigests) == 0 {
			return noEvidence("the expectation names no values of the vault")
		}
		complete, ok := roleEnvComplete(b, e)
		if !ok {
			return neverComplete(b)
		}
		e.EnvDigests = wanted(b, e)
		deadline := complete + e.CredentialsWithin
		early := noEvidence(fmt.Sprintf("the recording ends %s before Vector must have the vault's values", boot.Round(deadline-b.End)))
		v, ok := vectorProcess(b)
		if !ok {
			if u, known := b.Final.Units[boot.Vector]; !known || u.MainPID == 0 {
				if b.End < deadline {
					return early
				}
				return found([]Finding{{At: b.End, Unit: boot.Vector, Absence: true, Over: b.End - deadline, Limit: e.CredentialsWithin, Since: complete,
					Evidence: evidence(u.Evidence), Summary: "no Vector runs, so none has the vault's values"}}, "")
			}
			return noEvidence("the environment of the running Vector was not recorded")
		}
		out := literalTokens(b, v)
		if wrong := differing(v.Vars, e.EnvDigests); len(wrong) > 0 {
			if b.End < deadline {
				return early
			}
			return found(append(out, Finding{At: v.Start, Unit: boot.Vector, Over: b.End - deadline, Limit: e.CredentialsWithin, Since: complete,
				Evidence: append([]timeline.Evidence{v.Evidence}, lastEnvFile(b)...),
				Summary: fmt.Sprintf("the Vector that runs since %s has not the vault's values: %s; worker.env was complete at %s",
					timeline.Since(v.Start), strings.Join(wrong, ", "), timeline.Since(complete))}), "")
		}
		took := firstLoaded(b, e, v.Start) - complete
		if tokenElsewhere(b) {
			at, sent := tokenSent(b, e)
			if !sent && b.End < deadline {
				return early
			}
			if !sent {
				return found(append(out, Finding{At: b.End, Unit: boot.Vector, Absence: true, Over: b.End - deadline, Limit: e.CredentialsWithin, Since: complete,
					Evidence: []timeline.Evidence{v.Evidence}, Summary: "Vector's configuration takes its token from elsewhere than vector.env, and nothing came to Axiom with the vault's"}), "")
			}
			took = at - complete
		}
		if loaded := complete + took; loaded > deadline {
			f := Finding{At: loaded, Unit: boot.Vector, Over: loaded - deadline, Limit: e.CredentialsWithin, Since: complete, Evidence: []timeline.Evidence{v.Evidence},
				Summary: fmt.Sprintf("Vector has the vault's values %s after %s, must be within %s", boot.Round(took), began(e), e.CredentialsWithin)}
			out = append(out, f)
		}
		return found(out, fmt.Sprintf("credentials %s after %s", boot.Round(took), began(e)))
	},
}

// wanted are the vault's values that the running Vector must have in its environment:
// those that its configuration reads.
func wanted(b boot.Facts, e Expect) map[string]string {
	p := b.Final.Pipeline
	if p == nil || b.Final.Unread != "" {
		return e.EnvDigests
	}
	out := map[string]string{}
	for name, digest := range e.EnvDigests {
		if p.Uses(name) {
			out[name] = digest
		}
	}
	return out
}

// tokenElsewhere: no axiom sink has the token of vector.env; the configuration reads it
// from a secret backend, or under another name. What is sent shows whether it has it.
func tokenElsewhere(b boot.Facts) bool {
	p := b.Final.Pipeline
	if p == nil || b.Final.Unread != "" {
		return false
	}
	names, other := p.TokenVariables()
	return (other || len(names) > 0) && !p.Uses("AXIOM_PLATFORM_TOKEN")
}

// tokenSent is when Axiom first took a batch with the vault's token.
func tokenSent(b boot.Facts, e Expect) (time.Duration, bool) {
	for _, ev := range b.Of(timeline.Request) {
		if c := ev.Call; c.Op == "ingest" && c.Status == 200 && strings.TrimSuffix(c.TokenName, recording.Rotated) == e.LogToken {
			return ev.At, true
		}
	}
	return 0, false
}

// credentials is how long it took from worker.env complete to a Vector with the
// vault's values, if one runs with them.
func credentials(b boot.Facts, e Expect) (time.Duration, bool) {
	complete, isComplete := roleEnvComplete(b, e)
	v, runs := vectorProcess(b)
	e = e.withDefaults()
	if !e.delivers() || len(e.EnvDigests) == 0 || !isComplete || !runs {
		return 0, false
	}
	if e.EnvDigests = wanted(b, e); len(differing(v.Vars, e.EnvDigests)) > 0 {
		return 0, false
	}
	if tokenElsewhere(b) {
		at, sent := tokenSent(b, e)
		return at - complete, sent
	}
	return firstLoaded(b, e, v.Start) - complete, true
}

// roleEnvComplete is the moment from which Vector can have the values. With a
// file that is there before the boot it is that of basic.target, which services
// with default dependencies, Vector's among them, start after
// (systemd.service(5)): how long the boot takes is boot-unblocked's business.
func roleEnvComplete(b boot.Facts, e Expect) (time.Duration, bool) {
	for _, ev := range b.Of(timeline.Script) {
		if ev.Step == "role-env-complete" {
			return max(ev.At, 0), true
		}
	}
	basic, _ := b.Reached("basic.target").First()
	return basic.At, e.RoleEnv == Pre
}

// began names that moment.
func began(e Expect) string {
	if e.RoleEnv == Pre {
		return "basic.target"
	}
	return "worker.env was complete"
}

// neverComplete: cloud-final's script writes worker.env, and cloud-final is
// ordered After=multi-user.target. If that was not reached, the boot is to
// blame; if it was, the scenario did not do its part.
func neverComplete(b boot.Facts) Result {
	if _, reached := b.Reached(boot.MultiUser).First(); reached {
		return noEvidence("the scenario's script never completed worker.env")
	}
	return found([]Finding{{At: b.End, Unit: boot.Vector, Absence: true, Evidence: evidence(b.Final.Units[boot.MultiUser].Evidence),
		Summary: "worker.env was never complete: cloud-final writes it and waits for multi-user.target, which was not reached"}}, "")
}

// vectorProcess is the Vector that runs: the main process of its unit, else the one
// below it that is Vector, as where a shell starts it and waits. A Vector under
// another name is told by being the main process.
func vectorProcess(b boot.Facts) (timeline.Process, bool) {
	pid := b.Final.Units[boot.Vector].MainPID
	var main, below *timeline.Process
	for _, p := range b.Final.Processes {
		switch {
		case pid == 0 || p.Unit != boot.Vector:
		case p.PID == pid:
			main = &p
		case isVector(p) && (below == nil || p.Start < below.Start):
			below = &p
		}
	}
	if main == nil {
		return timeline.Process{}, false
	}
	v := *main
	if !isVector(v) && below != nil {
		v = *below
	}
	return v, len(v.Vars) > 0
}

// isVector goes by the program's name; `vector validate` only looks at a configuration.
func isVector(p timeline.Process) bool {
	words := strings.Fields(p.Cmdline)
	if len(words) == 0 || slices.Contains(words[1:], "validate") {
		return false
	}
	return path.Base(p.Exe) == "vector" || path.Base(words[0]) == "vector"
}

// differing names the variables that have not the wanted digest, and how.
func differing(have, want map[string]string) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(want)) {
		switch got, ok := have[name]; {
		case got == want[name] && ok:
		case !ok && want[name] == "-": // unset where the vault has nothing
		case !ok:
			out = append(out, name+" is unset")
		case got == "-":
			out = append(out, name+" is empty")
		default:
			out = append(out, name+" is another value")
		}
	}
	return out
}

// firstLoaded is when Vector first ran with the vault's values. Without a
// restart since, that is the process's start. Otherwise it is the end of the
// first start job that began when vector.env already held them.
func firstLoaded(b boot.Facts, e Expect, processStart time.Duration) time.Duration {
	isReal, loading := false, false
	for _, ev := range b.Events {
		switch {
		case ev.Kind == timeline.EnvFile && ev.File.Path == boot.VectorEnv:
			isReal = ev.File.Op != "remove" && len(differing(ev.File.Vars, e.EnvDigests)) == 0
		case ev.Unit != boot.Vector:
		case ev.Kind == timeline.Starting:
			loading = isReal
		case ev.Kind == timeline.Started && loading:
			return min(ev.At, processStart)
		case ev.Kind == timeline.StartFailed:
			loading = false
		}
	}
	return processStart
}

// literalTokens: from Vector 0.57 on, interpolation is off by default, and the
// text "${AXIOM_PLATFORM_TOKEN}" itself is sent as the token. The environment
// is right then, and Vector has not loaded it. An empty token is the metrics
// sink's good right.
func literalTokens(b boot.Facts, v timeline.Process) []Finding {
	for _, ev := range b.Of(timeline.Request) {
		c := ev.Call
		literal := c.Auth == "literal"
		if c.Op == "ingest" && ev.At > v.Start && (literal || carriesLogs(c) && (c.Auth == "empty" || c.Auth == "none")) {
			return []Finding{{At: ev.At, Unit: boot.Vector, Intrinsic: literal, Evidence: []timeline.Evidence{ev.Evidence, v.Evidence},
				Summary: fmt.Sprintf("the running Vector sends no token of the vault (%s)", c.Auth)}}
		}
	}
	return nil
}

func lastEnvFile(b boot.Facts) []timeline.Evidence {
	events := b.Of(timeline.EnvFile)
	for i := len(events) - 1; i >= 0; i-- {
		if events[i].File.Path == boot.VectorEnv {
			return []timeline.Evidence{events[i].Evidence}
		}
	}
	return nil
}

func evidence(e timeline.Evidence) []timeline.Evidence {
	if e.File == "" {
		return nil
	}
	return []timeline.Evidence{e}
}
