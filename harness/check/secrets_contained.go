package check

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
)

var secretsContained = Check{
	Name:  "secrets-contained",
	Why:   "a secret's value is anywhere but in vector.env (0600, root) and in Vector: journal, console, arguments (world-readable in /proc, proc(5)), the manager's environment, other files; or others could have it while it was written",
	Needs: []string{timeline.Journal, timeline.Console, timeline.Cloud, timeline.Files, timeline.Processes, timeline.Leaks},
	Judge: func(b boot.Facts, e Expect) Result {
		tl := b.Timeline
		lies, declared := lying(tl, e)
		out := slices.Concat(spoken(tl), lies, inArguments(tl), exposed(tl, e))
		for i := range out {
			out[i].Intrinsic = true
		}
		if len(out) == 0 && len(tl.Secrets) == 0 {
			return noEvidence("the recorder knew no secret to look for")
		}
		if len(out) == 0 && b.WithoutBootLogger() {
			return pass("what did not last was not looked for: the image has no boot logger")
		}
		if len(out) == 0 && tl.Final.Unwatched != "" {
			return notJudged("what did not last was not looked for: " + tl.Final.Unwatched + ", as in the machines of a rootless engine")
		}
		if len(out) == 0 && !slices.ContainsFunc(tl.Events, func(ev timeline.Event) bool {
			return ev.Kind == timeline.EnvFile || ev.Kind == timeline.Line && ev.Line.Source == boot.BootLogger
		}) {
			return noEvidence("the boot logger, which watches /etc/opensandbox, said nothing")
		}
		return found(out, declared)
	},
}

// spoken finds secrets in what was written down during the boot: one finding
// for each secret, file and unit.
func spoken(tl timeline.Timeline) []Finding {
	type place struct{ secret, file, unit string }
	var out []Finding
	at := map[place]int{}
	for _, ev := range tl.Events {
		for _, name := range ev.Secrets {
			if ev.Kind == timeline.Request && inIngestPath(ev.Call, name) {
				continue
			}
			p := place{name, ev.Evidence.File, ev.Unit}
			if i, ok := at[p]; ok {
				if len(out[i].Evidence) < 3 {
					out[i].Evidence = append(out[i].Evidence, ev.Evidence)
				}
				continue
			}
			at[p] = len(out)
			who := ""
			if ev.Unit != "" {
				who = ", said by " + ev.Unit
			}
			out = append(out, Finding{At: ev.At, Unit: ev.Unit, Evidence: []timeline.Evidence{ev.Evidence},
				Summary: fmt.Sprintf("%s is in %s%s", theValue(name), ev.Evidence.File, who)})
		}
	}
	return out
}

// theValue names what leaked. A token of the identity is good for the whole vault.
func theValue(secret string) string {
	if secret == timeline.IdentityToken {
		return "a bearer token of the machine's identity"
	}
	return "the value of " + secret
}

// inIngestPath: the dataset's name is part of Axiom's URL, and is right there.
func inIngestPath(c *timeline.Call, secret string) bool {
	return c.Service == "axiom" && strings.Contains(secret, "dataset") && !strings.Contains(c.UserAgent, secret)
}

// lying finds secrets in files and processes at the end. The recorder leaves
// Vector's own environment out: there they belong.
func lying(tl timeline.Timeline, e Expect) (out []Finding, declared string) {
	var said []string
	for _, l := range tl.Final.Leaks {
		if l.Where == boot.VectorEnv {
			continue
		}
		// Where others have it, that is added to the file's name.
		if i := slices.IndexFunc(e.Writes, func(w Written) bool { return w.File == l.Where }); i >= 0 {
			said = append(said, fmt.Sprintf("%s holds credentials, %s%s", l.Where, BySubject, e.Writes[i].Reason))
			continue
		}
		out = append(out, Finding{At: tl.End, Evidence: []timeline.Evidence{l.Evidence},
			Summary: fmt.Sprintf("%s is in %s", theValue(l.Secret), l.Where)})
	}
	slices.Sort(said)
	return out, strings.Join(slices.Compact(said), "; ")
}

