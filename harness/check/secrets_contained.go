package check

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
)

var secretsContained = Check{
	Name:  "secrets-contained",
	Why:   "a secret's value is anywhere but in vector.env (0600, root) and in Vector: journal, console, arguments (world-readable in /proc, proc(5)), other files",
	Needs: []string{timeline.Journal, timeline.Console, timeline.Cloud, timeline.Files, timeline.Processes, timeline.Leaks},
	Judge: func(b boot.Facts, e Expect) Result {
		tl := b.Timeline
		out := slices.Concat(spoken(tl), lying(tl), inArguments(tl), exposed(tl, e))
		for i := range out {
			out[i].Intrinsic = true
		}
		if len(out) == 0 && len(tl.Secrets) == 0 {
			return noEvidence("the recorder knew no secret to look for")
		}
		return found(out, "")
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
				Summary: fmt.Sprintf("the value of %s is in %s%s", name, ev.Evidence.File, who)})
		}
	}
	return out
}

// inIngestPath: the dataset's name is part of Axiom's URL, and is right there.
func inIngestPath(c *timeline.Call, secret string) bool {
	return c.Service == "axiom" && strings.Contains(secret, "dataset") && !strings.Contains(c.UserAgent, secret)
}

// lying finds secrets in files and processes at the end. The recorder leaves
// Vector's own environment out: there they belong.
func lying(tl timeline.Timeline) []Finding {
	var out []Finding
	for _, l := range tl.Final.Leaks {
		if l.Where == boot.VectorEnv {
			continue
		}
		out = append(out, Finding{At: tl.End, Evidence: []timeline.Evidence{l.Evidence},
			Summary: fmt.Sprintf("the value of %s is in %s", l.Secret, l.Where)})
	}
	return out
}

func inArguments(tl timeline.Timeline) []Finding {
	var out []Finding
	for _, p := range tl.Final.Processes {
		for _, name := range p.Secrets {
			out = append(out, Finding{At: tl.End, Unit: p.Unit, Evidence: []timeline.Evidence{p.Evidence},
				Summary: fmt.Sprintf("the value of %s is in the arguments of process %d", name, p.PID)})
		}
	}
	return out
}

// exposed finds moments in which a file of /etc/opensandbox that holds the
// vault's values could be read by others. A chmod after the write is too late.
func exposed(tl timeline.Timeline, e Expect) []Finding {
	var out []Finding
	seen := map[string]bool{}
	add := func(f Finding, file, mode, uid string) {
		if len(seen) < 1000 && !seen[file+mode+uid] {
			seen[file+mode+uid] = true
			f.Summary = fmt.Sprintf("%s holds values of the vault with mode %s, owner %s; must be 0600, 0", file, mode, uid)
			out = append(out, f)
		}
	}
	for _, ev := range tl.Of(timeline.EnvFile) {
		if f := ev.File; f.Op != "remove" && holdsVault(f.Path, f.Vars, e) && !private(f.Mode, f.UID) {
			add(Finding{At: ev.At, Evidence: []timeline.Evidence{ev.Evidence}}, f.Path, f.Mode, f.UID)
		}
	}
	for _, f := range tl.Final.Files {
		if (f.Path == boot.VectorEnv || holdsVault(f.Path, f.Vars, e)) && (!private(f.Mode, f.UID) || f.GID != "0") {
			add(Finding{At: tl.End, Evidence: []timeline.Evidence{f.Evidence}}, f.Path, f.Mode, f.UID)
		}
	}
	return out
}

// holdsVault: a role env file may have a variable in common with the vault (the
// cell's id), and is not the subject's.
func holdsVault(file string, vars map[string]string, e Expect) bool {
	if base := path.Base(file); base == "worker.env" || base == "server.env" {
		return false
	}
	for name, digest := range e.EnvDigests {
		if digest != "-" && vars[name] == digest {
			return true
		}
	}
	return false
}

func private(mode, uid string) bool {
	return strings.TrimLeft(mode, "0") == "600" && uid == "0"
}
