package explain_test

import (
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/boot"
	"bootrace/harness/check"
	"bootrace/harness/explain"
	"bootrace/harness/judge"
	"bootrace/harness/timeline"
	"bootrace/harness/verdict"
)

// told judges the files of one boot.
func told(t *testing.T, paths ...string) (judge.Judgement, explain.Story) {
	t.Helper()
	var files []timeline.LogFile
	for _, p := range paths {
		files = append(files, timeline.LogFile{Name: filepath.Base(p), Open: func() (io.ReadCloser, error) { return os.Open(p) }})
	}
	boots, err := timeline.ReadLogs(t.Context(), files)
	require.NoError(t, err)
	require.Len(t, boots, 1)
	j := judge.Log(boots[0].Timeline(), check.Limits{}, boot.Control{})
	return j, explain.Log(j.Boot, j.Results)
}

// want is what must be said of a log: in the headline the cause, and what must be nowhere.
type want struct {
	verdict  verdict.Verdict
	headline string // a regular expression
	also     string // somewhere under it
	never    string
}

// logs are boots of other people's machines as their logs show them, written for these tests
// with the words that systemd of that time uses.
var logs = map[string]want{
	"job-no-reason.txt":              {verdict.Fail, `^gauge-reader\.service failed`, "", ""},
	"job-no-reason-puppet.txt":       {verdict.Fail, `^gauge\.service failed`, "", ""},
	"job-of-old-ansible.txt":         {verdict.Fail, `^gauge\.service failed`, "", ""},
	"job-of-chef.txt":                {verdict.Fail, `^gauge\.service failed`, "", ""},
	"job-of-what-it-needs.txt":       {verdict.Fail, `^pump\.service was not started, for want of another unit`, "", ""},
	"job-timed-out.txt":              {verdict.Fail, `^gauge\.service failed \(timeout\)`, "", ""},
	"fine-child-of-a-user.txt":       {verdict.NotJudged, `nothing wrong is seen`, "", "gauge-daily.service went"},
	"child-of-the-machine.txt":       {verdict.Fail, `^gauge\.service failed.*226/NAMESPACE|^gauge\.service failed.*NAMESPACE`, "", ""},
	"fine-a-users-quadlet.txt":       {verdict.NotJudged, `^nothing in it is of the machine's own boot`, "", "failed ("},
	"fsck-of-the-root.txt":           {verdict.Fail, `^systemd-fsck-root\.service failed`, "", "systemd-fsck@"},
	"switch-root-failed.txt":         {verdict.Fail, `^initrd-switch-root\.service failed`, "", "initrd-switch-root.target"},
	"gravest-word.txt":               {verdict.Fail, `^gauge\.service failed.*it said: gauge: \[emerg\] unknown directive`, "", "test of"},
	"gravest-word-before.txt":        {verdict.Fail, `^gauge\.service failed.*it said last: gauge: cannot bind`, "", "emerg"},
	"words-go-on.txt":                {verdict.Fail, `^mount-gauge\.service failed.*it said last: mount: wrong fs type`, "", ""},
	"masked-wanted.txt":              {verdict.Fail, `spool\.mount.* is masked`, "", "is not there"},
	"ignition-refuses.txt":           {verdict.Fail, `^Ignition failed`, "", ""},
	"dracut-could-not.txt":           {verdict.Fail, `^the initrd could not boot the system`, "", ""},
	"ostree-no-deployment.txt":       {verdict.Fail, `^the initrd found no deployment to boot: Couldn't find specified OSTree root`, "", ""},
	"panic-named-guest.txt":          {verdict.Fail, `^the kernel gave up|^the kernel cannot mount the root file system`, "", ""},
	"fine-stopped-among-others.txt":  {verdict.NotJudged, `nothing wrong is seen|nothing failed`, "gauge.service failed as it was stopped", ""},
	"restarted-among-others.txt":     {verdict.Fail, `^gauge\.service failed`, "", ""},
	"two-within-seconds.txt":         {verdict.Fail, `^Login Service failed`, "", ""},
	"two-in-a-row.txt":               {verdict.Fail, `^Login Service failed`, "", ""},
	"failed-then-rebooted.txt":       {verdict.Fail, `^gauge\.service failed \(exit-code\).*78`, "", "as it was stopped"},
	"words-of-a-traceback.txt":       {verdict.Fail, `^gauge\.service failed.*it said last: subprocess\.CalledProcessError`, "", "retcode"},
	"grave-word-of-long-ago.txt":     {verdict.Fail, `^gauge\.service failed.*it said last: error: cannot write`, "", "password"},
	"stopped-of-a-like-name.txt":     {verdict.Fail, `^gauge-exporter\.service failed|^Gauge of the tank failed`, "", "as it was stopped"},
	"fine-job-of-a-user-above.txt":   {verdict.NotJudged, `nothing wrong is seen`, "", "pump.service"},
	"fine-job-quoted-bare.txt":       {verdict.NotJudged, `nothing wrong is seen`, "", "gauge.service"},
	"child-before-a-users.txt":       {verdict.Fail, `^gauge\.service failed.*cannot be run`, "", ""},
	"fine-panic-quoted.txt":          {verdict.NotJudged, `nothing wrong is seen`, "", "panic"},
	"fine-quoted-in-json.txt":        {verdict.NotJudged, `nothing wrong is seen`, "", "gauge"},
	"fine-job-of-a-user.txt":         {verdict.NotJudged, `nothing wrong is seen`, "", "gauge"},
	"triggers-nameless.txt":          {verdict.Fail, `^pump\.service failed \(exit-code\); its main process exited with status 3`, "", "gauge.timer"},
	"fine-noon.txt":                  {verdict.NotJudged, `nothing wrong is seen`, "multi-user.target was reached at +5.000s", "12h"},
	"fine-comment-quotes.txt":        {verdict.NotJudged, `nothing wrong is seen`, "", "gauge"},
	"relayed-with-an-address.txt":    {verdict.Fail, `^gauge\.service failed \(exit-code\); its main process exited with status 3`, "", ""},
	"fine-mounted-late.txt":          {verdict.NotJudged, `^nothing failed in it, but backup\.mount took 1m31s`, "", "failed ("},
	"cloud-init-packages.txt":        {verdict.Fail, `^cloud-init failed: Failed to install packages: \['gauge', 'pump'\]`, "", ""},
	"killed-and-stopped.txt":         {verdict.Fail, `^gauge\.service failed \(signal\); its main process was killed by signal KILL`, "", "status 3"},
	"console-unsupported.txt":        {verdict.Fail, `^hcigauge\.service was not started, for want of another unit: Starting of /dev/serial1 not supported`, "", "of whose failure"},
	"requisite.txt":                  {verdict.Fail, `^gauge-wait-online\.service was not started, for want of another unit: Gauge Manager is not active`, "", "of whose failure"},
	"console-no-brackets.txt":        {verdict.Fail, `^gauge@core\.service failed.*not started for want of it: multi-user\.target`, "", "the boot waits"},
	"fine-of-a-user-quadlet.txt":     {verdict.NotJudged, `^nothing in it is of the machine's own boot`, "", "forwarder"},
	"env-missing-by-systemctl.txt":   {verdict.Fail, `^gauge\.service failed.*EnvironmentFile= could not be read \(No such file`, "", ""},
	"fine-restart-while-down.txt":    {verdict.NotJudged, `nothing wrong is seen`, "gauge.service failed as it was stopped", ""},
	"console-v219-small.txt":         {verdict.Fail, `^gauge\.service failed.*its main process exited with status 7`, "", ""},
	"device-glued-to-console.txt":    {verdict.Fail, `^dev-disk-by\\x2duuid-0001\.device did not appear`, "", "of whose failure"},
	"triggered-by.txt":               {verdict.Fail, `^gauged\.service failed \(exit-code\); its main process exited with status 4`, "", "socket"},
	"fine-switch-root-el7.txt":       {verdict.NotJudged, `nothing wrong is seen`, "", "switch-root"},
	"status-cut-above.txt":           {verdict.Fail, `^tunnel\.service failed \(exit-code\); its main process exited with status 1; it said last: failed to reach the other end`, "", "waits for"},
	"job-of-a-script.txt":            {verdict.Fail, `^links-online\.service failed`, "", "links-up"},
	"job-of-ansible.txt":             {verdict.Fail, `^gauge\.service failed`, "", ""},
	"job-of-terraform.txt":           {verdict.Fail, `^gauge\.service failed`, "", ""},
	"exit-cut-short.txt":             {verdict.Fail, `^gauge\.service went wrong.*its main process ended; it said last: Failed to activate`, "", "status"},
	"exit-rewrapped.txt":             {verdict.Fail, `^gauge\.service went wrong.*its main process exited with status 7.*it said last: Event loop failed`, "", ""},
	"fine-routes-not-told.txt":       {verdict.NotJudged, `nothing wrong is seen`, "", "Route info"},
	"fine-core-dumped.txt":           {verdict.NotJudged, `^nothing failed in what is there, but pump-reader crashed`, "", ""},
	"two-statuses.txt":               {verdict.Fail, `^gauge\.service failed \(exit-code\); its main process exited with status 2`, "pump.service failed", "clock steps"},
	"device-within-another.txt":      {verdict.Fail, `^dev-disk-by\\x2duuid-7130c94a\.device did not appear.*sysroot-usr\.mount`, "", "of whose failure"},
	"container-console.txt":          {verdict.Fail, `^gauge\.service failed \(exit-code\); its main process exited with status 6`, "", "said last"},
	"described-by-its-name.txt":      {verdict.Fail, `^GaugeScreen\.service failed \(start failed\); its user does not exist`, "", "GaugeScreen failed"},
	"control-timeout-v219.txt":       {verdict.Fail, `^gauge\.service failed \(timeout\); its start took longer than it may`, "", "status 0"},
	"line-end-lost.txt":              {verdict.Fail, `^gauge\.service failed.*its main process exited with status 255; it said last: failed to load /etc/gauge\.yaml, er$`, "", "systemd["},
	"killed-before.txt":              {verdict.Fail, `^the kernel killed pump for want of memory.*before it gauge\.service failed`, "", "then gauge"},
	"words-announced.txt":            {verdict.Fail, `^gauge\.service failed.*it said last: An unexpected error occurred: VersionConflict`, "", ""},
	"words-above-advice.txt":         {verdict.Fail, `^import-cache\.service failed.*it said last: \(grain, right before\) cannot import .silo1.`, "", "backup"},
	"html.txt":                       {verdict.Fail, `^gauge\.service failed \(exit-code\)`, "", ""},
	"code-by-line.txt":               {verdict.Fail, `^gauge\.service failed \(exit-code\).*local-fs\.target`, "", "`"},
	"half-days.txt":                  {verdict.Fail, `^gauge\.service failed \(exit-code\).*it said last: cannot read`, "", ""},
	"coreos-login.txt":               {verdict.Fail, `^gauge-reader\.service is failed`, "gauge.socket is failed", ""},
	"nixos-snippet-stage2.txt":       {verdict.Fail, `^NixOS's activation script mountall failed`, "", ""},
	"see-in-backticks.txt":           {verdict.Fail, `^systemd-cryptsetup@vault\.service failed`, "", "Cryptography setup"},
	"refused-then-started.txt":       {verdict.Fail, `^beats\.service failed \(exit-code\);.*a further start was refused \(start limit\); it was started again once`, "beats.service was started at +300.000s after that", "1 times"},
	"pasted-twice.txt":               {verdict.Fail, `^gauge\.service failed \(exit-code\); its main process exited with status 3; it said last: no calibration`, "", "times"},
	"status-and-journal.txt":         {verdict.Fail, `^gauge\.service failed \(exit-code\); its main process exited with status 3; it said last: no calibration`, "", "times"},
	"newest-first-clock-set.txt":     {verdict.Fail, `^gauge\.service failed \(exit-code\); its main process exited with status 4`, "", "clock steps"},
	"console-question-marks.txt":     {verdict.Fail, `^cloud-init\.service failed`, "", ""},
	"limit-cut.txt":                  {verdict.Fail, `^gauge\.service failed \(exit-code\); its starts were used up`, "", ""},
	"no-mount.txt":                   {verdict.Fail, `^home-nfs\.mount .*mount\(8\) ended well, and nothing is mounted there`, "", ""},
	"fine-metadata-asked.txt":        {verdict.NotJudged, `nothing failed.*cloud-init asked /hetzner/v1/metadata/instance-id in vain \(Network is unreachable\)`, "", ""},
	"fine-no-space-said.txt":         {verdict.NotJudged, `nothing failed.*no space is left on a device`, "", ""},
	"grep-of-cloud-init-log.txt":     {verdict.Fail, `^cloud-init failed: Running module scripts-user`, "", ""},
	"exit-cut-off.txt":               {verdict.Fail, `^gauge\.service went wrong.*status 1`, "", "the boot waits"},
	"serial-port-first.txt":          {verdict.Fail, `^dev-vdb1\.device did not appear.*for want of it: local-fs\.target, srv\.mount|^dev-vdb1\.device did not appear.*for want of it: srv\.mount, local-fs\.target`, "dev-ttyS0.device did not appear", ""},
	"powers-off.txt":                 {verdict.Fail, `^PID 1 ended the machine.*unit emergency-exit\.service failed`, "", ""},
	"serial-port.txt":                {verdict.Fail, `^dev-ttyS0\.device did not appear`, "", "fstab"},
	"mended-before.txt":              {verdict.Fail, `^gauge\.service failed \(exit-code\) 2 times; its command could not be run \(Permission denied\)`, "", "user does not exist"},
	"cloud-init-command.txt":         {verdict.Fail, `^cloud-init failed: .*Command: \['/var/lib/cloud/instance/scripts/runcmd'\] Exit code: 127`, "scripts-user", ""},
	"console-depend-emergency.txt":   {verdict.Fail, `^datadisk1\.mount .*was not started.*the machine waits for somebody`, "local-fs.target was not started", ""},
	"device-no-stop.txt":             {verdict.Fail, `^dev-disk-by\\x2dlabel-vault\.device did not appear.*for want of it: a\.mount$`, `dev-disk-by\x2dlabel-spool.device did not appear`, ""},
	"ignition-alone.txt":             {verdict.Fail, `^Ignition failed: failed to create files: gzip: invalid header; the machine waits`, "", ""},
	"exec-stop-speaks-last.txt":      {verdict.Fail, `^gauge\.service failed.*it said last: gauge: cannot open /etc/gauge\.conf`, "", "right before"},
	"status-of-a-user.txt":           {verdict.NotJudged, `nothing in it is of the machine's own boot`, "", `failed (`},
	"status-without-sign.txt":        {verdict.Fail, `^gauge\.service failed \(start-limit\); its main process exited with status 1`, "", ""},
	"naked-v219.txt":                 {verdict.Fail, `^gauge\.service failed \(start failed\); its starts were used up`, "", "2 times"},
	"wrapped-short.txt":              {verdict.Fail, `^gauge\.service failed \(exit-code\); its starts were used up`, "", ""},
	"socket-listen-v230.txt":         {verdict.Fail, `^gauge\.socket failed.*it cannot listen on its sockets \(Address already in use\)`, "", ""},
	"no-bus-v227.txt":                {verdict.Fail, `^PID 1 has no D-Bus \(Connection timed out`, "", ""},
	"journal-of-a-file-system.txt":   {verdict.Fail, `broken disk or file system: JBD2: recovery failed`, "", ""},
	"status-padded.txt":              {verdict.Fail, `^Generate gauge messages issue snippet failed \(start failed\)$|^gauge-mes…ages-issuegen\.service failed`, "", "See"},
	"signal-cut.txt":                 {verdict.Fail, `^systemd-cryptsetup@foo\.service went wrong.*signal TERM.*Failed to activate`, "", ""},
	"env-file-export.txt":            {verdict.Fail, `^gauge\.service failed \(exit-code\); systemd ignores the lines of its environment file that begin with export`, "", ""},
	"refused-once-v238.txt":          {verdict.Fail, `^gauge\.service failed \(exit-code\); its main process exited with status 1; its starts were used up`, "", "2 times"},
	"cut-sentence.txt":               {verdict.Fail, `^dev-disk-by\\x2dlabel-spool\.device did not appear.*for want of it: srv-spool\.mount$`, "", "Local Fi"},
	"cut-console.txt":                {verdict.Fail, `^dev-disk-by\\x2dlabel-spool\.device did not appear`, "", "Depend"},
	"wrapped-mail.txt":               {verdict.Fail, `^gauge-reader\.service went wrong.*working directory could not be changed to \(No such file or directory`, "", ""},
	"catalogue-cut.txt":              {verdict.Fail, `^gauge\.socket failed \(resources\)`, "", "--"},
	"bbcode.txt":                     {verdict.Fail, `^gauge\.service failed \(exit-code\); its main process exited with status 3`, "", "COLOR"},
	"fine-clock-restored.txt":        {verdict.NotJudged, `nothing wrong is seen`, "", "took"},
	"fine-stop-timeout-v215.txt":     {verdict.NotJudged, `nothing wrong is seen`, "gauge.service failed as it was stopped", "clock steps"},
	"fine-newest-first.txt":          {verdict.NotJudged, `nothing wrong is seen.*all of one moment.*the newest line is first`, "session-9.scope failed as it was stopped", "clock steps"},
	"fine-umount.txt":                {verdict.NotJudged, `nothing wrong is seen`, "the machine goes down in it", "went wrong"},
	"slice-refused.txt":              {verdict.Fail, `^system-getty\.slice failed.*for want of it: Getty on tty9`, "", "another unit"},
	"credentials.txt":                {verdict.Fail, `^gauge\.service failed.*243, CREDENTIALS: its credentials could not be set up`, "", "not there$"},
	"executor.txt":                   {verdict.Fail, `^PID 1 cannot open its executor /usr/lib/systemd/systemd-executor`, "PID 1 gave up", ""},
	"cloud-init-waits-for-net.txt":   {verdict.Fail, `^cloud-init failed: systemd-networkd-wait-online\.service, which it had systemctl start, failed`, "", "Type=notify"},
	"fine-cloud-init-reboots.txt":    {verdict.NotJudged, `nothing failed.*cloud-init rebooted the machine itself`, "", "cloud-init failed"},
	"pid-file-v232.txt":              {verdict.Fail, `^gauged\.service went wrong.*its PID file /run/gauged/gauged\.pid has no PID in it`, "", ""},
	"oom-slice.txt":                  {verdict.Fail, `^system-ledger\.slice went wrong.*OOM`, "", "user.slice"},
	"cloud-init-at-login.txt":        {verdict.Fail, `^cloud-init failed: Can not apply stage config, no datasource found`, "", ""},
	"fine-vector-reads-nothing.txt":  {verdict.NotJudged, `nothing failed.*may open no journal`, "", ""},
	"fine-journald-again.txt":        {verdict.NotJudged, `nothing failed.*systemd-journald\.service was started again 3 times`, "", ""},
	"device-mangled.txt":             {verdict.Fail, `^dev-disk-by\\x2dlabel-spool\.device did not appear.*emergency\.target was reached`, "", "Type=notify"},
	"dependents-described-apart.txt": {verdict.Fail, `^proc-fs-nfsd\.mount .*for want of it: nfs-idmapd\.service, nfs-mountd\.service, nfs-server\.service$`, "", "Daemon"},
	"cloud-init-output.txt":          {verdict.Fail, `^cloud-init failed: /var/lib/cloud/instance/scripts/runcmd: 4: azcopy: not found`, "", ""},
	"failed-cut.txt":                 {verdict.Fail, `^meter\.service failed`, "", ""},
	"fine-repeated.txt":              {verdict.NotJudged, `nothing wrong is seen`, "", "meter"},
	"ignition-console.txt":           {verdict.Fail, `^ignition-files\.service failed.*lookup assets\.internal: no such host.*ignition-complete\.target`, "", ""},
	"oom-v254.txt":                   {verdict.Fail, `^indexer\.service went wrong.*for want of memory`, "", ""},
	"quotes-typographic.txt":         {verdict.Fail, `^meter\.service failed \(exit-code\)`, "", ""},
	"repeated-rsyslog.txt":           {verdict.Fail, `^meter\.service failed \(exit-code\)`, "", ""},
	"cloud-init-result.json":         {verdict.Fail, `^cloud-init failed: .*Runparts: 1 failures \(runcmd\)`, "", "its status is"},
	"cloud-init-result-fine.json":    {verdict.NotJudged, `nothing wrong is seen`, "", "failed"},
	"status-active.txt":              {verdict.NotJudged, `nothing wrong is seen`, "", "failed"},
	"status-degraded.txt":            {verdict.Fail, `^systemctl status counts 2 units that failed`, "", ""},
	"status-running.txt":             {verdict.NotJudged, `nothing wrong is seen`, "", "failed"},
	"status-restarts.txt":            {verdict.Fail, `^relayd\.service failed \(exit-code\); its main process exited with status 1`, "", ""},
	"inotify-watches.txt":            {verdict.Fail, `^the inotify watches are used up`, "", "no space"},
	"inotify-logind.txt":             {verdict.Fail, `^the inotify instances are used up`, "", ""},
	"socket-in-use.txt":              {verdict.Fail, `^relayd\.socket failed \(resources\); it cannot listen on \[::\]:8080 \(Address already in use`, "", ""},
	"fine-loop-device.txt":           {verdict.NotJudged, `nothing wrong is seen`, "", "broken"},
	"console-cat-v.txt":              {verdict.Fail, `^systemd-modules-load\.service failed`, "", ""},
	"status-start-pre.txt":           {verdict.Fail, `^vector\.service failed.*a control process .*status 78`, "", "main process"},
	"systemctl-not-found.txt":        {verdict.Fail, `^app\.service failed.*is not there`, "", ""},
	"systemctl-start.txt":            {verdict.Fail, `^app\.service failed`, "", ""},
	"swap-by-uuid.txt":               {verdict.Fail, `^dev-disk-by\\x2duuid-7e0c\.device did not appear.*: dev-disk-by\\x2duuid-7e0c\.swap$`, "", "7e0c.mount"},
	"cycle-printk-caller.txt":        {verdict.Fail, `dropped the start of early\.service`, "", ""},
	"cloud-init-dnf.txt":             {verdict.Fail, `^cloud-init failed: Error: Unable to find a match: amazon-efs-util`, "", ""},
	"rdsosreport.txt":                {verdict.Fail, `^the initrd waited in vain .*: /dev/disk/by-uuid/6ffe1a5b did not appear`, "", ""},
	"failed-state-alone.txt":         {verdict.Fail, `^relayd\.service failed`, "", "2 times"},
	"default-freezing.txt":           {verdict.Fail, `^PID 1 has no target to boot to: freezing`, "", ""},
	"failure-action.txt":             {verdict.Fail, `^PID 1 ended the machine.*: unit a\.service failed`, "", ""},
	"fine-success-action.txt":        {verdict.NotJudged, `nothing wrong is seen`, "", "PID 1 ended"},
	"cloud-init-module.txt":          {verdict.Fail, `^cloud-init failed: Failed to resize /dev/sdb1: Unexpected error`, "", ""},
	"disk-silent.txt":                {verdict.Fail, `broken disk or file system: I/O error, dev nvme2n1.*dev-nvme2n1p1\.device did not appear`, "", ""},
	"audit-only.txt":                 {verdict.NotJudged, `nothing failed.*the audit has that a start of kdump failed`, "", ""},
	"generator-failed.txt":           {verdict.NotJudged, `nothing failed.*generator netplan.*failed with exit status 1`, "multi-user.target was reached", ""},
	"failed-twice-v230.txt":          {verdict.Fail, `^meter\.service failed \(exit-code\); its main process exited with status 210`, "", "2 times"},
	"fine-kernel-warns.txt":          {verdict.NotJudged, `nothing wrong is seen`, "", "WARNING"},
	"kernel-oops.txt":                {verdict.Fail, `^the kernel went wrong: BUG: kernel NULL pointer`, "", ""},
	"fine-container.txt":             {verdict.NotJudged, `nothing wrong is seen`, "Starting of Formats of other machines Automount Point not supported", "failed"},
	"kdump.txt":                      {verdict.Fail, `^the machine had crashed before: kdump`, "", ""},
	"lsb-network.txt":                {verdict.Fail, `^network\.service failed.*Device ens9 does not seem to be present`, "", ""},
	"xfs-sysroot.txt":                {verdict.Fail, `broken disk or file system: XFS \(sdb2\): Metadata CRC error.*then sysroot\.mount`, "", ""},
	"cloud-init-0.7-fine.txt":        {verdict.NotJudged, `nothing wrong is seen`, "", "failed"},
	"cloud-init-0.7-syslog.txt":      {verdict.Fail, `^cloud-init failed: No instance datasource found`, "", ""},
	"cloud-init-no-source.txt":       {verdict.Fail, `Can not apply stage config, no datasource found`, "", ""},
	"cloud-init-status.txt":          {verdict.Fail, `^cloud-init failed: runcmd: Failed to shellify`, "", "its status is"},
	"cycle-of-two.txt":               {verdict.Fail, `dropped the start of bus\.socket.*bus\.socket after guard\.service`, "", ""},
	"host-keys.txt":                  {verdict.Fail, `^ssh\.service failed.*no hostkeys available`, "", ""},
	"imds-in-vain.txt":               {verdict.NotJudged, `nothing failed.*cloud-init asked http://169\.254\.169\.254/latest/api/token in vain, for 51s`, "", ""},
	"pid1-cgroup.txt":                {verdict.Fail, `^PID 1 could not make its control group /init\.scope \(Read-only file system\)`, "PID 1 gave up", ""},
	"pid1-crash.txt":                 {verdict.Fail, `^PID 1 crashed \(signal SEGV\)`, "PID 1 gave up", ""},
	"processor-stuck.txt":            {verdict.Fail, `^the kernel says that a processor is stuck`, "", ""},
	"selinux-dracut.txt":             {verdict.Fail, `^the initrd could not load the SELinux policy`, "", ""},
	"selinux-loaded.txt":             {verdict.NotJudged, `nothing wrong is seen in 3 lines`, "", "SELinux"},
	"selinux-pid1.txt":               {verdict.Fail, `^PID 1 could not load the SELinux policy`, "", ""},
	"socket-v230.txt":                {verdict.Fail, `^relay\.socket failed.*relay-early\.target, which it wants, is not there`, "", ""},
	"start-goes-on.txt":              {verdict.NotJudged, `it ends as the start of Wait for all of the devices goes on, for 41s so far`, "", ""},
	"tasks-stuck.txt":                {verdict.Fail, `^the kernel says that a task is stuck: mount\.nfs4:402`, "", ""},
	"chain-gap.txt":                  {verdict.NotJudged, `^nothing failed in it, but sysinit\.target came 1m8\.58s after systemd-resolved\.service`, "", ""},
	"cloud-init-status-fine.json":    {verdict.NotJudged, `nothing wrong is seen`, "", "failed"},
	"cloud-init-status-unnamed.json": {verdict.Fail, `^cloud-init failed: its status is error, and it names none`, "", ""},
	"cloud-init-words.txt":           {verdict.Fail, `^cloud-init\.service failed.*DataSourceAzure'> failed`, "", "ci-info"},
	"cloud-target-inactive.txt":      {verdict.NotJudged, `cloud-init\.target as inactive`, "", ""},
	"console-depend.txt":             {verdict.Fail, `^Gauge Reader failed.*: basic\.target$`, "", ""},
	"console-esc-lost.txt":           {verdict.Fail, `^systemd-networkd-wait-online\.service failed.*took 2m0s`, "", "the boot waits"},
	"console-torn.txt":               {verdict.Fail, `^Gauges failed.*initrd-fs\.target$`, "", "Stopping"},
	"copied-off-screen.txt":          {verdict.Fail, `^gauge\.service failed`, "", ""},
	"fine-prose.txt":                 {verdict.NotJudged, `nothing wrong is seen`, "", "meeting"},
	"fine-vector-reload.txt":         {verdict.NotJudged, `^nothing failed in what is there, but Vector says: Configuration error`, "", "went wrong"},
	"imds-given-up.txt":              {verdict.Fail, `^cloud-init failed: Giving up on md .*\(No route to host\)`, "", ""},
	"imds-refuses.txt":               {verdict.NotJudged, `in vain, for 4s so far \(bad status code \[400\]\)`, "", ""},
	"list-escaped.txt":               {verdict.Fail, `^gauge\.service is failed`, "", ""},
	"lvm-device.txt":                 {verdict.Fail, `^dev-mapper-vg0_data\.device did not appear.*: data\.mount, gauge-mark\.service; before it lvm2-pvscan@8:17\.service failed`, "", "Mark what"},
	"namespace-226.txt":              {verdict.Fail, `^gauge\.service failed.*mount namespacing \(/srv/gauge: No such file`, "", ""},
	"status-count-named.txt":         {verdict.Fail, `^gauge\.service is failed`, "", "counts"},
	"vector-alone.txt":               {verdict.Fail, `^vector\.service went wrong.*Missing environment variable.*SHIP_DATASET`, "", ""},
	"vector-vrl.txt":                 {verdict.Fail, `^vector\.service failed.*status 78.*call to undefined function`, "", "learn more"},
	"cloud-init-schema.txt":          {verdict.NotJudged, `^nothing failed.*the network-config is not valid`, "", "wrong"},
	"container-api.txt":              {verdict.Fail, `^PID 1 could not mount tmpfs on /run \(Operation not permitted\)`, "PID 1 gave up", "tmpfs (type"},
	"fine-angle.txt":                 {verdict.NotJudged, `nothing wrong is seen`, "", "pager"},
	"list-described.txt":             {verdict.Fail, `^gauge\.service failed`, "", "Meters"},
	"oom-cut.txt":                    {verdict.Fail, `^the kernel killed for want of memory`, "", ""},
	"oom-task.txt":                   {verdict.Fail, `^the kernel killed gauged for want of memory \(OOM\)$`, "", "the kernel killed for"},
	"oomd.txt":                       {verdict.Fail, `^gauge\.service failed \(oom-kill\); systemd-oomd killed it`, "", "the kernel"},
	"status-bold.txt":                {verdict.Fail, `^gauge\.service failed \(timeout\)`, "", ""},
	"console-torn-word.txt":          {verdict.Fail, `^gauge-fetch\.service failed.*: initrd\.target$`, "", "not started for want of it: ["},
	"fine-quoted-line.txt":           {verdict.NotJudged, `nothing wrong is seen`, "", "pump"},
	"one-line-console.txt":           {verdict.Fail, `^srv-gauge\.mount \(/srv/gauge\) failed.*: local-fs\.target$`, "", "details"},
	"one-line-journal.txt":           {verdict.Fail, `^gauge\.service failed \(exit-code\); its main process exited with status 3`, "", ""},
	"status-inactive.txt":            {verdict.NotJudged, `^nothing failed in what is there, but gauge\.service is inactive/dead, as systemctl has it; it is disabled`, "", "no proof"},
	"depend-nested.txt":              {verdict.Fail, `^gauge\.service failed.*: pump-reader\.service, systemd-journald\.service, var-lib-pump\.mount$`, "", "Where"},
	"fine-startup-script.txt":        {verdict.NotJudged, `nothing wrong is seen`, "", "script"},
	"socket-service-gone.txt":        {verdict.Fail, `^pump\.socket failed.*its service pump\.service is not there`, "", ""},
	"startup-script.txt":             {verdict.NotJudged, `^nothing failed.*the metadata's startup-script exited with status 127`, "", ""},
	"status-by-pid.txt":              {verdict.Fail, `^gauge\.service failed.*status 2; it said last: meters are switched off`, "", "nothing to do"},
	"cloud-init-list-degraded.txt":   {verdict.NotJudged, `^nothing failed.*got over an error: Failed to import keys`, "", "cloud-init failed"},
	"cloud-init-list-error.txt":      {verdict.Fail, `^cloud-init failed: Failed to rename devices`, "failed stage init-local", ""},
	"cloud-init-no-dhcp.txt":         {verdict.NotJudged, `^nothing failed.*none of its DHCP clients, dhcpcd neither`, "", "cloud-init failed"},
	"cloud-init-search.txt":          {verdict.NotJudged, `^nothing failed.*found nothing by its source NoCloud`, "", "cloud-init failed"},
	"cloud-init-status-cut-json.txt": {verdict.Fail, `^cloud-init failed: No such device: eth7`, "", ""},
	"cut-left.txt":                   {verdict.Fail, `^gauge\.service failed \(resources\); a file of its EnvironmentFile= could not be read \(Is a directory\)`, "", "Meters"},
	"env-v218.txt":                   {verdict.Fail, `^gauge\.service went wrong.*EnvironmentFile=`, "", ""},
	"status-clock.txt":               {verdict.Fail, `^gauge\.service failed.*it said last: meters are switched off`, "", "clock"},
	"user-systemctl.txt":             {verdict.NotJudged, `user's manager`, "", "gauge.service failed (start"},
	"cloud-init-status-alone.txt":    {verdict.Fail, `^cloud-init failed: its status is error`, "", ""},
	"api-mount.txt":                  {verdict.Fail, `^dev-hugepages\.mount \(/dev/hugepages\) failed.*: Flus…Journal`, "", "u2026"},
	"fine-stop-job.txt":              {verdict.NotJudged, `nothing wrong is seen`, "", "waits"},
	"list-jobs-cut.txt":              {verdict.Fail, `^the boot waits for dev-disk-by\\x2duuid-…7d0e\.device`, "", ""},
	"wait-job.txt":                   {verdict.Fail, `^the boot waits for dev-disk-by\\x2dlabel-gauge…, for 1m12s so far`, "", ""},
	"word-only.txt":                  {verdict.Fail, `^gauge\.service failed.*it said last: No meter is there`, "", ""},
	"cycle-unbroken.txt":             {verdict.Fail, `ordering cycle.*systemd could not break it, and refused all`, "", "which job it dropped"},
	"blame.txt":                      {verdict.NotJudged, `systemd-networkd-wait-online\.service took 2m0\.12s`, "", ""},
	"critical-chain.txt":             {verdict.NotJudged, `systemd-networkd-wait-online\.service took 2m0\.1s`, "", ""},
	"cycle-kmsg.txt":                 {verdict.Fail, `dropped the start of bus\.socket.*bus\.socket after filter\.service`, "", ""},
	"cycle-of-stops.txt":             {verdict.NotJudged, `nothing wrong is seen`, "dropped the stop of dhcp.service", "dropped the start"},
	"exec-cut.txt":                   {verdict.Fail, `myapp\.service went wrong.*/usr/bin/myapp cannot be run \(Permission denied`, "", ""},
	"fine-dmesg.txt":                 {verdict.NotJudged, `nothing wrong is seen in 3 lines of PID 1`, "", "EXT4"},
	"fine-with-noise.txt":            {verdict.NotJudged, `nothing wrong is seen in 6 lines of PID 1`, "", "fd0"},
	"list-jobs.txt":                  {verdict.Fail, `the boot waits for populate-vector-env\.service, whose start job is running`, "", ""},
	"list-units.txt":                 {verdict.Fail, `^nginx\.service is failed`, "var-lib-x.mount (/var/lib/x) is failed", ""},
	"nfs-mount.txt":                  {verdict.Fail, `^mnt-nfs\.mount \(/mnt/nfs\) failed.*Failed to resolve server.*remote-fs\.target`, "", ""},
	"assert-v252.txt":                {verdict.Fail, `tunnel\.service failed \(assert\).*asserts does not hold`, "", ""},
	"cloud-init-script.txt":          {verdict.Fail, `^cloud-final\.service failed.*part-001: line 12: azcli: command not found`, "Failed to run module", ""},
	"cloud-init-unit.txt":            {verdict.Fail, `cloud-init\.service failed.*Giving up on md`, "", ""},
	"cloud-init-yaml.txt":            {verdict.Fail, `cloud-init failed: Failed loading yaml`, "scripts_user", ""},
	"cycle-v218.txt":                 {verdict.Fail, `dropped the start of early-net\.service.*basic\.target after sysinit\.target after early-net\.service`, "", ""},
	"device-uuid-locale.txt":         {verdict.Fail, `^dev-disk-by.*5A0C.*did not appear.*boot-efi\.mount.*local-fs\.target.*emergency`, "", ""},
	"disk-full.txt":                  {verdict.Fail, `^no space is left.*collector\.service failed`, "", ""},
	"env-missing-v257.json":          {verdict.Fail, `worker-gate\.service failed \(resources\).*EnvironmentFile=`, "", ""},
	"exec-v219-syslog.txt":           {verdict.Fail, `queue-keeper\.service failed.*/usr/lib/queue/keeper cannot be run \(Permission denied`, "", "Queue Keeper failed"},
	"exec-v255-iso.txt":              {verdict.Fail, `ledger-api\.service failed.*/opt/ledger/bin/ledgerd cannot be found`, "", ""},
	"fine-many-alike.txt":            {verdict.NotJudged, `nothing wrong is seen in 12 lines`, "multi-user.target was reached at +8.000s", ""},
	"fine-short.txt":                 {verdict.NotJudged, `nothing wrong is seen in 7 lines of PID 1.*no proof of a clean boot`, "multi-user.target was reached at +3.000s", "kex_exchange"},
	"fine-then-reboot.txt":           {verdict.NotJudged, `nothing wrong is seen.*no proof`, "web.service failed as it was stopped", ""},
	"initramfs-root.txt":             {verdict.Fail, `initrd found no root device UUID=7d0e-11`, "", ""},
	"mount-failed-gha.txt":           {verdict.Fail, `^srv-data\.mount \(/srv/data\) failed.*local-fs\.target.*emergency mode`, "", ""},
	"network-failed-v241.txt":        {verdict.Fail, `networking\.service failed \(timeout\).*took longer than it may.*5m0s`, "", "Raise network interfaces failed"},
	"oom-kernel.txt":                 {verdict.Fail, `^the kernel killed indexd for want of memory.*indexd\.service failed \(oom-kill\)`, "", ""},
	"default-masked.txt":             {verdict.Fail, `PID 1 has no target to boot to: Unit multi-user.target is masked`, "PID 1 gave up", ""},
	"panic-root.txt":                 {verdict.Fail, `cannot mount the root file system`, "Kernel panic", ""},
	"restarts-cut.txt":               {verdict.NotJudged, `agent\.service was started again 14 times by its Restart=, and what ended it is not in it`, "", ""},
	"shutdown-failed.txt":            {verdict.NotJudged, `nothing wrong is seen`, "cache.service failed as it was stopped", ""},
	"start-limit-catalog.txt":        {verdict.Fail, `^ring\.service failed.*cannot read its configuration /etc/ring/daemon\.json.*start limit`, "", ""},
	"fsck.txt":                       {verdict.Fail, `file system on /dev/sdb1 is broken: fsck must be run by hand.*data\.mount`, "", ""},
	"two-causes.txt":                 {verdict.Fail, `^sys-subsystem-net-devices-eth1\.device did not appear.*not started for want of it: ifup@eth1\.service`, "agent.service failed (start-limit-hit)", ""},
	"start-limit-dockerlogs.txt":     {verdict.Fail, `relay\.service failed.*status 2;.*start limit`, "", ""},
	"user-217-precise.txt":           {verdict.Fail, `metrics-shipper\.service failed.*user does not exist`, "", ""},
	"wait-console.txt":               {verdict.Fail, `waits for Raise network interfaces, for 4m40s so far \(limit: 5min 1s\)`, "", ""},
	"watchdog-monotonic.txt":         {verdict.Fail, `router-agent\.service failed \(watchdog\).*watchdog in time \(limit 30s\)`, "", ""},
}

