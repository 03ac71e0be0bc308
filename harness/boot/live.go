package boot

import (
	"bytes"
	"strings"

	"bootrace/harness/timeline"
)

// Milestone is a moment of a boot that is seen from outside while it goes on, without
// touching the machine: on PID 1's console or in the cloud's log.
type Milestone string

// Milestones of a boot.
const (
	MultiUserReached  Milestone = "multi-user.target reached"
	CloudFinalStarted Milestone = "cloud-final started"
	WorkerRegistered  Milestone = "worker registered"
	LogsDelivered     Milestone = "logs delivered"
)

// onConsole are texts of PID 1, by unit name and, as systemd before 256 prints them in
// images that ask for it, by description. systemd cuts the middle out of a line that is
// longer than the console is wide, so names may lack their end.
var onConsole = []struct {
	text string
	is   Milestone
}{
	{"Reached target multi-user.target", MultiUserReached},
	{"Reached target Multi-User System", MultiUserReached},
	{"Starting cloud-final.s", CloudFinalStarted},
	{"Starting Execute cloud user/final scripts", CloudFinalStarted},
}

// finalWords are cloud-init's own as cloud-final begins, which it writes to the console
// itself (StandardOutput=journal+console).
var finalWords = []byte("running 'modules:final'")

// OnConsole is what a line of the console tells of; empty: none of these. What is not seen
// there may have happened: PID 1 says no more once there is a login prompt, which waits 5 s
// for the boot at most (systemd.service(5), Type=idle).
func OnConsole(line []byte) Milestone {
	if bytes.Contains(line, finalWords) {
		return CloudFinalStarted
	}
	for _, ev := range timeline.ConsoleLine(line) {
		for _, m := range onConsole {
			if strings.Contains(ev.Text, m.text) {
				return m.is
			}
		}
	}
	return ""
}

// StartingOnConsole is the unit, or its description, that a line says is starting.
func StartingOnConsole(line []byte) (unit string, ok bool) {
	for _, ev := range timeline.ConsoleLine(line) {
		if unit, ok = strings.CutPrefix(ev.Text, "Starting "); ok {
			return unit, true
		}
	}
	return "", false
}

// OnCloud is what a line of the cloud's log tells of in a case set up so.
func (s Setup) OnCloud(line []byte) Milestone {
	ev, err := timeline.RequestLine(line)
	switch {
	case err != nil:
	case Registration(ev.Call):
		return WorkerRegistered
	case ingested(ev.Call) && s.WithToken(ev.Call) && (!s.RotatedBefore || ev.Call.TokenName != s.LogToken):
		return LogsDelivered
	}
	return ""
}
