package timelinetest

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// What the boots of this package agree on.
const (
	Vector    = "vector.service"
	Subject   = "populate-vector-env.service"
	Worker    = "opensandbox-worker.service"
	Logger    = "boot-logger.service"
	MultiUser = "multi-user.target"
	VectorEnv = "/etc/opensandbox/vector.env"
	LogToken  = "shared-axiom-platform-ingest-token"

	// Digests of the values: of the vault's, and of a stub's.
	VaultVars = "AXIOM_PLATFORM_DATASET=dada0001,AXIOM_PLATFORM_TOKEN=70ce0001,OPENCOMPUTER_CELL_ID=ce110001"
	StubVars  = "AXIOM_PLATFORM_DATASET=dada5707,AXIOM_PLATFORM_TOKEN=70ce5707,OPENCOMPUTER_CELL_ID=ce115707"
)

// Moments of a healthy boot with worker.env late.
const (
	StubAt     = 300 * time.Millisecond
	MultiAt    = 900 * time.Millisecond
	CompleteAt = 20 * time.Second
	RealAt     = CompleteAt + 200*time.Millisecond
	LoadedAt   = CompleteAt + 900*time.Millisecond
	EndAt      = 40 * time.Second
)

// Digests reads VaultVars and the like.
func Digests() map[string]string {
	return map[string]string{"AXIOM_PLATFORM_DATASET": "dada0001", "AXIOM_PLATFORM_TOKEN": "70ce0001", "OPENCOMPUTER_CELL_ID": "ce110001"}
}

// Never is a boot in which worker.env does not come and all is well: Vector
// runs on the stub, whose endpoint refuses connections, so nothing is lost.
func Never() *Boot {
	b := New()
	b.End, b.Secrets = EndAt, []string{LogToken, "shared-axiom-platform-dataset"}
	b.Console = []string{
		"\x1b[!p\x1b]104\aWelcome to \x1b[0m\x1b[1mDebian GNU/Linux 13 (trixie)\x1b[0m!",
		"         Starting \x1b[0;1;39m" + Subject + "\x1b[0m - Something...",
		"[\x1b[0;32m  OK  \x1b[0m] Reached target \x1b[0;1;39mmulti-user.target\x1b[0m - Multi-User System.",
	}
	b.Cloud = append(b.Cloud, map[string]any{"mono": Mono(-2 * time.Second), "service": "azure", "op": "ready"})

	b.Started(200*time.Millisecond, "sysinit.target")
	b.ConditionUnmet(210*time.Millisecond, "systemd-firstboot.service")
	b.StartsAtOnce(220*time.Millisecond, Logger)
	b.Starting(230*time.Millisecond, Subject)
	b.EnvFile(StubAt, VectorEnv, "rename", 120, "0600", StubVars, true)
	b.Started(StubAt+10*time.Millisecond, Subject)
	b.Starting(350*time.Millisecond, Vector)
	b.Started(500*time.Millisecond, Vector)
	b.Started(MultiAt, MultiUser)
	b.Starting(950*time.Millisecond, "cloud-final.service")
	b.Step(960*time.Millisecond, "start")
	b.logUntil(b.End)
	for s := time.Duration(-2); s < EndAt/time.Second; s++ {
		b.Host = append(b.Host, map[string]any{"mono": Mono(s * time.Second), "psi_cpu_some_us": 1000 * (s + 2), "psi_mem_full_us": 0, "psi_io_full_us": 0, "late_us": 120})
	}

	b.Up(Subject, 230*time.Millisecond, StubAt+10*time.Millisecond)
	b.Prop(Subject, "Before", Vector+" shutdown.target", "WantedBy", MultiUser)
	b.Up(Vector, 350*time.Millisecond, 500*time.Millisecond)
	b.Prop(Vector, "MainPID", "300", "After", Subject+" network-online.target", "Before", MultiUser, "WantedBy", MultiUser)
	b.Up(MultiUser, MultiAt, MultiAt)
	b.Prop(MultiUser, "After", Vector+" "+Logger, "Before", "cloud-final.service")
	b.Up("cloud-final.service", 950*time.Millisecond, CompleteAt+time.Second)
	b.Prop("cloud-final.service", "After", MultiUser)
	b.Up(Logger, 220*time.Millisecond, 220*time.Millisecond)
	b.Files = []string{fileRow(VectorEnv, "0600", StubVars)}
	b.Procs = []string{procRow(300, 360*time.Millisecond, StubVars)}
	return b
}

