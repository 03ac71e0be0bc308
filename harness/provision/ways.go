package provision

import "bootrace/scenarios"

// ways are what the script does to write a role env, in sh. $file is worker.env,
// created marks that there is a file, though not yet the whole of it; what else
// they call, RoleEnv defines.
var ways = map[scenarios.Way]string{
	scenarios.Edited: `template > $file
created
edit`,
	scenarios.EmptyThenFilled: `: > $file
created
sleep 6
whole > $file`,
	scenarios.LineByLine: `: > $file
created
whole | while IFS= read -r line; do sleep 0.4; printf '%s\n' "$line" >> $file; done`,
	scenarios.FilledThenNamed: `unnamed > $file
created
sleep 6
name`,
	scenarios.TruncatedAgain: `whole > $file
created
sleep 0.05
: > $file
sleep 2
whole > $file`,
	scenarios.Renamed: `whole > $file.new
created
mv $file.new $file`,
	scenarios.RemovedAgain: `whole > $file
created
sleep 0.05
rm $file
sleep 3
whole > $file`,
	scenarios.Mode000: `: > $file
chmod 000 $file
created
whole > $file`,
	scenarios.Directory: `mkdir $file
created
sleep 3
rmdir $file
whole > $file`,
	scenarios.CRLF: `created
whole | sed 's/$/\r/' > $file`,
	scenarios.WrongVault: `elsewhere > $file
created
sleep 5
whole > $file`,
	scenarios.ServerEnv: `file=$dir/server.env
created
whole > $file`,
	scenarios.BothEnvs: `whole > $dir/server.env
created
sleep 2
whole > $file`,
}

// deeds are what an action does, in sh; $unit is set.
var deeds = map[string]string{
	scenarios.Restart:   `systemctl restart "$unit"`,
	scenarios.StopStart: `systemctl stop "$unit"; sleep 1; systemctl start "$unit"`,
	scenarios.Kill:      `systemctl kill --signal=KILL "$unit"`,
}

// hits are, in sh, whether there is something that an action would meet; $unit is set. A
// unit that is there can be restarted, whatever its state.
var hits = map[string]string{
	scenarios.Kill: `group=$(systemctl show --value -p ControlGroup "$unit") && [ -n "$group" ] && [ -n "$(cat "/sys/fs/cgroup$group/cgroup.procs" 2>/dev/null)" ]`,
}
