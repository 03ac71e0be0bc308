package e2e

import (
	"maps"
	"strings"
)

const (
	execStart = "ExecStart=/usr/local/bin/populate-vector-env\n"
	onFailure = "Restart=on-failure\nRestartSec=2\n"
	install   = "[Install]\nWantedBy=multi-user.target\n"
	noPulling = "[Unit]\nAfter=populate-vector-env.service\n[Service]\nEnvironmentFile=-/etc/opensandbox/worker.env\nEnvironmentFile=-/etc/opensandbox/vector.env\n"
	packaged  = "10-opensandbox.conf"
)

// besides is a unit beside the populator's.
func besides(name, text string) map[string]string {
	return map[string]string{"rootfs/etc/systemd/system/" + name: text + "\n" + install}
}

var mutations = []mutation{
	{name: "not-enabled", unit: []string{install, ""}, files: map[string]string{vectorDropIn + packaged: noPulling}, check: "vector-active"},
	{name: "masked", files: map[string]string{populatorUnit: "-> /dev/null"}, check: "vector-active"},
	{name: "before-removed", unit: []string{"Before=vector.service\n", "", execStart, "ExecStartPre=/bin/sleep 2\n" + execStart},
		files: map[string]string{vectorDropIn + packaged: strings.Replace(noPulling, "After", "Wants", 1)}, check: "no-unit-failed"},
	{name: "after-multi-user", unit: []string{"After=systemd", "After=multi-user.target systemd"}, check: "no-ordering-cycle"},
	{name: "after-cloud-final", unit: []string{"After=systemd", "After=cloud-final.service systemd"}, check: "no-ordering-cycle"},
	{name: "oneshot-for-notify", unit: []string{"Type=notify", "Type=oneshot", "TimeoutStartSec=30", "TimeoutStartSec=infinity"}, scenario: "delay-45s", check: "boot-unblocked"},
	{name: "ready-not-heard", unit: []string{execStart, "ExecStart=/bin/sh -c '/usr/local/bin/populate-vector-env; exit 0'\n"}, check: "boot-unblocked"},
	{name: "timeout-too-short", unit: []string{"TimeoutStartSec=30", "TimeoutStartSec=1\nExecStartPre=/bin/sleep 3"}, check: "no-unit-failed"},
	{name: "pre-waits", unit: []string{execStart, "ExecStartPre=/bin/sleep 20\n" + execStart}, check: "boot-unblocked"},
	{name: "post-restarts-vector", unit: []string{execStart, execStart + "ExecStartPost=+systemctl restart vector.service\n", "TimeoutStartSec=30", "TimeoutStartSec=infinity"}, check: "boot-unblocked"},
	{name: "program-misspelt", unit: []string{execStart, "ExecStart=/usr/local/bin/populate-vectorenv\n"}, check: "no-unit-failed"},
	{name: "program-not-executable", files: map[string]string{populatorBin: "mode 0644"}, check: "no-unit-failed"},
	{name: "directive-misspelt", unit: []string{"ExecStart=", "ExecStrat="}, check: "vector-active"},
	{name: "type-misspelt", unit: []string{"Type=notify", "Type=notfy", execStart, "ExecStartPre=/bin/sleep 8\n" + execStart}, check: "boot-unblocked"},
	{name: "user-for-root", unit: []string{"CapabilityBoundingSet=CAP_DAC_OVERRIDE", "User=vector"}, check: "no-unit-failed"},
	{name: "directory-read-only", unit: []string{"ConfigurationDirectory=opensandbox\n", "ReadOnlyPaths=/etc/opensandbox\n"}, check: "no-unit-failed"},
	{name: "no-inet", unit: []string{"AF_UNIX AF_INET AF_INET6 AF_NETLINK", "AF_UNIX"}, check: "vector-credentialed"},
	{name: "no-bus", unit: []string{"PrivateDevices=yes", "InaccessiblePaths=/run/systemd/private /run/dbus"}, check: "no-unit-failed"},
	{name: "no-certificates", unit: []string{"PrivateDevices=yes", "TemporaryFileSystem=/etc/ssl"}, check: "vector-credentialed"},
	{name: "condition-on-the-file", scenario: "delay-45s", unit: []string{"[Unit]\n", "[Unit]\nConditionPathExists=/etc/opensandbox/worker.env\n"}, check: "vector-active"},
	{name: "runtime-limited", unit: []string{onFailure, "RuntimeMaxSec=5\n"}, scenario: "delay-45s", check: "no-unit-failed"},
	{name: "watchdog-unfed", unit: []string{onFailure, onFailure + "WatchdogSec=2\n"}, scenario: "delay-45s", check: "no-unit-failed"},
	{name: "restart-removed", unit: []string{onFailure, ""}, scenario: "populator-killed", check: "vector-credentialed"},
	{name: "binds-to", scenario: "populator-killed", files: map[string]string{vectorDropIn + "20-binds.conf": "[Unit]\nBindsTo=populate-vector-env.service\n"}, check: "vector-active"},
	{name: "start-limit-removed", files: besides("helper.service", "[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart=/bin/false\nRestart=always\n"), check: "start-rate"},
	{name: "start-limit-met", files: besides("helper.service", "[Service]\nExecStart=/bin/false\nRestart=on-failure\n"), check: "no-start-limit"},
	{name: "file-mode", unit: []string{execStart, execStart + "ExecStartPost=/bin/sh -c '(while sleep 0.2; do chmod 0644 /etc/opensandbox/vector.env; done) &'\n"}, check: "secrets-contained"},
	{name: "token-echoed", files: besides("helper.service", "[Service]\nExecStart=/bin/sh -c 'while ! grep -q xaat /etc/opensandbox/vector.env; do sleep 0.2; done; cat /etc/opensandbox/vector.env'\n"), check: "secrets-contained"},
	{name: "token-copied", files: besides("helper.service", "[Service]\nExecStart=/bin/sh -c 'while ! grep -q xaat /etc/opensandbox/vector.env; do sleep 0.2; done; cp /etc/opensandbox/vector.env /etc/opensandbox/vector.env.bak'\n"), check: "secrets-contained"},
	{name: "stub-put-back", scenario: "secret-rotated", unit: []string{execStart, "ExecStartPre=/bin/sh -c 'echo AXIOM_PLATFORM_TOKEN=pending > /etc/opensandbox/vector.env'\n" + execStart}, check: "env-file-whole"},
	{name: "drop-in-shadowed", files: map[string]string{vectorDropIn + packaged: "[Unit]\nWants=populate-vector-env.service\nAfter=populate-vector-env.service\n"}, check: "vector-active"},
	{name: "drop-in-resets", files: map[string]string{vectorDropIn + "20-mine.conf": "[Service]\nEnvironmentFile=\nEnvironmentFile=-/etc/opensandbox/mine.env\n"}, check: "vector-active"},
	{name: "buffer-wiped", scenario: "vector-restarted-on-stub", files: map[string]string{vectorDropIn + "20-clean.conf": "[Service]\nExecStartPre=/bin/sh -c 'rm -rf /var/lib/vector/buffer'\n"}, check: "logs-delivered"},
	{name: "journal-rate-limited", files: map[string]string{"rootfs/etc/systemd/system/boot-logger.service.d/quiet.conf": "[Service]\nLogRateLimitIntervalSec=8s\nLogRateLimitBurst=2\n"}, check: "logs-delivered"},
	{name: "worker-held-back", files: map[string]string{workerDropIn + "wait.conf": "[Service]\nExecStartPre=/bin/false\n"}, check: "registered"},
	{name: "asks-without-pause", files: besides("helper.service", "[Service]\nExecStart=/bin/sh -c 'for i in $(seq 200); do curl -s -H Metadata:true \"http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%%3A%%2F%%2Fvault.azure.net\" >/dev/null; done'\n"), check: "cloud-politeness"},
	{name: "a-job-that-never-ends", files: besides("helper.service", "[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nExecStart=/bin/sleep infinity\n"), check: "quiescent"},

	// What holds a secret, in whatever form and for however long.
	{name: "token-in-base64", files: once("base64 -w0 " + vectorEnvFile), check: "secrets-contained"},
	{name: "token-in-hex", files: once(`od -An -v -tx1 ` + vectorEnvFile + ` | tr -d " \\n"`), check: "secrets-contained"},
	{name: "token-in-gzip", files: once("gzip -c " + vectorEnvFile + " > /var/tmp/env.gz"), check: "secrets-contained"},
	{name: "token-in-tmp", files: once("grep TOKEN " + vectorEnvFile + " > /tmp/token"), check: "secrets-contained"},
	{name: "token-for-the-manager", files: once("systemctl set-environment $(grep ^AXIOM_PLATFORM_TOKEN= " + vectorEnvFile + ")"), check: "secrets-contained"},
	{name: "token-in-arguments", files: once("exec -a $(grep ^AXIOM_PLATFORM_TOKEN= " + vectorEnvFile + ") sleep 60"), check: "secrets-contained"},
	{name: "token-in-a-description", files: once("systemd-run --description=$(grep ^AXIOM_PLATFORM_TOKEN= " + vectorEnvFile + ") sleep 60"), check: "secrets-contained"},
	{name: "token-for-a-moment", files: once("cp " + vectorEnvFile + " /etc/opensandbox/old; chmod 0644 /etc/opensandbox/old; sleep 0.5; rm /etc/opensandbox/old"), check: "secrets-contained"},
	{name: "file-of-another", files: once("chown 1000 " + vectorEnvFile), check: "secrets-contained"},

	// What ends the boot, or a part of it.
	{name: "reboots", files: besides("helper.service", "[Service]\nType=oneshot\nExecStart=/bin/systemctl --no-block reboot\n"), check: "no-unit-failed"},
	{name: "fails-into-a-reboot", files: besides("helper.service", "[Unit]\nFailureAction=reboot\n[Service]\nType=oneshot\nExecStart=/bin/test -s /etc/opensandbox/worker.env\n"), check: "no-unit-failed"},
	{name: "succeeds-into-a-halt", files: besides("helper.service", "[Unit]\nSuccessAction=poweroff\n[Service]\nType=oneshot\nExecStart=/bin/true\n"), check: "no-unit-failed"},
	{name: "isolates", files: merged(once("systemctl --no-block isolate calm.target"),
		map[string]string{"rootfs/etc/systemd/system/calm.target": "[Unit]\nRequires=basic.target\nAllowIsolate=yes\n"}), check: "base-intact"},
	{name: "stops-the-login", files: once("systemctl stop console-getty.service"), check: "base-intact"},
	{name: "conflicts", files: besides("helper.service", "[Unit]\nConflicts=console-getty.service\n[Service]\nExecStart=/bin/sleep infinity\n"), check: "base-intact"},

	// What PID 1 does not say.
	{name: "asserts", files: besides("helper.service", "[Unit]\nAssertPathExists=/etc/opensandbox/worker.env\n[Service]\nExecStart=/bin/sleep infinity\n"), check: "no-unit-failed"},
	{name: "fails-unheard", files: besides("helper.service", "[Unit]\nStartLimitIntervalSec=0\n[Service]\nLogLevelMax=emerg\nExecStart=/bin/false\nRestart=always\nRestartSec=3\n"), check: "no-unit-failed"},
	{name: "user-unknown", files: besides("helper.service", "[Service]\nUser=shipper\nExecStart=/bin/sleep infinity\n"), check: "no-unit-failed"},
	{name: "skipped-for-good", files: besides("helper.service", "[Unit]\nConditionPathExists=/etc/opensandbox/worker.env\n[Service]\nExecStart=/bin/sleep infinity\n"), check: "no-ordering-cycle"},
	{name: "upheld-too-early", files: map[string]string{"rootfs/etc/systemd/system/multi-user.target.d/10-helper.conf": "[Unit]\nUpholds=helper.service\n",
		"rootfs/etc/systemd/system/helper.service": "[Service]\nEnvironmentFile=/etc/opensandbox/worker.env\nExecStart=/bin/sleep infinity\nRestart=always\nRestartSec=1\n"}, check: "no-unit-failed"},
	{name: "before-network-pre", files: besides("helper.service", "[Unit]\nWants=network-pre.target\nBefore=network-pre.target\n[Service]\nType=oneshot\nExecStart=/bin/true\n"), check: "no-ordering-cycle"},

	// What comes late, or is too early there.
	{name: "logind-held", files: map[string]string{"rootfs/etc/systemd/system/systemd-logind.service.d/wait.conf": "[Service]\nExecStartPre=/bin/sleep 6\n"}, check: "boot-unblocked"},
	{name: "user-data-held", files: map[string]string{"rootfs/etc/systemd/system/cloud-final.service.d/wait.conf": "[Service]\nExecStartPre=/bin/sleep 8\n"}, check: "boot-unblocked"},
	{name: "worker-slow", files: map[string]string{workerDropIn + "wait.conf": "[Service]\nExecStartPre=/bin/sleep 20\n"}, check: "registered"},
	{name: "role-in-the-image", files: map[string]string{"rootfs/etc/opensandbox/worker.env": "OPENSANDBOX_REGION=elsewhere\n"}, check: "role-env-fresh"},

	// What loses lines, or the credentials again.
	{name: "journal-off", files: map[string]string{"rootfs/etc/systemd/journald.conf.d/off.conf": "[Journal]\nStorage=none\n"}, check: "logs-delivered"},
	{name: "journal-vacuumed", files: map[string]string{vectorDropIn + "20-trim.conf": "[Service]\nExecStartPre=+/bin/sh -c 'journalctl --rotate; journalctl --vacuum-time=1us'\n"}, check: "logs-delivered"},
	{name: "never-again", files: map[string]string{vectorDropIn + "20-once.conf": "[Service]\nRestart=no\n"}, check: "vector-active"},
	{name: "refresh-brings-the-stub", files: once("sleep 15; sed -i s/^AXIOM_PLATFORM_TOKEN=.*/AXIOM_PLATFORM_TOKEN=none/ " + vectorEnvFile + "; systemctl --no-block restart vector.service"), check: "vector-credentialed"},
}

const vectorEnvFile = "/etc/opensandbox/vector.env"

// once is a unit that does something when vector.env has the vault's values.
func once(do string) map[string]string {
	return besides("helper.service", "[Service]\nUMask=0022\nExecStart=/bin/bash -c 'while ! grep -q xaat "+vectorEnvFile+"; do sleep 0.2; done; "+do+"'\n")
}

func merged(a, b map[string]string) map[string]string {
	out := maps.Clone(a)
	maps.Copy(out, b)
	return out
}
