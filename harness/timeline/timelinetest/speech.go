package timelinetest

import (
	"fmt"
	"time"
)

// invocation gives each start of a unit the ID that systemd would.
func (b *Boot) invocation() string {
	return fmt.Sprintf("%032x", b.invocations)
}

// Starting is a start job beginning, with a new invocation.
func (b *Boot) Starting(at time.Duration, unit string) {
	b.invocations++
	b.job++
	b.PID1(at, "7d4958e842da4a758f6c1cdc7b36dcc5", unit, fmt.Sprintf("Starting %s - Something...", unit),
		map[string]any{"JOB_TYPE": "start", "JOB_ID": fmt.Sprint(b.job), "INVOCATION_ID": b.invocation()})
}

// Started is the start job of the invocation begun last being done.
func (b *Boot) Started(at time.Duration, unit string) {
	b.done(at, "39f53479d3a045ac8e11786248231fbf", unit, "Started %s - Something.", "done")
}

// StartsAtOnce is a Type=simple service without ExecStartPre: systemd says
// nothing of its starting.
func (b *Boot) StartsAtOnce(at time.Duration, unit string) {
	b.invocations++
	b.job++
	b.Started(at, unit)
}

// StartFailed is the start job ending without success: failed, dependency, timeout.
func (b *Boot) StartFailed(at time.Duration, unit, result string) {
	b.done(at, "be02cf6855d2428ba40df7e9d022f03d", unit, "Failed to start %s - Something.", result)
}

func (b *Boot) done(at time.Duration, id, unit, text, result string) {
	b.PID1(at, id, unit, fmt.Sprintf(text, unit), map[string]any{"JOB_TYPE": "start", "JOB_RESULT": result,
		"JOB_ID": fmt.Sprint(b.job), "INVOCATION_ID": b.invocation()})
}

// ConditionUnmet is a unit skipped, in the words of systemd 257: the message ID
// is that of a started unit.
func (b *Boot) ConditionUnmet(at time.Duration, unit string) {
	b.PID1(at, "39f53479d3a045ac8e11786248231fbf", unit, unit+" - Something skipped, unmet condition check ConditionPathExists=/nope",
		map[string]any{"JOB_TYPE": "start", "JOB_RESULT": "done", "INVOCATION_ID": ""})
}

// Stopped is a unit stopped.
func (b *Boot) Stopped(at time.Duration, unit string) {
	b.PID1(at, "de5b426a63be47a7b6ac3eaac82e2f6f", unit, "Stopping "+unit+" - Something...", map[string]any{"JOB_TYPE": "stop"})
	b.PID1(at+10*time.Millisecond, "9d1aaa27d60140bd96365438aad20286", unit, "Stopped "+unit+" - Something.",
		map[string]any{"JOB_TYPE": "stop", "JOB_RESULT": "done"})
}

// Failed is the main process gone with a status and the unit failed.
func (b *Boot) Failed(at time.Duration, unit, result string) {
	inv := map[string]any{"INVOCATION_ID": b.invocation()}
	b.PID1(at, "98e322203f7a4ed290d09fe03c09fe15", unit, unit+": Main process exited, code=exited, status=1/FAILURE",
		map[string]any{"EXIT_CODE": "exited", "EXIT_STATUS": "1", "COMMAND": "ExecStart", "INVOCATION_ID": b.invocation()})
	inv["UNIT_RESULT"] = result
	b.PID1(at+time.Millisecond, "d9b373ed55a64feb8242e02dbe79a49c", unit, fmt.Sprintf("%s: Failed with result '%s'.", unit, result), inv)
}

// RestartScheduled is Restart= at work.
func (b *Boot) RestartScheduled(at time.Duration, unit string, n int) {
	b.PID1(at, "5eb03494b6584870a536b337290809b3", unit, fmt.Sprintf("%s: Scheduled restart job, restart counter is at %d.", unit, n),
		map[string]any{"N_RESTARTS": fmt.Sprint(n), "INVOCATION_ID": b.invocation()})
}

// TooQuickly is a start refused; systemd 257 gives no message ID and follows up
// with the result of the start before.
func (b *Boot) TooQuickly(at time.Duration, unit string) {
	b.PID1(at, "", unit, unit+": Start request repeated too quickly.", map[string]any{"INVOCATION_ID": b.invocation()})
	b.PID1(at+time.Millisecond, "d9b373ed55a64feb8242e02dbe79a49c", unit, unit+": Failed with result 'exit-code'.",
		map[string]any{"UNIT_RESULT": "exit-code", "INVOCATION_ID": b.invocation()})
	b.StartFailed(at+2*time.Millisecond, unit, "failed")
}

// Numbered adds a line that can be accounted for.
func (b *Boot) Numbered(at time.Duration, source string, seq int, late time.Duration) {
	b.Log(at, source+".service", fmt.Sprintf(`{"source":%q,"seq":%d,"late_us":%d}`, source, seq, late.Microseconds()))
}

// EnvFile is the boot logger's sight of a file; vars is NAME=digest,… .
func (b *Boot) EnvFile(at time.Duration, path, op string, size int, mode, vars string, whole bool) {
	w := "0"
	if whole {
		w = "1"
	}
	b.Entry(at+3*time.Millisecond, map[string]any{"_PID": "77", "_TRANSPORT": "journal", "_SYSTEMD_UNIT": "boot-logger.service",
		"SYSLOG_IDENTIFIER": "boot-logger", "MESSAGE": op + " " + path, "BOOTRACE_EVENT": "env-file",
		"BOOTRACE_MONO": fmt.Sprint(Mono(at)), "BOOTRACE_PATH": path, "BOOTRACE_OP": op, "BOOTRACE_SIZE": fmt.Sprint(size),
		"BOOTRACE_MODE": mode, "BOOTRACE_UID": "0", "BOOTRACE_VARS": vars, "BOOTRACE_WHOLE": w})
}

// Others adds to the last entry who beside root has the file, and by which owner.
func (b *Boot) Others(uid, others string) {
	last := b.Journal[len(b.Journal)-1]
	last["BOOTRACE_UID"], last["BOOTRACE_OTHERS"] = uid, others
}

// Step is a mark of the scenario's script.
func (b *Boot) Step(at time.Duration, step string) {
	b.Entry(at, map[string]any{"_PID": "900", "_TRANSPORT": "journal", "_SYSTEMD_UNIT": "cloud-final.service",
		"SYSLOG_IDENTIFIER": "bootrace-script", "MESSAGE": step, "BOOTRACE_EVENT": "script", "BOOTRACE_STEP": step})
}

// Call is a request to the cloud; pairs are further fields.
func (b *Boot) Call(at time.Duration, service, op string, status int, pairs ...any) {
	c := map[string]any{"mono": Mono(at), "service": service, "op": op, "status": status, "method": "GET", "duration_ns": 1_000_000}
	for i := 0; i+1 < len(pairs); i += 2 {
		c[pairs[i].(string)] = pairs[i+1]
	}
	b.Cloud = append(b.Cloud, c)
}
