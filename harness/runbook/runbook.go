// Package runbook turns a scenario into the steps that try it on a real development
// host: as text for a person, and as a script with a dry run and an undo. It does
// nothing itself, and knows no host.
//
//	book, err := runbook.Of(scenario, production)
//	text, err := book.Text()      // or book.Script()
package runbook

import (
	"bytes"
	"embed"
	"fmt"
	"regexp"
	"strings"
	"text/template"
	"time"

	"bootrace/harness/provision"
	"bootrace/scenarios"
)

// Book is a scenario as steps on a host.
type Book struct {
	Scenario scenarios.Scenario
	// Production is an extended regular expression; what it matches among a host's
	// name, its role env and its tags is taken for production, beside what always is.
	Production string
}

// Of returns the steps of a scenario. What of it no real host can be made to do is an
// error: without it, it would be another scenario.
func Of(s scenarios.Scenario, production string) (Book, error) {
	b := Book{Scenario: s, Production: production}
	if _, err := regexp.CompilePOSIX(production); err != nil || strings.ContainsAny(production, "\n\x00") {
		return b, fmt.Errorf("production pattern %q: expected an extended regular expression of one line", production)
	}
	var cannot []string
	for _, f := range b.Fields() {
		if f.How == Cannot {
			cannot = append(cannot, f.Name+": "+f.Why)
		}
	}
	if len(cannot) > 0 {
		return b, fmt.Errorf("scenario %s cannot be tried on a real host:\n  %s", s.Name, strings.Join(cannot, "\n  "))
	}
	return b, nil
}

// Named is the scenario as bootrace is to be asked for it.
func (b Book) Named() string {
	if s, err := scenarios.Find(b.Scenario.Name); err == nil && s.File == b.Scenario.File {
		return b.Scenario.Name
	}
	return b.Scenario.File
}

// State is the directory on the host that remembers a trial; Unit plays cloud-init's part.
const (
	State = "/var/lib/bootrace-runbook"
	Unit  = "bootrace-runbook.service"
	etc   = "/etc/opensandbox"
)

// Removed are the files that the host must not have when it boots: a first boot has no
// vector.env, and one that comes before worker.env no role env.
func (b Book) Removed() []string {
	if b.Scenario.WorkerEnv.BeforeBoot() {
		return []string{"vector.env"}
	}
	return []string{"worker.env", "server.env", "vector.env"}
}

// Touched are all that a trial may create or remove, with what edits in place leave
// behind when the power goes: they are saved, and put back or removed.
func (b Book) Touched() []string {
	return []string{"worker.env", "server.env", "vector.env", "worker.env.new", "worker.env.edit"}
}

// Armed: something is to happen after the boot, by a unit.
func (b Book) Armed() bool {
	return b.Scenario.WorkerEnv.When == scenarios.After || len(b.Scenario.During) > 0
}

// NeedsVault: the way writes another vault's name, or none, first.
func (b Book) NeedsVault() bool {
	w := b.Scenario.WorkerEnv
	return w.When == scenarios.After && (w.Way == scenarios.WrongVault || w.Way == scenarios.FilledThenNamed)
}

// NeedsRoleEnv: what is to come late must be there to be saved.
func (b Book) NeedsRoleEnv() bool { return b.Scenario.WorkerEnv.When != scenarios.Never }

// NeedsRoleEnvGone: a role env that is there when the boot has come to its end was
// written by another program, and the boot is not the scenario.
func (b Book) NeedsRoleEnvGone() bool { return b.Scenario.WorkerEnv.When != scenarios.BeforeBoot }

// functions are worker.env as [provision.Script] wants it, made of what was saved.
// kv--nowhere cannot be any vault's name: Key Vault allows no two hyphens in a row.
// sed -i writes beside and renames, and so does replace; the mode is umask's.
const functions = `line() { sed -E "s/^((export )?$1=).*/\\1$2/"; }
replace() { cat > $file.edit; mv $file.edit $file; }
whole() { cat "$saved"; }
template() { whole | line OPENSANDBOX_WORKER_ID __WORKER_ID__ | line OPENSANDBOX_HOST_IP __HOST_IP__; }
edit() {
  whole | line OPENSANDBOX_HOST_IP __HOST_IP__ | replace
  whole | replace
}
unnamed() { whole | line OPENSANDBOX_AZURE_KEY_VAULT_NAME __VAULT__; }
name() { whole | replace; }
elsewhere() { whole | line OPENSANDBOX_AZURE_KEY_VAULT_NAME kv--nowhere; }
# As the file was: a secret in it is seen by nobody who could not see it before.
umask $(printf %o $(( 0777 & ~0$(cat "$saved.mode") )))`