// excerpts are public ones, which lie beside the repository where it is worked on; what is
// true of each is told beside it there.
var excerpts = map[string]want{
	"azure-fstab-console.txt":         {verdict.Fail, `^dev-incorrect\.device did not appear.*data\.mount.*local-fs\.target.*emergency mode`, "multi-user.target is not reached", ""},
	"chirpstack-start-limit-v237.txt": {verdict.Fail, `^chirpstack-gateway-bridge\.service failed.*status 1;.*start limit`, "", "ChirpStack Gateway Bridge failed"},
	"dkms-cloud-init-trixie.txt":      {verdict.Fail, `ordering cycle: cloud-init-network\.service.*not in the log.*dkms\.service comes after basic\.target .*before network-pre\.target`, "", ""},
	"fleet-start-limit-v218.txt":      {verdict.Fail, `^r101-bablefish\.1\.web\.1\.service failed.*ExecStartPre.*status 1;.*start limit`, "", ""},
	"foomuuri-short-v259.txt":         {verdict.Fail, `dropped the start of sockets\.target.*systemd-networkd-resolve-hook\.socket after network-pre\.target`, "", ""},
	"hpvs-syslog-v249.txt":            {verdict.Fail, `dropped the start of sockets\.target.*docker\.socket`, "multi-user.target was reached at +3.000s all the same", "service failed"},
	"kubelet-until-config-short.txt":  {verdict.Fail, `^kubelet\.service failed.*/var/lib/kubelet/config\.yaml: no such file.*15 times`, "", "a further start was refused"},
	"nixos-gnome-user-v258.txt":       {verdict.NotJudged, `user's manager.*gnome-initial-setup-first-login\.service`, "", "systemd dropped"},
	"satellite-environmentfile.txt":   {verdict.Fail, `^satellite\.service failed \(resources\).*EnvironmentFile=`, "", ""},
	"wait-online-catalog.txt":         {verdict.Fail, `^systemd-networkd-wait-online\.service failed.*Timeout occurred.*2m1s`, "", ""},
	"zvm-console.txt":                 {verdict.Fail, `dropped the start of getty\.target`, "Failed unmounting /cdrom", ""},
}