// Healthy is a boot in which worker.env comes after 20 s and all is well.
func Healthy() *Boot {
	b := Never()
	b.Step(CompleteAt-50*time.Millisecond, "role-env-created")
	b.Step(CompleteAt, "role-env-complete")
	b.Step(CompleteAt+100*time.Millisecond, "worker-started")
	b.Step(CompleteAt+200*time.Millisecond, "done")
	b.Started(CompleteAt+time.Second, "cloud-final.service")
	b.Call(CompleteAt+20*time.Millisecond, "imds", "token", 200)
	b.Call(CompleteAt+40*time.Millisecond, "keyvault", "secrets.get", 401, "secret", LogToken, "auth", "none")
	b.Call(CompleteAt+60*time.Millisecond, "keyvault", "secrets.get", 200, "secret", LogToken, "auth", "ok")
	b.Call(CompleteAt+70*time.Millisecond, "keyvault", "secrets.get", 200, "secret", "shared-axiom-platform-dataset", "auth", "ok")
	b.EnvFile(RealAt, VectorEnv, "rename", 160, "0600", VaultVars, true)
	b.Stopped(RealAt+100*time.Millisecond, Vector)
	b.Starting(RealAt+200*time.Millisecond, Vector)
	b.Started(LoadedAt, Vector)
	b.StartsAtOnce(CompleteAt+100*time.Millisecond, Worker)
	b.Call(CompleteAt+300*time.Millisecond, "controlplane", "register", 200, "worker", "worker-1")
	for i := range 36 {
		b.Numbered(CompleteAt+200*time.Millisecond+time.Duration(i)*500*time.Millisecond, "opensandbox-worker", i+1, 0)
	}
	b.Ingest(LoadedAt+time.Second, 200, "1-44", "1-2")
	b.Ingest(EndAt-2*time.Second, 200, "45-76", "3-36")

	b.Up(Vector, RealAt+200*time.Millisecond, LoadedAt)
	b.Prop(Vector, "MainPID", "400")
	b.Up(Worker, CompleteAt+100*time.Millisecond, CompleteAt+100*time.Millisecond)
	b.Files = []string{fileRow(VectorEnv, "0600", VaultVars)}
	b.Procs = []string{procRow(400, RealAt+210*time.Millisecond, VaultVars)}
	return b
}

// Ingest is a batch at Axiom with lines of both sources.
func (b *Boot) Ingest(at time.Duration, status int, logger, worker string) {
	b.Call(at, "axiom", "ingest", status, "method", "POST", "token_name", LogToken, "auth", "ok", "dataset", "[secret:shared-axiom-platform-dataset]",
		"path", "/v1/datasets/[secret:shared-axiom-platform-dataset]/ingest", "events", 50,
		"lines", map[string]string{"boot-logger": logger, "opensandbox-worker": worker})
}

// VectorProcess sets the running Vector's process.
func (b *Boot) VectorProcess(pid int, start time.Duration, vars string) {
	b.Prop(Vector, "MainPID", fmt.Sprint(pid))
	b.Procs = []string{procRow(pid, start, vars)}
}

// EnvFileAtEnd sets vector.env as it lies there at the end.
func (b *Boot) EnvFileAtEnd(mode, vars string) { b.Files = []string{fileRow(VectorEnv, mode, vars)} }

// logUntil lets the boot logger tick on.
func (b *Boot) logUntil(end time.Duration) {
	for {
		at := 250*time.Millisecond + time.Duration(b.ticks)*500*time.Millisecond
		if at > end {
			return
		}
		b.ticks++
		b.Numbered(at, "boot-logger", b.ticks, 300*time.Microsecond)
	}
}

// Postpone puts off by a time all that was from a moment on; the clock of the
// boot logger and the host's go on as ever, and all of its lines arrive.
func (b *Boot) Postpone(from, by time.Duration) {
	b.End += by
	for _, e := range b.Journal {
		if e["SYSLOG_IDENTIFIER"] == "boot-logger" && e["BOOTRACE_MONO"] == nil {
			continue
		}
		shift(e, "__MONOTONIC_TIMESTAMP", from, by, time.Microsecond)
		shift(e, "BOOTRACE_MONO", from, by, time.Nanosecond)
	}
	for _, c := range b.Cloud {
		if mono := c["mono"].(int64); mono >= Mono(from) {
			c["mono"] = mono + int64(by)
		}
	}
	for _, u := range b.Units {
		props := map[string]any{}
		for _, name := range []string{"ActiveEnterTimestampMonotonic", "InactiveExitTimestampMonotonic"} {
			props[name] = u[name]
			shift(props, name, from, by, time.Microsecond)
			u[name] = props[name].(string)
		}
	}
	for i, row := range b.Procs {
		f := strings.SplitN(row, "\t", 4)
		proc := map[string]any{"start": f[2]}
		shift(proc, "start", from, by, time.Nanosecond)
		b.Procs[i] = strings.Join([]string{f[0], f[1], proc["start"].(string), f[3]}, "\t")
	}
	b.logUntil(b.End)
	b.Ingest(b.End-time.Second, 200, fmt.Sprintf("77-%d", b.ticks), "")
}

// shift moves a moment written as a string in the given unit.
func shift(m map[string]any, key string, from, by, unit time.Duration) {
	s, ok := m[key].(string)
	if !ok {
		return
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		panic(err)
	}
	if at := time.Duration(n) * unit; at >= Zero+from {
		m[key] = fmt.Sprint(int64((at + by) / unit))
	}
}

func procRow(pid int, start time.Duration, vars string) string {
	return fmt.Sprintf("%d\t%s\t%d\t%s\t/usr/bin/vector --config /etc/vector/vector.yaml", pid, Vector, Mono(start), vars)
}

func fileRow(path, mode, vars string) string {
	return fmt.Sprintf("%s\t%s\t0\t0\t160\t1795469429.000\t%064d\t%s", path, mode, 0, vars)
}
