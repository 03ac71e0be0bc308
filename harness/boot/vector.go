package boot

import (
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"bootrace/harness/timeline"
)

// StepComplete is the step of the scenario's script that ends the writing of worker.env.
const StepComplete = "role-env-complete"

// RunningVector is the Vector that runs at the end: the main process of its unit, else
// the one below it that is Vector, as where a shell starts it and waits. A Vector under
// another name is told by being the main process. One whose environment was not recorded
// is not known.
func (b Facts) RunningVector() Seen[timeline.Process] {
	pid := b.Final.Units[Vector].MainPID
	var main, below *timeline.Process
	for _, p := range b.Final.Processes {
		switch {
		case pid == 0 || p.Unit != Vector:
		case p.PID == pid:
			main = &p
		case isVector(p) && (below == nil || p.Start < below.Start):
			below = &p
		}
	}
	if main != nil && !isVector(*main) && below != nil {
		main = below
	}
	out := seen[timeline.Process](b, nil, timeline.Units, timeline.Processes)
	switch {
	case main != nil && len(main.Vars) > 0:
		out.All = []timeline.Process{*main}
	case pid != 0 && out.Unknown == "":
		out.Unknown = "the environment of the running Vector was not recorded"
	}
	return out
}

// isVector goes by the program's name; `vector validate` only looks at a configuration.
func isVector(p timeline.Process) bool {
	words := strings.Fields(p.Cmdline)
	if len(words) == 0 || slices.Contains(words[1:], "validate") {
		return false
	}
	return path.Base(p.Exe) == "vector" || path.Base(words[0]) == "vector"
}

// RoleEnvComplete is the moment from which Vector can have the vault's values. With a
// file that is there before the boot it is that of basic.target, which services with
// default dependencies, Vector's among them, start after (systemd.service(5)).
func (b Facts) RoleEnvComplete(s Setup) (at time.Duration, ok bool) {
	for _, ev := range b.Of(timeline.Script) {
		if ev.Step == StepComplete {
			return max(ev.At, 0), true
		}
	}
	basic, _ := b.Reached("basic.target").First()
	return basic.At, s.RoleEnv == Pre
}

// Wanted are the vault's values that the running Vector must have in its environment:
// those that its configuration reads.
func (b Facts) Wanted(s Setup) Digests {
	p := b.Final.Pipeline
	if p == nil || b.Final.Unread != "" {
		return s.EnvDigests
	}
	wanted := Digests{}
	for name, digest := range s.EnvDigests {
		if p.Uses(name) {
			wanted[name] = digest
		}
	}
	return wanted
}

// Differing names the variables that have not the wanted digest, and how.
func (d Digests) Differing(have map[string]string) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(d)) {
		switch got, ok := have[name]; {
		case got == d[name] && ok:
		case !ok && d[name] == empty: // unset where the vault has nothing
		case !ok:
			out = append(out, name+" is unset")
		case got == empty:
			out = append(out, name+" is empty")
		default:
			out = append(out, name+" "+d.whose(got))
		}
	}
	return out
}

// whose is what a value is that another variable must have, and no other.
func (d Digests) whose(value string) string {
	for _, name := range slices.Sorted(maps.Keys(d)) {
		if d[name] == value {
			return "has the value of " + name
		}
	}
	return "is another value"
}

// TokenElsewhere: no axiom sink has the token of vector.env; the configuration reads it
// from a secret backend, or under another name. What is sent shows whether it has it.
func (b Facts) TokenElsewhere() bool {
	p := b.Final.Pipeline
	if p == nil || b.Final.Unread != "" {
		return false
	}
	names, other := p.TokenVariables()
	return (other || len(names) > 0) && !p.Uses("AXIOM_PLATFORM_TOKEN")
}

// Credentials is the moment at which a Vector first ran with the values that it wants of
// the vault. Not ok: the one that runs has not, or none has sent anything with them where
// they are not in its environment.
func (b Facts) Credentials(s Setup) (at time.Duration, ok bool) {
	v, runs := b.RunningVector().First()
	wanted := b.Wanted(s)
	if !runs || len(wanted.Differing(v.Vars)) > 0 {
		return 0, false
	}
	if b.TokenElsewhere() {
		for _, ev := range b.Ingested().All {
			if s.WithToken(ev.Call) {
				return ev.At, true
			}
		}
		return 0, false
	}
	return b.firstLoaded(wanted, v.Start), true
}

// firstLoaded is when Vector first ran with the values. Without a restart since, that is
// the process's start. Otherwise it is the end of the first start job that began when
// vector.env already held them.
func (b Facts) firstLoaded(wanted Digests, processStart time.Duration) time.Duration {
	isReal, loading := false, false
	for _, ev := range b.Events {
		switch {
		case ev.Kind == timeline.EnvFile && ev.File.Path == VectorEnv:
			isReal = ev.File.Op != "remove" && len(wanted.Differing(ev.File.Vars)) == 0
		case ev.Unit != Vector:
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

// End is an end of a unit's process that nobody asked for.
type End struct {
	Moment
	Change timeline.Change
	Words  []string // what the unit had said since it started
}

// Ends are the unit's. One that is stopped is asked for, and so is a reload, whose
// commands are no part of it.
func (b Facts) Ends(unit string) Seen[End] {
	var out []End
	var said []string
	stopping := false
	for _, ev := range b.Events {
		if ev.Unit != unit || ev.Untimed {
			continue
		}
		switch ev.Kind {
		case timeline.Starting:
			stopping, said = false, nil
		case timeline.Stopping:
			stopping = true
		case timeline.Log:
			if !ev.Manager {
				said = append(said, ev.Text)
			}
		case timeline.Exit, timeline.Succeeded: // an end with 0 is told by the second alone
			if !stopping && ev.Change.Command != "ExecReload" {
				out = append(out, End{Moment{ev.At, ev.Evidence}, ev.Change, said})
			}
		}
	}
	return seen(b, out, timeline.Journal)
}