func (w want) of(t *testing.T, path string) {
	t.Helper()
	j, story := told(t, path)
	assert.Equal(t, w.verdict, j.Verdict, story.Headline)
	assert.Regexp(t, regexp.MustCompile(w.headline), story.Headline)
	under := strings.Join(append(append([]string{}, story.Then...), story.Notes...), "\n")
	assert.Contains(t, under, w.also)
	if w.never != "" {
		assert.NotContains(t, story.Headline+under, w.never)
	}
	for _, r := range j.Results {
		if r.Outcome == check.NotJudged {
			assert.NotEmpty(t, r.Note, "%s says why it is not judged", r.Check)
		}
	}
}

func TestWhatALogShowsIsSaidCauseFirst(t *testing.T) {
	found, err := filepath.Glob("testdata/logs/*")
	require.NoError(t, err)
	all := maps.Clone(logs)
	maps.Copy(all, logsAgain)
	require.Len(t, all, len(logs)+len(logsAgain))
	require.Len(t, found, len(all), "each log has a row")
	for name, w := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w.of(t, filepath.Join("testdata", "logs", name))
		})
	}
}

func TestPublicExcerptsAreToldAsTheyAre(t *testing.T) {
	dir := "../../../shared/journals"
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the public excerpts lie beside the repository only where it is worked on")
	}
	for name, w := range excerpts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w.of(t, filepath.Join(dir, name))
		})
	}
}
