package run

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"text/template"
	"time"

	"bootrace/harness/machine"
)

const roleEnvPath = "/etc/opensandbox/worker.env"

// roleEnv is worker.env as production writes it first, and as it is after the
// edits in place.
func (w world) roleEnv(edited bool) []byte {
	worker, hostIP := "__WORKER_ID__", "__HOST_IP__"
	if edited {
		worker, hostIP = w.workerID, "127.0.0.1"
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
mark() {
  logger --journald <<EOF
MESSAGE=bootrace-script: $1
SYSLOG_IDENTIFIER=bootrace-script
BOOTRACE_EVENT=script
BOOTRACE_STEP=$1
BOOTRACE_PATH={{.Path}}
EOF
}
mark start
{{- if .Write}}
# The delay counts from cloud-final's start, which was a little before ours.
began=$(systemctl show --value -p InactiveExitTimestampMonotonic cloud-final.service)
up=$(cut -d' ' -f1 /proc/uptime | tr -d .)
left=$(( {{.DelayMS}} - (up * 10 - began / 1000) ))
if [ "$left" -gt 0 ]; then
  sleep "$(( left / 1000 )).$(printf %03d $(( left % 1000 )))"
fi
printf %s '{{.Payload}}' | base64 -d > {{.Path}}
mark role-env-created
sed -i 's/__WORKER_ID__/{{.WorkerID}}/' {{.Path}}
sed -i 's/__HOST_IP__/127.0.0.1/' {{.Path}}
mark role-env-complete
{{- end}}
{{- if .StartWorker}}
systemctl start opensandbox-worker.service
mark worker-started
{{- end}}
mark done
`))

// provisioning is when and how worker.env comes.
type provisioning struct {
	beforeBoot, write bool
	delay             time.Duration
}

// seed returns the files that a machine has before it boots: cloud-init's NoCloud
// seed, and worker.env when it is to be there.
func (w world) seed(p provisioning) ([]machine.File, error) {
	var userData bytes.Buffer
	err := script.Execute(&userData, map[string]any{
		"Path": roleEnvPath, "Write": p.write, "StartWorker": p.write || p.beforeBoot,
		"DelayMS": p.delay.Milliseconds(), "WorkerID": w.workerID,
		"Payload": base64.StdEncoding.EncodeToString(w.roleEnv(false)),
	})
	if err != nil {
		return nil, fmt.Errorf("write the provisioning script: %w", err)
	}
	const dir = "/var/lib/cloud/seed/nocloud/"
	files := []machine.File{
		{Path: dir + "meta-data", Mode: 0o600, Data: []byte("instance-id: " + w.workerID + "\n")},
		{Path: dir + "user-data", Mode: 0o600, Data: userData.Bytes()},
	}
	if p.beforeBoot {
		files = append(files, machine.File{Path: roleEnvPath, Mode: 0o600, Data: w.roleEnv(true)})
	}
	return files, nil
}