func inArguments(tl timeline.Timeline) []Finding {
	var out []Finding
	for _, p := range tl.Final.Processes {
		for _, name := range p.Secrets {
			out = append(out, Finding{At: tl.End, Unit: p.Unit, Evidence: []timeline.Evidence{p.Evidence},
				Summary: fmt.Sprintf("%s is in the arguments of process %d", theValue(name), p.PID)})
		}
	}
	return out
}

// exposed finds moments in which a file of /etc/opensandbox that holds the vault's
// values could be read or changed by others, and those in which others could put a
// file of theirs in its place. A chmod after the write is too late.
func exposed(tl timeline.Timeline, e Expect) []Finding {
	var out []Finding
	seen := map[string]bool{}
	add := func(at time.Duration, ev timeline.Evidence, what string) {
		if len(seen) < 1000 && !seen[what] {
			seen[what] = true
			out = append(out, Finding{At: at, Evidence: []timeline.Evidence{ev}, Summary: what})
		}
	}
	open := map[string]string{} // path -> why others have it, as of the last look at its mode
	for _, ev := range tl.Of(timeline.EnvFile) {
		f := ev.File
		why := available(f.Mode, f.UID, "", f.Others, f.KnownOthers)
		switch {
		case f.Op == "remove":
			delete(open, f.Path)
			continue
		case f.Path == path.Dir(boot.VectorEnv):
			if why = changeable(f); why != "" {
				add(ev.At, ev.Evidence, fmt.Sprintf("%s has %s: others may put a file in the place of vector.env", f.Path, why))
			}
			continue
		case why == "" && (f.Op == "modify" || f.Op == "close"):
			// The look comes after the event. No change of the mode was reported since the
			// last one: that is still to come, and this is written into what others have.
			why = open[f.Path]
		case f.Op != "modify" && f.Op != "close":
			open[f.Path] = why
		}
		if why != "" && holdsVault(f.Vars, e) {
			add(ev.At, ev.Evidence, fmt.Sprintf("%s holds values of the vault with %s", f.Path, why))
		}
	}
	for _, f := range tl.Final.Files {
		if why := available(f.Mode, f.UID, f.GID, f.Others, f.KnownOthers); why != "" && (holdsVault(f.Vars, e) || f.Path == boot.VectorEnv && unreadable(f)) {
			add(tl.End, f.Evidence, fmt.Sprintf("%s holds values of the vault with %s", f.Path, why))
		}
	}
	return out
}

// available says to whom beside root, and the group in which Vector reads it, a file
// is open; empty: to nobody. Recordings that do not know of others have its mode.
func available(mode, uid, gid string, others []string, known bool) string {
	others = slices.DeleteFunc(slices.Clone(others), isVectors)
	as := fmt.Sprintf("mode %s, owner %s", mode, uid)
	switch {
	case known && len(others) > 0:
		return fmt.Sprintf("%s: %s may read or change it", as, strings.Join(others, ", "))
	case !known && (strings.TrimLeft(mode, "0") != "600" || uid != "0" || gid != "" && gid != "0"):
		return as + "; must be 0600, 0"
	}
	return ""
}

// isVectors: the user as whom Vector's package has it run, or that user's group.
func isVectors(who string) bool { return who == "user:vector" || who == "group:vector" }

// changeable says why others may put files into a directory.
func changeable(dir *timeline.FileChange) string {
	mode, err := strconv.ParseUint(dir.Mode, 8, 32)
	if err == nil && (mode&0o002 != 0 || dir.UID != "0" || mode&0o020 != 0 && slices.ContainsFunc(dir.Others, func(who string) bool { return strings.HasPrefix(who, "group:") && !isVectors(who) })) {
		return fmt.Sprintf("mode %s, owner %s", dir.Mode, dir.UID)
	}
	return ""
}

// holdsVault: one of the vault's tokens is there, under whatever name. A stub and a role
// env file may have other values in common with the vault (the cell's id), which are no
// secrets.
func holdsVault(vars map[string]string, e Expect) bool {
	for name, digest := range e.EnvDigests {
		if !strings.HasSuffix(name, "_TOKEN") || digest == "-" {
			continue
		}
		for _, value := range vars {
			if value == digest {
				return true
			}
		}
	}
	return false
}

// unreadable: something is in the file, and no variable that could be compared.
func unreadable(f timeline.File) bool { return len(f.Vars) == 0 && f.Size > 0 }
