package timeline

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"bootrace/harness/recording"
)

// rows calls f with the tab-separated fields of each line; the last of them
// takes the rest of the line.
func rows(r io.Reader, d *damage, least, most int, f func(n int, fields []string)) {
	eachLine(r, d, func(n int, line []byte) {
		if len(line) == 0 {
			return
		}
		fields := strings.SplitN(scrub(string(line)), "\t", most)
		if len(fields) < least {
			d.at(n, fmt.Sprintf("fewer than %d fields", least))
			return
		}
		for len(fields) < most {
			fields = append(fields, "")
		}
		f(n, fields)
	})
}

// readFiles reads path, mode, uid, gid, size, mtime, sha256, vars and, in recordings
// from November 2026 on, who beside root may read or change it.
func readFiles(r io.Reader, d *damage) []File {
	var out []File
	rows(r, d, 7, 9, func(n int, f []string) {
		size, err := strconv.ParseInt(f[4], 10, 64)
		if err != nil {
			d.at(n, "a size that is no number")
		}
		who, known := others(f[8])
		out = append(out, File{Path: f[0], Mode: f[1], UID: f[2], GID: f[3], Size: size, Vars: vars(f[7]),
			Others: who, KnownOthers: known,
			Evidence: Evidence{File: Files, Line: n, Text: clip(fmt.Sprintf("%s %s %s:%s %s", f[0], f[1], f[2], f[3], f[7]))}})
	})
	return out
}

// others reads a list of who beside root has a file: "-" for nobody, empty for unknown.
func others(list string) (who []string, known bool) {
	if list == "-" || list == "" {
		return nil, list != ""
	}
	return strings.Split(list, ","), true
}

// readProcesses reads pid, unit, start, vars, command line and, in recordings from
// November 2026 on, the program's file.
func readProcesses(r io.Reader, zero time.Duration, d *damage) []Process {
	var out []Process
	rows(r, d, 4, 6, func(n int, f []string) {
		pid, err := strconv.Atoi(f[0])
		start, err2 := strconv.ParseInt(f[2], 10, 64)
		if err != nil || err2 != nil {
			d.at(n, "a pid or start that is no number")
			return
		}
		out = append(out, Process{PID: pid, Unit: f[1], Start: time.Duration(start) - zero, Vars: vars(f[3]), Cmdline: f[4], Exe: f[5],
			Secrets: secretsIn(f[4]), Evidence: Evidence{File: Processes, Line: n,
				Text: clip(fmt.Sprintf("pid %d %s %s %s", pid, f[1], f[3], f[4]))}})
	})
	return out
}

// readLeaks reads secret, where. Without the canary an empty file and a search
// that finds nothing whatever there is look the same.
func readLeaks(r io.Reader, d *damage) (out []Leak, unwatched string) {
	proved := false
	rows(r, d, 2, 2, func(n int, f []string) {
		switch f[0] {
		case recording.Canary:
			proved = true
			return
		case recording.Unwatched:
			unwatched = f[1]
			return
		}
		out = append(out, Leak{Secret: f[0], Where: f[1],
			Evidence: Evidence{File: Leaks, Line: n, Text: clip(f[0] + " in " + f[1])}})
	})
	if !proved {
		d.say("search: canary not found")
	}
	return out, unwatched
}

// readHost reads the host's pressure: totals of /proc/pressure (the kernel's
// Documentation/accounting/psi.rst), and how late the harness's own tick was.
func readHost(r io.Reader, zero time.Duration, d *damage) []HostSample {
	var out []HostSample
	eachLine(r, d, func(n int, line []byte) {
		if len(line) == 0 {
			return
		}
		var l recording.HostSample
		if json.Unmarshal(line, &l) != nil || l.Mono <= 0 {
			d.at(n, "not a sample")
			return
		}
		s := HostSample{At: time.Duration(l.Mono) - zero, Late: micro(&l.LateUS),
			CPUSome: micro(&l.CPUSomeUS), MemFull: micro(&l.MemFullUS), IOFull: micro(&l.IOFullUS)}
		out = append(out, s)
	})
	if len(out) == 0 {
		d.say("no sample")
	}
	return out
}

// readPending reads what could still happen after the delivery.
func readPending(r io.Reader, zero time.Duration, d *damage) []Pending {
	var out []Pending
	eachLine(r, d, func(n int, line []byte) {
		if len(line) == 0 {
			return
		}
		var l recording.Pending
		if json.Unmarshal(line, &l) != nil || l.Unit == "" || l.Seen <= 0 {
			d.at(n, "not something that may happen")
			return
		}
		p := Pending{Unit: scrub(l.Unit), How: scrub(l.How), Seen: time.Duration(l.Seen) - zero, Waited: l.Waited, Process: l.Process}
		if l.Due > 0 {
			p.Due = max(time.Duration(l.Due)-zero, 1)
		}
		out = append(out, p)
	})
	return out
}

func micro(us *int64) time.Duration {
	if us == nil || *us < 0 || *us > maxMicro {
		return 0
	}
	return time.Duration(*us) * time.Microsecond
}
