package check

import (
	"fmt"
	"path"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
)

// cloudFinal runs the script of a machine's user data, which writes its role env.
const cloudFinal = "cloud-final.service"

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
		writes, known := b.Began(cloudFinal)
		for _, ev := range b.Of(timeline.Script) { // on a real host a unit plays its part, before it (harness/runbook)
			if ev.Step == "start" && (!known || ev.At < writes) {
				writes, known = ev.At, true
			}
		}
		for _, name := range roleEnvs {
			for _, ev := range b.Of(timeline.EnvFile) {
				inImage := ev.File.Op == "present"
				if ev.File.Path != name || ev.File.Size <= 0 || !inImage && (!known || ev.At >= writes) { // below 0: a link into nothing
					continue
				}
				how := "is in the image: it was there at %s, before this machine's own was written"
				if !inImage {
					how = "was written at %s, before cloud-init, which writes this machine's own, came to it"
				}
				out = append(out, Finding{At: ev.At, Intrinsic: true, Evidence: []timeline.Evidence{ev.Evidence},
					Summary: path.Base(name) + " " + fmt.Sprintf(how, timeline.Since(ev.At))})
				break
			}
		}
		return found(out, "")
	},
}
