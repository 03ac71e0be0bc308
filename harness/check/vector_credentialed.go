package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
)

var vectorCredentialed = Check{
	Name:  "vector-credentialed",
	Why:   "the running Vector has not loaded the vault's values in time; a process sees EnvironmentFile= as it was when it was started (systemd.exec(5)), so a stub stays until a restart, with every unit green",
	Needs: []string{timeline.Journal, timeline.Units, timeline.Processes, timeline.Cloud},
	Judge: func(b boot.Facts, e Expect) Result {
		switch {
		case e.RoleEnv == boot.Never:
			return notAsked("worker.env never comes")
		case e.NoCredentials:
			return notAsked("the vault never gives them")
		}
		if len(e.EnvDigests) == 0 {
			return noEvidence("the expectation names no values of the vault")
		}
		complete, ok := b.RoleEnvComplete(e.Setup)
		if !ok {
			return neverComplete(b)
		}
		deadline := complete + e.CredentialsWithin
		early := noEvidence(fmt.Sprintf("the recording ends %s before Vector must have the vault's values", boot.Round(deadline-b.End)))
		running := b.RunningVector()
		v, ok := running.First()
		switch {
		case running.Never() && b.End < deadline:
			return early
		case running.Never():
			return found([]Finding{{At: b.End, Unit: boot.Vector, Absence: true, Over: b.End - deadline, Limit: e.CredentialsWithin, Since: complete,
				Evidence: evidence(b.Final.Units[boot.Vector].Evidence), Summary: unasked(b, e, complete) + "no Vector runs, so none has the vault's values" + skipped(b)}}, "")
		case !ok:
			return noEvidence(running.Unknown)
		}
		out := literalTokens(b, v)
		if wrong := b.Wanted(e.Setup).Differing(v.Vars); len(wrong) > 0 {
			if f, ok := takenAway(b, e, v, wrong); ok {
				return found(append(out, f), "")
			}
			left := ""
			switch {
			case b.End >= deadline:
			case !b.NothingToCome(deadline):
				return early
			default: // no later look would show anything else
				left = "; nothing of the subject is left to come"
			}
			f := Finding{At: v.Start, Unit: boot.Vector, Over: max(0, b.End-deadline), Limit: e.CredentialsWithin, Since: complete,
				Evidence: append([]timeline.Evidence{v.Evidence}, lastEnvFile(b)...),
				Summary: unasked(b, e, complete) + refused(b) + unread(b) + missing(b) + notLoaded(b, e, v) + fmt.Sprintf("the Vector that runs since %s has not the vault's values: %s; worker.env was complete at %s",
					timeline.Since(v.Start), strings.Join(wrong, ", "), timeline.Since(complete)) + left + networkCame(b)}
			if stale := b.Stale(e.Setup, v); len(stale) > 0 {
				f.Summary = fmt.Sprintf("the Vector that runs since %s has still what it had in the boot before, though the vault has other values since: %s; %s",
					timeline.Since(v.Start), strings.Join(stale, ", "), neverAsked(b, e))
			}
			return found(append(out, f), "")
		}
		loaded, has := b.Credentials(e.Setup)
		if !has && b.End < deadline {
			return early
		}
		if !has {
			return found(append(out, Finding{At: b.End, Unit: boot.Vector, Absence: true, Over: b.End - deadline, Limit: e.CredentialsWithin, Since: complete,
				Evidence: []timeline.Evidence{v.Evidence}, Summary: "Vector's configuration takes its token from elsewhere than vector.env, and nothing came to Axiom with the vault's"}), "")
		}
		took := loaded - complete
		if loaded > deadline {
			f := Finding{At: loaded, Unit: boot.Vector, Over: loaded - deadline, Limit: e.CredentialsWithin, Since: complete, Evidence: []timeline.Evidence{v.Evidence},
				Summary: fmt.Sprintf("Vector has the vault's values %s after %s, must be within %s", boot.Round(took), began(e), e.CredentialsWithin)}
			out = append(out, f)
		}
		if why, gone := b.Missing[timeline.Pendings]; gone && len(out) == 0 {
			return noEvidence("what the subject may still do after it has delivered is not known: " + why)
		}
		return found(out, fmt.Sprintf("credentials %s after %s", boot.Round(took), began(e))+notWaitedFor(b))
	},
}

