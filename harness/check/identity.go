package check

import (
	"fmt"
	"path"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
)

// identityVariables are what the populator provides for events to say who sent them.
var identityVariables = []string{"OPENCOMPUTER_CELL_ID", "OPENSANDBOX_REGION"}

// readAgain is how long a Vector that has just started may still send what the one
// before it has read, and said who sent it.
const readAgain = 2e9

// identified judges the last batch of lines: what the configuration puts into events
// must be in them, with the value that the running Vector has.
func identified(b boot.Facts, e Expect, o boot.Owed) part {
	var out part
	v, runs := b.RunningVector().First()
	if !runs || len(o.Through) == 0 || !o.Lines[boot.Worker] {
		return out
	}
	var last *timeline.Event
	for _, ev := range b.Ingested().All {
		if ev.Call.Numbered > 0 && ev.At > v.Start+readAgain {
			last = &ev
		}
	}
	if last == nil {
		return out
	}
	for _, name := range identityVariables {
		// What the populator does not take from the vault is in the role env. One that gives
		// another value gives it on purpose, or vector-credentialed says so.
		want, known := e.EnvDigests[name]
		if !known {
			want = inRoleEnv(b, name)
		}
		if want == "" || want == "-" || want != v.Vars[name] || !o.Through.Use(name) {
			continue
		}
		if has := last.Call.Identity[name]; has < last.Call.Numbered {
			out.findings = append(out.findings, Finding{At: last.At, Unit: boot.Vector, Intrinsic: true, Evidence: []timeline.Evidence{last.Evidence},
				Summary: fmt.Sprintf("the configuration puts %s into each event, and %d of the %d of the last batch do not have the worker's", name, last.Call.Numbered-has, last.Call.Numbered)})
		}
	}
	return out
}

func inRoleEnv(b boot.Facts, name string) string {
	for _, f := range b.Final.Files {
		if base := path.Base(f.Path); (base == "worker.env" || base == "server.env") && f.Vars[name] != "" {
			return f.Vars[name]
		}
	}
	return ""
}
