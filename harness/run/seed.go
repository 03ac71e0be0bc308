package run

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"fmt"
	"slices"
	"text/template"
	"time"

	"bootrace/harness/boot"
	"bootrace/harness/machine"
	"bootrace/harness/recording"
	"bootrace/scenarios"
)

const roleEnvDir = "/etc/opensandbox"

// roleEnv is worker.env as production writes it first, and as it is after the
// edits in place.
func (w world) roleEnv(edited bool) []byte {
	worker, hostIP := "__WORKER_ID__", "__HOST_IP__"
	if edited {
		worker, hostIP = w.workerID, "10.4.0.4" // images/azure/uplink
	}
	return fmt.Appendf(nil, `OPENSANDBOX_ROLE=worker
OPENSANDBOX_REGION=%s
OPENSANDBOX_CONTROL_PLANE_URL=https://%s
OPENSANDBOX_AZURE_KEY_VAULT_NAME=%s
OPENCOMPUTER_CELL_ID=%s
OPENSANDBOX_WORKER_ID=%s
OPENSANDBOX_HOST_IP=%s
`, w.region, controlPlaneHost, w.vault, w.cellID, worker, hostIP)
}

// script is what cloud-init runs in cloud-final: production's provisioning as
// far as the race is concerned. Its marks are structured journal entries, so
// that the recording knows each step's moment on the boot clock.
var script = template.Must(template.New("user-data").Parse(`#!/bin/sh
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
# Times count from cloud-final's start, which was a little before ours.
began=$(systemctl show --value -p InactiveExitTimestampMonotonic cloud-final.service)
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
template() { printf %s '{{.Template}}' | base64 -d; }
whole() { printf %s '{{.Whole}}' | base64 -d; }
created() { mark role-env-created; }
reach {{.DelayMS}}
{{.Way}}
mark role-env-complete
{{- end}}
{{- if .StartWorker}}
systemctl start opensandbox-worker.service
mark worker-started
{{- end}}
wait
mark done
`))

// provisioning is when and how worker.env comes, and what is done meanwhile.
type provisioning struct {
	beforeBoot, write bool
	delay             time.Duration
	way               scenarios.Way
	during            []scenarios.Action
}

// step is an action as the script has it.
type step struct {
	AtMS           int64
	Do, Unit, Deed string
	Hits           string // in sh: there is something to do it to
}

// seed returns the files that a machine has before it boots: cloud-init's NoCloud
// seed, and worker.env when it is to be there.
func (w world) seed(p provisioning) ([]machine.File, error) {
	script, err := w.script(p)
	if err != nil {
		return nil, err
	}
	const dir = "/var/lib/cloud/seed/nocloud/"
	files := []machine.File{
		{Path: dir + "meta-data", Mode: 0o600, Data: []byte("instance-id: " + w.workerID + "\n")},
		{Path: dir + "user-data", Mode: 0o600, Data: script},
	}
	if p.beforeBoot {
		files = append(files, machine.File{Path: roleEnvDir + "/worker.env", Mode: 0o600, Data: w.roleEnv(true)})
	}
	return files, nil
}

// seedAgain returns the files that a machine gets before a further boot. It is the same
// instance, so cloud-init leaves the user data alone; what it runs in each boot (its module
// scripts-per-boot, in cloud-final as well) does this boot's part.
func (w world) seedAgain(p provisioning, number int, changed bool) ([]machine.File, error) {
	script, err := w.script(p)
	if err != nil {
		return nil, err
	}
	files := []machine.File{
		{Path: "/var/lib/cloud/scripts/per-boot/bootrace", Mode: 0o700, Data: script},
		{Path: recording.BootFile, Mode: 0o644, Data: fmt.Appendln(nil, number)},
	}
	if changed && p.beforeBoot {
		files = append(files, machine.File{Path: roleEnvDir + "/worker.env", Mode: 0o600, Data: w.roleEnv(true)})
	}
	return files, nil
}

func (w world) script(p provisioning) ([]byte, error) {
	encode := base64.StdEncoding.EncodeToString
	values := map[string]any{
		"Dir": roleEnvDir, "Write": p.write, "StartWorker": p.write || p.beforeBoot,
		"DelayMS": p.delay.Milliseconds(), "WorkerID": w.workerID, "Vault": w.vault,
		"Template": encode(w.roleEnv(false)), "Whole": encode(w.roleEnv(true)), "During": steps(p.during),
		"NoUnit": boot.NoUnit, "HitNothing": boot.HitNothing,
	}
	var way, userData bytes.Buffer
	t, err := template.New("way").Parse(ways[cmp.Or(p.way, scenarios.Edited)])
	if err == nil {
		err = t.Execute(&way, values)
	}
	values["Way"] = way.String()
	if err == nil {
		err = script.Execute(&userData, values)
	}
	if err != nil {
		return nil, fmt.Errorf("write the provisioning script: %w", err)
	}
	return userData.Bytes(), nil
}

// steps are the actions in the order of their times.
func steps(actions []scenarios.Action) []step {
	var out []step
	for _, a := range actions {
		out = append(out, step{a.At.Milliseconds(), a.Do, a.Unit, deeds[a.Do], cmp.Or(hits[a.Do], "true")})
	}
	slices.SortStableFunc(out, func(a, b step) int { return cmp.Compare(a.AtMS, b.AtMS) })
	return out
}
