// Package provision is production's provisioning as far as the race is concerned,
// as a shell script: worker.env comes late and in some way, meanwhile something is
// done to units. cloud-init runs it in a machine, a unit of its own on a real host
// (harness/runbook): what is tried there is what is simulated. It knows nothing of
// who runs it, nor of what is in worker.env.
//
//	text, err := provision.Script{Unit: "cloud-final.service", Dir: "/etc/opensandbox", RoleEnv: functions, Write: true}.Text()
package provision

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"text/template"
	"time"

	"bootrace/harness/boot"
	"bootrace/scenarios"
)

// Script is what is to happen.
type Script struct {
	Unit string // whose start times count from
	Dir  string // of role envs, as sh may write it
	// RoleEnv defines, as functions in sh: whole prints worker.env as it is in the
	// end, template what is written first, unnamed the whole of it but for the vault's
	// name, elsewhere the whole of it with the name of a vault that does not exist;
	// edit makes of template the whole in two edits in place, name the same of unnamed
	// in one.
	RoleEnv string
	Write   bool // else worker.env does not come, or is there
	Delay   time.Duration
	Way     scenarios.Way // empty: [scenarios.Edited]
	During  []scenarios.Action
	Then    string // in sh, when worker.env is complete
}

// step is an action as the script has it.
type step struct {
	AtMS           int64
	Do, Unit, Deed string
	Hits           string // in sh: there is something to do it to
}

// Text is the script, for sh.
func (s Script) Text() ([]byte, error) {
	way := cmp.Or(s.Way, scenarios.Edited)
	if ways[way] == "" {
		return nil, fmt.Errorf("way %q to write worker.env: there is no shell for it", way)
	}
	var steps []step
	for _, a := range s.During {
		if deeds[a.Do] == "" {
			return nil, fmt.Errorf("action %q on %s: there is no shell for it", a.Do, a.Unit)
		}
		steps = append(steps, step{a.At.Milliseconds(), a.Do, a.Unit, deeds[a.Do], cmp.Or(hits[a.Do], "true")})
	}
	slices.SortStableFunc(steps, func(a, b step) int { return cmp.Compare(a.AtMS, b.AtMS) })
	var out bytes.Buffer
	err := text.Execute(&out, map[string]any{
		"Unit": s.Unit, "Dir": s.Dir, "RoleEnv": s.RoleEnv, "Write": s.Write, "DelayMS": s.Delay.Milliseconds(),
		"Way": ways[way], "During": steps, "Then": s.Then,
		"NoUnit": boot.NoUnit, "HitNothing": boot.HitNothing,
	})
	return out.Bytes(), err
}

// text is the script. Its marks are structured journal entries, so that who reads
// the journal knows each step's moment on the boot clock.
var text = template.Must(template.New("script").Parse(`#!/bin/sh
set -eu
dir={{.Dir}}
file=$dir/worker.env
mark() {
  logger --journald <<EOF
MESSAGE=bootrace-script: $1
SYSLOG_IDENTIFIER=bootrace-script
BOOTRACE_EVENT=script
BOOTRACE_STEP=$1
BOOTRACE_PATH=$file
EOF
}
# Times count from the unit's start, which was a little before ours.
began=$(systemctl show --value -p InactiveExitTimestampMonotonic {{.Unit}})
reach() {
  up=$(cut -d' ' -f1 /proc/uptime | tr -d .)
  left=$(( $1 - (up * 10 - began / 1000) ))
  if [ "$left" -gt 0 ]; then
    sleep "$(( left / 1000 )).$(printf %03d $(( left % 1000 )))"
  fi
}
mark start
{{- if .During}}
during() {
{{- range .During}}
  reach {{.AtMS}}
  unit='{{.Unit}}'
  mark '{{.Do}}-{{.Unit}}'
  if [ "$(systemctl show --value -p LoadState "$unit")" != loaded ]; then
    mark "{{$.NoUnit}}$unit"
  elif {{.Hits}}; then
    { {{.Deed}}; } || mark 'not-done-{{.Do}}-{{.Unit}}'
    mark 'done-{{.Do}}-{{.Unit}}'
  else
    mark "{{$.HitNothing}}$unit"
  fi
{{- end}}
}
during &
{{- end}}
{{- if .Write}}
{{.RoleEnv}}
created() { mark role-env-created; }
reach {{.DelayMS}}
{{.Way}}
mark role-env-complete
{{- end}}
{{- if .Then}}
{{.Then}}
{{- end}}
wait
mark done
`))