// then is what production does when worker.env is complete.
const then = `if systemctl cat opensandbox-worker.service > /dev/null 2>&1; then
  systemctl start opensandbox-worker.service || mark worker-not-started
fi`

// Writer is the script that the unit runs: the provisioning of the scenario, once.
func (b Book) Writer() (string, error) {
	w := b.Scenario.WorkerEnv
	s := provision.Script{Unit: Unit, Dir: `"$BOOTRACE_ROOT"` + etc, RoleEnv: functions, Write: w.When == scenarios.After, Delay: w.Delay.Duration, Way: w.Way, During: b.Scenario.During}
	if s.Write {
		s.Then = then
	}
	script, err := s.Text()
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	err = scripts.ExecuteTemplate(&out, "writer.sh.tmpl", map[string]any{"Book": b, "State": State, "Unit": Unit, "Script": strings.TrimPrefix(string(script), "#!/bin/sh\nset -eu\n")})
	return out.String(), err
}

// UnitFile is the unit. A transient one would be gone with the reboot. It begins when
// cloud-final does, counts as part of the boot, and cloud-final waits for it: who waits
// for cloud-final waits for worker.env, as in production.
func (b Book) UnitFile() string {
	return `[Unit]
Description=bootrace runbook: ` + b.Scenario.Name + `, once
After=multi-user.target
Before=cloud-final.service
ConditionPathIsDirectory=` + State + `/saved

[Service]
Type=oneshot
ExecStart=/bin/sh ` + State + `/write
TimeoutStartSec=infinity

[Install]
WantedBy=multi-user.target
`
}

// Window is when at the latest the trial is over, since multi-user.target. A real host
// may take longer to come there than any window of a machine.
func (b Book) Window() time.Duration { return b.Scenario.Look.Window.Duration }

// Settles is how long after the unit is done: what is late by no more than is allowed
// must have come, and have held.
func (b Book) Settles() time.Duration {
	return b.Scenario.Look.Settle.Duration + b.Scenario.Expect.CredentialsWithin.Duration
}

//go:embed *.tmpl
var templates embed.FS

var scripts = template.Must(template.New("").Funcs(template.FuncMap{
	"quote": quote, "join": func(words []string) string { return strings.Join(words, " ") },
	"inc": func(i int) int { return i + 1 },
	"indent": func(by, text string) string {
		return strings.ReplaceAll(strings.ReplaceAll(text, "\n", "\n"+by), "\n"+by+"\n", "\n\n")
	},
	"seconds": func(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) },
}).ParseFS(templates, "*.tmpl"))

// quote makes one word of a text, for any POSIX shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// Script is the runbook as a bash script.
func (b Book) Script() (string, error) { return b.execute("runbook.sh.tmpl") }

// Text is the runbook for a person.
func (b Book) Text() (string, error) { return b.execute("runbook.txt.tmpl") }

func (b Book) execute(name string) (string, error) {
	writer, err := b.Writer()
	if err != nil {
		return "", fmt.Errorf("runbook of scenario %s: %w", b.Scenario.Name, err)
	}
	var out bytes.Buffer
	err = scripts.ExecuteTemplate(&out, name, map[string]any{
		"Book": b, "State": State, "Unit": Unit, "Writer": strings.TrimSuffix(writer, "\n"), "UnitFile": strings.TrimSuffix(b.UnitFile(), "\n"), "Steps": b.Steps(), "Fields": b.Fields(),
	})
	if err != nil {
		return "", fmt.Errorf("runbook of scenario %s: %w", b.Scenario.Name, err)
	}
	return out.String(), nil
}
