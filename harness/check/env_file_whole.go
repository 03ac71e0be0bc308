package check

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
)

var envFileWhole = Check{
	Name: "env-file-whole",
	Why: "vector.env was ever seen partial, or lost values it had: systemd reads EnvironmentFile= at each start (systemd.exec(5)), also " +
		"in the middle of a write; only rename(2) replaces a file at once",
	Needs: []string{timeline.Journal, timeline.Files},
	Judge: func(b boot.Facts, e Expect) Result {
		if !slices.ContainsFunc(b.Events, func(ev timeline.Event) bool {
			return ev.Kind == timeline.Line && ev.Line.Source == boot.BootLogger || ev.Kind == timeline.EnvFile
		}) {
			if b.WithoutBootLogger() {
				return notJudged("the boot logger, which watches /etc/opensandbox, is not in the image")
			}
			return noEvidence("the boot logger, which watches /etc/opensandbox, said nothing")
		}
		var out []Finding
		var had map[string]string
		seen, readable := 0, readableFrom(b)
		for _, ev := range b.Of(timeline.EnvFile) {
			if ev.File.Path != boot.VectorEnv {
				continue
			}
			seen++
			for _, s := range wrongs(ev.File, had, ev.At < readable, e, b.Wanted(e.Setup)) {
				out = append(out, Finding{At: ev.At, Intrinsic: true, Evidence: []timeline.Evidence{ev.Evidence}, Summary: s})
			}
			switch {
			case ev.File.Op == "remove":
				had = nil
			case ev.File.Size >= 0:
				had = ev.File.Vars
			}
		}
		if len(out) > 0 {
			return found(limit(out, 20), "")
		}
		return unseen(b, seen, had)
	},
}

// readableFrom is the moment before which nobody can have read vector.env in the middle of a write,
// because it is read for Vector, which starts after sysinit.target, and was whole by then: as
// tmpfiles.d(5) writes a stub. 0: there is none.
func readableFrom(b boot.Facts) time.Duration {
	up, ok := b.Reached("sysinit.target").First()
	if !ok || !slices.Contains(b.Final.Units[boot.Vector].After, "sysinit.target") { // DefaultDependencies=no
		return 0
	}
	whole := false
	for _, ev := range b.Of(timeline.EnvFile) {
		if ev.File.Path == boot.VectorEnv && ev.At < up.At {
			whole = ev.File.Op != "remove" && ev.File.Size > 0 && ev.File.Whole
		}
	}
	if !whole {
		return 0
	}
	return up.At
}

// wrongs says what one sight of vector.env shows; early, where nobody could have read it yet.
func wrongs(f *timeline.FileChange, had map[string]string, early bool, e Expect, read boot.Digests) []string {
	var out []string
	if f.Op == "remove" {
		if names := valued(had); len(names) > 0 {
			return []string{"vector.env was removed while it held " + strings.Join(names, ", ")}
		}
		return nil
	}
	switch {
	case early && f.Size >= 0:
	case f.Op == "modify":
		out = append(out, "vector.env was written in place")
	case f.Size < 0:
		return nil // gone before the boot logger could look
	case f.Size == 0:
		out = append(out, "vector.env was there and empty")
	case !f.Whole:
		out = append(out, "vector.env was seen partial: its last line has no end")
	}
	if lost := lost(had, f.Vars, e, read); f.Size >= 0 && len(lost) > 0 {
		out = append(out, "vector.env lost values it had: "+strings.Join(lost, ", "))
	}
	return out
}

// lost names variables whose value is gone. A stub's value giving way to the
// vault's is the point of it all, also where the vault's is empty; the reverse
// is the loss of credentials that worked. One that the file has, and empty, was written so:
// that Vector has it so is for vector-credentialed to say.
func lost(had, has map[string]string, e Expect, read boot.Digests) []string {
	var out []string
	for _, name := range valued(had) {
		want, vault := e.EnvDigests[name]
		switch now, there := has[name]; {
		case now == had[name]:
		case vault && had[name] != want && (now == want || want == "-" && !there):
		case vault && had[name] == want:
			out = append(out, name+" (the vault's value replaced)")
		case (!there || now == "-" && !vault) && promised(name, read):
			out = append(out, name)
		}
	}
	return out
}

// promised reports whether every vector.env must have the variable: those of the vault's
// that Vector's configuration reads, and the role's two (populator contract). What else a
// stub sets is its own.
func promised(name string, read boot.Digests) bool {
	_, vault := read[name]
	return vault || name == "OPENSANDBOX_REGION" || name == "OPENCOMPUTER_HOST_IP"
}

func valued(vars map[string]string) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		if vars[name] != "-" && vars[name] != "" {
			out = append(out, name)
		}
	}
	return out
}

// mountedOver is the mount unit that is active on vector.env or a directory that it is in. PID 1
// has one of every mount, whoever made it (systemd.mount(5)).
func mountedOver(b boot.Facts) string {
	for at := boot.VectorEnv; at != "/"; at = path.Dir(at) {
		unit := strings.ReplaceAll(strings.TrimPrefix(at, "/"), "/", "-") + ".mount"
		if b.Final.Units[unit].Active == "active" {
			return unit
		}
	}
	return ""
}

// unseen holds the watch against the file as it lies there at the end: if they
// differ, the watch has missed something and proves nothing.
func unseen(b boot.Facts, seen int, had map[string]string) Result {
	i := slices.IndexFunc(b.Final.Files, func(f timeline.File) bool { return f.Path == boot.VectorEnv })
	switch {
	case i < 0 && len(had) > 0:
		return noEvidence("vector.env is gone at the end and the boot logger did not see it go")
	case i < 0:
		return pass("vector.env never existed")
	case seen == 0 && mountedOver(b) != "":
		return notJudged(fmt.Sprintf("%s is mounted over what the boot logger watches of %s, which sees nothing on it", mountedOver(b), boot.VectorEnv))
	case seen == 0:
		return noEvidence("vector.env is there and the boot logger saw nobody write it")
	case !maps.Equal(had, b.Final.Files[i].Vars):
		return noEvidence("vector.env is not as the boot logger saw it last")
	}
	return pass(fmt.Sprintf("seen %d times", seen))
}

func limit(f []Finding, most int) []Finding { return f[:min(len(f), most)] }
