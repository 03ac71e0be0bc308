package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"bootrace/harness/recording"
	"bootrace/images/inside/envfile"
	"bootrace/images/inside/process"
)

// tabless is for the fields of processes.txt.
var tabless = strings.NewReplacer("\t", " ", "\n", " ")

// listProcesses is processes.txt, and which of them hold a secret. Only Vector
// and what it starts may have one in the environment. The process that is ours
// is searched, but not listed. What cannot be read of a process is in the error.
func listProcesses(wanted recording.Redactor, ours int) ([]byte, []string, error) {
	var out bytes.Buffer
	var leaks []string
	unread := unreadable{what: "environments"}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, nil, err
	}
	// /proc/PID/stat counts from CLOCK_BOOTTIME, everything else here from
	// CLOCK_MONOTONIC; they differ on a host that was suspended.
	suspended := process.Boottime() - process.Monotonic()
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		dir := "/proc/" + e.Name()
		unit := process.Unit(dir)
		who := fmt.Sprintf("process %d (%s)", pid, unit)
		cmdline, err := os.ReadFile(dir + "/cmdline")
		if err != nil {
			unread.add(who, err)
			continue
		}
		if len(cmdline) == 0 {
			continue // a kernel thread, or one that has ended and is not waited for
		}
		environ, err := os.ReadFile(dir + "/environ")
		if err != nil {
			unread.add(who, err)
		}
		exe, err := os.Readlink(dir + "/exe")
		if err != nil {
			unread.add(who, err)
		}
		vars := ""
		if unit == "vector.service" {
			vars = envfile.Digests(environVars(environ))
		} else if !isOf(dir, vectorProgram) {
			for _, name := range wanted.Find(environ) {
				leaks = append(leaks, processLeak(name, pid, "environment", unit))
			}
		}
		args := strings.ReplaceAll(strings.TrimRight(string(cmdline), "\x00"), "\x00", " ")
		for _, name := range wanted.Find([]byte(args)) {
			leaks = append(leaks, processLeak(name, pid, "arguments", unit))
		}
		if pid == ours {
			continue
		}
		// proc(5): a program that was replaced meanwhile is marked so.
		exe = tabless.Replace(strings.TrimSuffix(exe, " (deleted)"))
		fmt.Fprintf(&out, "%d\t%s\t%d\t%s\t%s\t%s\n", pid, unit, (process.Start(dir) - suspended).Nanoseconds(), vars, tabless.Replace(args), exe)
	}
	return out.Bytes(), leaks, unread.err()
}

// vectorProgram is where Vector is in a worker image.
const vectorProgram = "/usr/bin/vector"

// isOf: the process is of the program, or was started by it. Vector, and the journalctl that it starts,
// may be in another unit than its own, and the values belong there, too.
func isOf(dir, program string) bool {
	return slices.ContainsFunc([]string{dir, fmt.Sprintf("/proc/%d", process.Parent(dir))}, func(dir string) bool {
		exe, err := os.Readlink(dir + "/exe")
		return err == nil && strings.TrimSuffix(exe, " (deleted)") == program
	})
}

// environVars keeps the variables that vector.env is about, not PATH and such.
func environVars(environ []byte) map[string]string {
	vars := map[string]string{}
	for _, kv := range strings.Split(string(environ), "\x00") {
		name, value, ok := strings.Cut(kv, "=")
		if ok && (strings.HasPrefix(name, "AXIOM_") || strings.HasPrefix(name, "OPENCOMPUTER_") ||
			strings.HasPrefix(name, "OPENSANDBOX_") || strings.HasPrefix(name, "VECTOR_")) {
			vars[name] = value
		}
	}
	return vars
}