// takenAway: Vector had the vault's values, and something took them away again. No disturbance
// of the host writes other values into a file.
func takenAway(b boot.Facts, e Expect, v timeline.Process, wrong []string) (Finding, bool) {
	u, ok := b.TakenAway(e.Setup)
	if !ok {
		return Finding{}, false
	}
	var how string
	by := "something that is no unit of the subject's"
	if u.By != "" {
		by = u.By
	}
	if u.InFile {
		how = fmt.Sprintf("what was right was overwritten: Vector had the vault's values since %s, and at %s %s took them out of vector.env; the one that runs since %s has them not: %s",
			timeline.Since(u.Loaded), timeline.Since(u.At), "a refresh by "+by, timeline.Since(v.Start), strings.Join(wrong, ", "))
	} else {
		how = fmt.Sprintf("what was right was undone: Vector had the vault's values since %s, and the one that was started at %s, by %s as far as can be seen, has them not: %s",
			timeline.Since(u.Loaded), timeline.Since(v.Start), by, strings.Join(wrong, ", "))
	}
	return Finding{At: u.At, Unit: boot.Vector, Intrinsic: u.InFile, Summary: how,
		Evidence: append(evidence(u.Evidence), v.Evidence)}, true
}

// readBefore is how long before a process begins systemd may have read its environment files:
// it does so as it starts each command of the unit.
const readBefore = 2 * time.Second

// notLoaded says that vector.env is right, and why the Vector that runs began before it was: a
// process keeps the environment that it was started with.
func notLoaded(b boot.Facts, e Expect, v timeline.Process) string {
	var right timeline.Event
	for _, ev := range b.Of(timeline.EnvFile) {
		if ev.File.Path != boot.VectorEnv {
			continue
		}
		if ev.File.Op == "remove" || len(b.Wanted(e.Setup).Differing(ev.File.Vars)) > 0 {
			right = timeline.Event{}
		} else if right.File == nil {
			right = ev
		}
	}
	begun := slices.ContainsFunc(b.Of(timeline.Stopping, timeline.Stopped, timeline.Starting, timeline.Exit), func(ev timeline.Event) bool {
		return ev.Unit == boot.Vector && right.At < ev.At && ev.At <= v.Start
	})
	if right.File != nil && (begun || right.At < v.Start-readBefore) {
		return fmt.Sprintf("vector.env has the vault's values since %s, before this Vector was started, which has others from elsewhere (a later EnvironmentFile=, a wrapper), or does not read it: ", timeline.Since(right.At))
	}
	if right.File == nil || right.At <= v.Start {
		return ""
	}
	how := "and nothing started vector.service again after that" + couldNot(b, e, right.At)
	if j, queued := b.Job(boot.Vector); queued {
		how = fmt.Sprintf("and a %s job of vector.service is %s since", j.Type, j.State)
		if u := b.Final.Units[boot.Vector]; u.Active != "active" {
			how += fmt.Sprintf(" (it is %s/%s)", u.Active, u.Sub)
		}
	}
	for _, ev := range b.Events {
		if ev.Unit == boot.Vector && ev.Manager && ev.At > v.Start && strings.HasPrefix(ev.Text, "Reloading ") {
			how = fmt.Sprintf("and vector.service was reloaded at %s, which gives a process no other environment", timeline.Since(ev.At))
		}
	}
	return fmt.Sprintf("vector.env has the vault's values since %s, %s: ", timeline.Since(right.At), how)
}

// unread says that PID 1 does not know Vector's unit as it is on disk: whatever a drop-in of it
// says that was written meanwhile, the unit is started without.
func unread(b boot.Facts) string {
	if !b.Final.Units[boot.Vector].Outdated {
		return ""
	}
	return "a file of vector.service is newer than what PID 1 has read of it (no systemctl daemon-reload since): "
}

// ofBase are the environment files that Vector's unit has in every worker image.
var ofBase = []string{"/etc/default/vector", "/etc/opensandbox/worker.env", "/etc/opensandbox/server.env", boot.VectorEnv}

// missing names the environment files that the subject has Vector read, and that are not there.
func missing(b boot.Facts) string {
	files := slices.DeleteFunc(slices.Clone(b.Final.Units[boot.Vector].Unread), func(f string) bool { return slices.Contains(ofBase, f) })
	if len(files) == 0 {
		return ""
	}
	return fmt.Sprintf("%s, which vector.service reads (EnvironmentFile=), is not there at the end: ", strings.Join(files, ", "))
}

// couldNot is what the subject says it could not do once vector.env was right: its first words,
// for others follow from them.
func couldNot(b boot.Facts, e Expect, after time.Duration) string {
	for _, unit := range e.SubjectUnits {
		if said := b.Complaints(unit, after); len(said) > 0 {
			return fmt.Sprintf(" (%s said: %q)", unit, said[0])
		}
	}
	return ""
}

