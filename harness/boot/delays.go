package boot

import (
	"regexp"
	"strings"
	"time"

	"bootrace/harness/timeline"
)

// CloudFinal runs what the cloud's configuration has last, and writes the role env.
const CloudFinal = "cloud-final.service"

// Delay is how long a part of a boot took.
type Delay struct {
	Name string // that of the row
	Took time.Duration
	// At is when it was over, Says the line that it is over by. AtMost: it may have been over before.
	At     time.Duration
	Says   timeline.Evidence
	AtMost bool
}

// Delays are those of the boot that its log shows, in the order of a boot. What the log does
// not show is absent.
func (b Facts) Delays() []Delay {
	if b.Origin != nil && b.Origin.NoClock {
		return nil
	}
	var out []Delay
	fromStart := b.Origin == nil || b.Origin.Begins
	for _, target := range []struct{ name, unit string }{{"network-online", "network-online.target"}, {"multi-user", MultiUser}} {
		if up, ok := b.Reached(target.unit).First(); ok && fromStart {
			out = append(out, Delay{Name: target.name, Took: up.At, At: up.At, Says: up.Evidence})
		}
	}
	final, begun := b.FirstStart(CloudFinal)
	if begun && fromStart {
		out = append(out, Delay{Name: "cloud-final", Took: final.At, At: final.At, Says: final.Evidence})
	}
	env, written := b.RoleEnvWritten()
	if written && begun && env.At >= final.At {
		env.Name, env.Took = "worker-env", env.At-final.At
		out = append(out, env)
	}
	if real, ok := b.vectorWith(env); written && ok {
		out = append(out, Delay{Name: "credentials", Took: real.At - env.At, At: real.At, Says: real.Evidence, AtMost: env.AtMost})
	}
	return out
}

// FirstStart is the first sign of a unit's start.
func (b Facts) FirstStart(unit string) (Moment, bool) {
	for _, ev := range b.Of(timeline.Starting, timeline.Started) {
		if ev.Unit == unit && !ev.Untimed {
			return Moment{ev.At, ev.Evidence}, true
		}
	}
	return Moment{}, false
}

// edits are how far apart the writes of one file are at most.
const edits = 10 * time.Second

var (
	// The populator's own words (populator/populate/status.go).
	waitsForRole = regexp.MustCompile(`waiting since .* for (?:worker\.env|server\.env|/etc/opensandbox/)`)
	hasSecrets   = regexp.MustCompile(`vector\.env has the secrets of key vault (\S+)`)
)

// ofPopulator: the line is of who fetches the credentials.
func ofPopulator(ev timeline.Event) bool {
	return ev.Kind == timeline.Log && !ev.Manager && strings.Contains(ev.Text, "vector.env")
}

// RoleEnvWritten is when the role env was complete: by the scenario's script, by who watched
// the file, by the populator's first word that it does not wait for it any more, by the
// worker's start; else by the end of cloud-final.service, which writes it.
func (b Facts) RoleEnvWritten() (Delay, bool) {
	var file, word, worker, final *timeline.Event
	waited := false
	for i, ev := range b.Events {
		if ev.Untimed {
			continue
		}
		switch {
		case ev.Kind == timeline.Script && ev.Step == StepComplete:
			return Delay{At: ev.At, Says: ev.Evidence}, true
		case ev.Kind == timeline.EnvFile && roleEnv(ev.File.Path) && ev.File.Op != "present" && ev.File.Op != "remove":
			if file == nil || ev.At-file.At < edits { // later ones are of a role that changes
				file = &b.Events[i]
			}
		case ofPopulator(ev) && waitsForRole.MatchString(ev.Text):
			waited = true
		case ofPopulator(ev) && waited && word == nil:
			word = &b.Events[i]
		case ev.Kind == timeline.Started && ev.Unit == Worker+".service" && worker == nil:
			worker = &b.Events[i]
		case ev.Kind == timeline.Started && ev.Unit == CloudFinal && final == nil && strings.HasPrefix(ev.Text, "Finished "):
			final = &b.Events[i]
		}
	}
	switch {
	case file != nil:
		return Delay{At: file.At, Says: file.Evidence}, true
	case word != nil:
		return Delay{At: word.At, Says: word.Evidence, AtMost: true}, true
	case worker != nil:
		return Delay{At: worker.At, Says: worker.Evidence, AtMost: true}, true
	case final != nil:
		return Delay{At: final.At, Says: final.Evidence, AtMost: true}, true
	}
	return Delay{}, false
}

func roleEnv(path string) bool {
	return strings.HasSuffix(path, "/worker.env") || strings.HasSuffix(path, "/server.env")
}

// RoleEnvAwaited is the last word of a populator that waits for the role env. Not ok: it did
// not say so, or says since that it does not.
func (b Facts) RoleEnvAwaited() (Moment, bool) {
	var last *timeline.Event
	for i, ev := range b.Events {
		if ofPopulator(ev) {
			last = &b.Events[i]
		}
	}
	if last == nil || !waitsForRole.MatchString(last.Text) {
		return Moment{}, false
	}
	return Moment{last.At, last.Evidence}, true
}

// RoleEnvThere is the first word by which the role env was there before the boot.
func (b Facts) RoleEnvThere() (Moment, bool) {
	for _, ev := range b.Events {
		switch {
		case ev.Kind == timeline.EnvFile && roleEnv(ev.File.Path):
			return Moment{ev.At, ev.Evidence}, ev.File.Op == "present"
		case ofPopulator(ev) && waitsForRole.MatchString(ev.Text):
			return Moment{}, false
		case ofPopulator(ev) && hasSecrets.MatchString(ev.Text):
			final, begun := b.FirstStart(CloudFinal)
			return Moment{ev.At, ev.Evidence}, begun && ev.At < final.At
		}
	}
	return Moment{}, false
}

// SecretsWritten is the populator's first word that vector.env has the vault's values.
func (b Facts) SecretsWritten() (Moment, bool) {
	for _, ev := range b.Events {
		if ofPopulator(ev) && hasSecrets.MatchString(ev.Text) {
			return Moment{ev.At, ev.Evidence}, true
		}
	}
	return Moment{}, false
}

// vectorWith is the first start of Vector after vector.env had the vault's values.
func (b Facts) vectorWith(env Delay) (Moment, bool) {
	has := false
	for _, ev := range b.Events {
		switch {
		case ev.Untimed || ev.At < env.At:
		case ofPopulator(ev) && hasSecrets.MatchString(ev.Text), ev.Kind == timeline.EnvFile && ev.File.Path == VectorEnv && ev.File.Op != "remove":
			has = true
		case has && ev.Kind == timeline.Started && ev.Unit == Vector:
			return Moment{ev.At, ev.Evidence}, true
		}
	}
	return Moment{}, false
}
