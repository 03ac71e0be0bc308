package timeline

import (
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"bootrace/harness/timespan"
)

// readUnits reads blocks of `systemctl show` separated by blank lines. The
// order of the properties is systemd's and Id= is not the first of them.
func readUnits(r io.Reader, zero time.Duration, d *damage) map[string]Unit {
	units := map[string]Unit{}
	props, first := map[string]string{}, 0
	flush := func() {
		if len(props) == 0 {
			return
		}
		if props["Id"] == "" || props["ActiveState"] == "" {
			d.at(first, "a unit without Id or ActiveState")
		} else {
			units[props["Id"]] = unit(props, zero, first)
		}
		props = map[string]string{}
	}
	eachLine(r, d, func(n int, line []byte) {
		if len(line) == 0 {
			flush()
			return
		}
		key, value, ok := strings.Cut(string(line), "=")
		if !ok {
			return // a StatusText of several lines
		}
		if len(props) == 0 {
			first = n
		}
		if have, repeated := props[key]; repeated && strings.HasSuffix(key, "Condition") { // each has a line
			value = have + "\n" + value
		}
		props[key] = value
	})
	flush()
	if len(units) == 0 {
		d.say("no unit")
	}
	return units
}

func unit(p map[string]string, zero time.Duration, line int) Unit {
	u := Unit{
		ID: p["Id"], Names: strings.Fields(p["Names"]), Load: p["LoadState"], Active: p["ActiveState"], Sub: p["SubState"], Result: p["Result"],
		FileState: p["UnitFileState"], Type: p["Type"], MainPID: atoi(p["MainPID"]), Restarts: atoi(p["NRestarts"]),
		ActiveEnter: stamp(p["ActiveEnterTimestampMonotonic"], zero), InactiveExit: stamp(p["InactiveExitTimestampMonotonic"], zero),
		StartLimitBurst: atoi(p["StartLimitBurst"]), StartLimitInterval: span(p["StartLimitIntervalUSec"]),
		Before: strings.Fields(p["Before"]), After: strings.Fields(p["After"]),
		WantedBy: strings.Fields(p["WantedBy"]), RequiredBy: strings.Fields(p["RequiredBy"]),
		LogLevelMax: ownLevel(p["LogLevelMax"]), Slice: p["Slice"],
		MemoryLimited: p["MemoryMax"] != "" && p["MemoryMax"] != "infinity", MemoryMax: atoi(p["MemoryMax"]), MemoryUncounted: atoi(p["MemoryUncounted"]),
		Restart: p["Restart"], OnFailure: strings.Fields(p["OnFailure"]), UpheldBy: strings.Fields(p["UpheldBy"]), TriggeredBy: strings.Fields(p["TriggeredBy"]), OnSuccessOf: strings.Fields(p["OnSuccessOf"]),
	}
	u.Outdated = p["NeedDaemonReload"] == "yes"
	u.Generated = strings.HasPrefix(p["FragmentPath"], "/run/systemd/generator")
	if p["ConditionResult"] == "no" {
		u.Condition = stamp(p["ConditionTimestampMonotonic"], zero)
	}
	if p["AssertResult"] == "no" {
		u.Assert = stamp(p["AssertTimestampMonotonic"], zero)
	}
	if u.Condition > 0 || u.Assert > 0 {
		u.Unmet, u.MetLater = each(p["UnmetCondition"]), each(p["MetCondition"])
	}
	u.EnvFiles = strings.Fields(p["EnvironmentFilesRequired"])
	u.Unread, u.Elapses = strings.Fields(p["EnvironmentFilesMissing"]), stamp(p["NextElapseUSecMonotonic"], zero)
	u.RequisiteOf, u.StopsWith = strings.Fields(p["RequisiteOf"]), strings.Fields(p["StopPropagatedFrom"])
	u.Held, u.BoundBy, u.MountsFor = each(p["HeldCondition"]), strings.Fields(p["BoundBy"]), strings.Fields(p["RequiresMountsFor"])
	if out := p["StandardOutput"]; out != "" && out != "journal" && !strings.HasPrefix(out, "journal+") && out != "inherit" {
		u.Output = append(u.Output, "StandardOutput="+out)
	}
	if ns := p["LogNamespace"]; ns != "" {
		u.Output = append(u.Output, "LogNamespace="+ns)
	}
	u.User, u.Bounding = p["User"], allCapabilities
	if n, err := strconv.ParseUint(p["CapabilityBoundingSet"], 10, 64); err == nil {
		u.Bounding = n
	}
	for _, name := range []string{"ProtectKernelTunables", "ProtectKernelModules", "ProtectClock", "PrivateDevices"} {
		if p[name] == "yes" {
			u.Forgoes = append(u.Forgoes, name)
		}
	}
	text := u.ID + " " + u.Active + "/" + u.Sub
	if u.Result != "" && u.Result != "success" {
		text += " result=" + u.Result
	}
	if u.Restarts > 0 {
		text += " restarts=" + p["NRestarts"]
	}
	u.Evidence = Evidence{File: Units, Line: line, Text: clip(text)}
	return u
}

// allCapabilities are those of a service that says nothing of them.
const allCapabilities = 1<<64 - 1

// each are the lines of a value.
func each(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == '\n' })
}

// ownLevel reads LogLevelMax=, which is -1 where a unit has none.
func ownLevel(s string) LogLevel {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return Debug
	}
	return LogLevel(n)
}

// levels are the names that systemctl show has for the manager's.
var levels = []string{"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"}

func levelNamed(name string) LogLevel {
	if i := slices.Index(levels, name); i >= 0 {
		return LogLevel(i)
	}
	return Info // older recordings do not say; it is the default
}

func (l LogLevel) String() string { return levels[min(max(l, 0), Debug)] }

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}

// stamp reads a …TimestampMonotonic: microseconds, 0 for never.
func stamp(s string, zero time.Duration) time.Duration {
	us, err := strconv.ParseInt(s, 10, 64)
	if err != nil || us <= 0 || us > maxMicro {
		return 0
	}
	// A unit up at the very zero of the clock is up all the same.
	return max(time.Duration(us)*time.Microsecond-zero, 1)
}

// span reads a time span as systemd prints it. What cannot be read is 0: no limit
// that could be counted against.
func span(s string) time.Duration {
	d, err := timespan.Parse(s)
	if err != nil {
		return 0
	}
	return d
}

// readJobs reads `systemctl list-jobs --no-legend`: id, unit, type, state.
func readJobs(r io.Reader, d *damage) []Job {
	var jobs []Job
	eachLine(r, d, func(n int, line []byte) {
		f := strings.Fields(string(line))
		if len(f) == 0 || f[0] == "No" { // "No jobs running."
			return
		}
		if len(f) != 4 {
			d.at(n, "not a job")
			return
		}
		jobs = append(jobs, Job{Unit: f[1], Type: f[2], State: f[3],
			Evidence: Evidence{File: Jobs, Line: n, Text: clip(strings.Join(f[1:], " "))}})
	})
	return jobs
}

func readManager(r io.Reader, d *damage) map[string]string {
	props := map[string]string{}
	eachLine(r, d, func(_ int, line []byte) {
		if key, value, ok := strings.Cut(string(line), "="); ok {
			props[key] = value
		}
	})
	if len(props) == 0 {
		d.say("empty")
	}
	return props
}
