package check

import (
	"fmt"
	"path"
	"slices"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
)

// roleEnvs are the files by which a machine knows what it is.
var roleEnvs = []string{"/etc/opensandbox/worker.env", "/etc/opensandbox/server.env"}

var roleEnvFresh = Check{
	Name: "role-env-fresh",
	Why: "a role env was there from the boot's beginning although this machine's was yet to be written: it is of the host that the image was built on, " +
		"and until it is written anew everything that waits for the file goes on with another machine's identity and vault",
	Needs: []string{timeline.Journal},
	Judge: func(b boot.Facts, e Expect) Result {
		if e.RoleEnv == boot.Pre {
			return notAsked("the scenario writes worker.env before the boot")
		}
		if len(b.Logged[boot.BootLogger]) == 0 {
			return notJudged("no boot logger watched /etc/opensandbox")
		}
		var out []Finding
		for _, ev := range b.Of(timeline.EnvFile) {
			if ev.File.Op == "present" && slices.Contains(roleEnvs, ev.File.Path) && ev.File.Size > 0 { // below 0: a link into nothing
				out = append(out, Finding{At: ev.At, Intrinsic: true, Evidence: []timeline.Evidence{ev.Evidence},
					Summary: fmt.Sprintf("%s is in the image: it was there at %s, before this machine's own was written", path.Base(ev.File.Path), timeline.Since(ev.At))})
			}
		}
		return found(out, "")
	},
}
