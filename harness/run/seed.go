package run

import (
	"encoding/base64"
	"fmt"
	"time"

	"bootrace/harness/machine"
	"bootrace/harness/provision"
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

// provisioning is when and how worker.env comes, what is done meanwhile, and when the
// network comes.
type provisioning struct {
	beforeBoot, write bool
	delay             time.Duration
	way               scenarios.Way
	during            []scenarios.Action
	network           time.Duration // since the machine's start; 0: it is there before
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
	if p.network > 0 {
		files = append(files, waitOnline()...)
	}
	return files, nil
}

// waitOnline is what network-online.target waits for where the network is late. networkd
// does not run in a container, and its systemd-networkd-wait-online.service would hold
// sysinit.target too, for cloud-init's network stage is after the one and before the other:
// nothing but units without default dependencies would then boot before the network. This
// one is as ifupdown-wait-online.service, which holds this target alone.
func waitOnline() []machine.File {
	const dir, unit = "/etc/systemd/system/", "bootrace-wait-online.service"
	return []machine.File{
		{Path: dir + "network-online.target.d/bootrace.conf", Mode: 0o644, Data: []byte("[Unit]\nWants=" + unit + "\nAfter=" + unit + "\n")},
		{Path: dir + unit, Mode: 0o644, Data: []byte(`[Unit]
Description=Wait for the network, which the scenario has come late (bootrace)
DefaultDependencies=no
After=network.target
Before=network-online.target shutdown.target
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'until ip -4 route show default | grep -q .; do sleep 0.1; done'
`)},
	}
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
	script := provision.Script{
		Unit: "cloud-final.service", Dir: roleEnvDir, RoleEnv: w.functions(),
		Write: p.write, Delay: p.delay, Way: p.way, During: p.during,
	}
	if p.write || p.beforeBoot {
		script.Then = "systemctl start opensandbox-worker.service\nmark worker-started"
	}
	text, err := script.Text()
	if err != nil {
		return nil, fmt.Errorf("write the provisioning script: %w", err)
	}
	return text, nil
}

// functions are the role env in sh, as [provision.Script] wants it: production has
// it in base64, and edits it in place.
func (w world) functions() string {
	encode := base64.StdEncoding.EncodeToString
	return fmt.Sprintf(`template() { printf %%s '%s' | base64 -d; }
whole() { printf %%s '%s' | base64 -d; }
edit() {
  sed -i 's/__WORKER_ID__/%s/' $file
  sed -i 's/__HOST_IP__/10.4.0.4/' $file
}
unnamed() { whole | sed 's/%[4]s/__VAULT__/'; }
name() { sed -i 's/__VAULT__/%[4]s/' $file; }
elsewhere() { whole | sed 's/%[4]s/kv-nowhere/'; }`, encode(w.roleEnv(false)), encode(w.roleEnv(true)), w.workerID, w.vault)
}