// refused says that whoever was asked for credentials gave none, and the last answer; empty:
// some came, or nobody asked.
func refused(b boot.Facts) string {
	last, asked := map[string]timeline.Event{}, map[string]int{}
	for _, ev := range b.Of(timeline.Request) {
		c := ev.Call
		if !boot.ForCredentials(c) || boot.Challenge(c) || c.Service == boot.IMDS && c.Op != "token" {
			continue
		}
		if asked[c.Service]++; last[c.Service].Call == nil || last[c.Service].Call.Status != 200 {
			last[c.Service] = ev
		}
	}
	for _, service := range []string{boot.KeyVault, boot.IMDS} {
		ev, any := last[service]
		if !any {
			continue
		}
		if ev.Call.Status == 200 {
			return ""
		}
		answer := cmp.Or(ev.Call.Error, "no answer")
		if ev.Call.Status != 0 {
			answer = strings.TrimSpace(fmt.Sprintf("%d %s", ev.Call.Status, ev.Call.Error))
		}
		of := map[string]string{boot.IMDS: "IMDS gave no token in", boot.KeyVault: "the vault gave no secret in"}[service]
		return fmt.Sprintf("%s %d requests, the last answer at %s was %s: ", of, asked[service], timeline.Since(ev.At), answer)
	}
	return ""
}

// unasked says that nobody asked for the values, if so, and what of the subject ran nothing, or to no end.
func unasked(b boot.Facts, e Expect, complete time.Duration) string {
	asked := b.Requests()
	if b.Unknown(timeline.Cloud) != "" || asked[boot.IMDS]+asked[boot.KeyVault] > 0 {
		return ""
	}
	said := "no request came to IMDS or the vault"
	units := slices.Concat(e.SubjectUnits, b.Masked()) // what is masked is in no list of what the subject brings
	slices.Sort(units)
	for i, m := range append(b.Idle(slices.Compact(units)), b.InVain(e.SubjectUnits, complete)...) {
		if i < 3 {
			said += fmt.Sprintf("; %s %s", m.Unit, m.Why)
		}
	}
	for _, a := range e.Setup.Image {
		if a.Idle || a.Hint && (a.Of == "" || slices.Contains(e.SubjectUnits, a.Of)) {
			said += "; " + a.What
		}
	}
	return said + "; "
}

// neverAsked says whether the subject asked for the new values at all, and what of it ran.
func neverAsked(b boot.Facts, e Expect) string {
	asked := b.Requests()[boot.KeyVault]
	if asked > 0 {
		return fmt.Sprintf("the vault was asked %d times in this boot", asked)
	}
	said := "no request came to the vault in this boot"
	for _, ev := range b.Of(timeline.Skipped) {
		if slices.Contains(e.SubjectUnits, ev.Unit) {
			said += fmt.Sprintf("; %s was skipped at %s for a condition", ev.Unit, timeline.Since(ev.At))
		}
	}
	return said
}

// networkCame says, where the network was late, whether the subject asked again once it was there.
func networkCame(b boot.Facts) string {
	came, late := b.NetworkCame()
	if !late {
		return ""
	}
	asked := b.Requests()
	if asked[boot.IMDS]+asked[boot.KeyVault] == 0 {
		return fmt.Sprintf("; there was no network until %s, and no request for credentials came after that", timeline.Since(came.At))
	}
	return fmt.Sprintf("; there was no network until %s, and IMDS was asked %d times and the vault %d times after that", timeline.Since(came.At), asked[boot.IMDS], asked[boot.KeyVault])
}

// notWaitedFor says what the subject may still do after the case.
func notWaitedFor(b boot.Facts) string {
	var out []string
	for _, p := range b.StillToCome() {
		said := p.Unit + ", which " + p.How
		if p.Due > 0 {
			said += " at " + timeline.Since(p.Due)
		}
		out = append(out, said)
	}
	if len(out) == 0 {
		return ""
	}
	return "; not waited for: " + strings.Join(out, "; ")
}

// began names that moment.
func began(e Expect) string {
	if e.RoleEnv == boot.Pre {
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

// skipped is why Vector never ran, where it was to run.
func skipped(b boot.Facts) string {
	for _, m := range b.Idle([]string{boot.Vector}) {
		return fmt.Sprintf(": %s %s", m.Unit, m.Why)
	}
	return cmp.Or(boundTo(b), leftEnded(b))
}

// leftEnded is how Vector ended where its unit takes that for a good end and starts it again
// after others only: SIGTERM is one, whoever sent it (systemd.service(5), Restart=).
func leftEnded(b boot.Facts) string {
	u := b.Final.Units[boot.Vector]
	ends := b.Ends(boot.Vector).All
	if u.Active != "inactive" || u.Restart == "" || u.Restart == "always" || u.Restart == "on-success" || len(ends) == 0 || ends[len(ends)-1].Change.ExitStatus != "" {
		return ""
	}
	return fmt.Sprintf(": it ended at %s without an error, and Restart=%s does not start it again", timeline.Since(ends[len(ends)-1].At), u.Restart)
}

// boundTo is which unit took Vector with it as it ended.
func boundTo(b boot.Facts) string {
	by, setting, at, ok := b.BoundTo(boot.Vector)
	if !ok {
		return ""
	}
	return fmt.Sprintf(": it was stopped at %s, as %s ended, %s", timeline.Since(at), by, setting)
}
