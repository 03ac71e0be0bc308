package runbook

import (
	"fmt"
	"strings"
)

// Step is one step, for a person: what is to be typed, and what takes it back.
type Step struct {
	Name, What string
	Do, Undo   string // in sh; an empty undo: there is nothing to take back
	None       string // why there is nothing to take back
}

// Steps are the steps in their order. The script's functions are called by their names.
func (b Book) Steps() []Step {
	all, gone := strings.Join(b.Touched(), " "), strings.Join(b.Removed(), " ")
	arm := Step{Name: "arm", What: "Nothing is to happen after the boot: no unit is needed.", Do: ":", None: "nothing was done"}
	if b.Armed() {
		arm = Step{Name: "arm",
			What: "Write the two files below, " + State + "/write and /etc/systemd/system/" + Unit + ", and enable the unit. It plays\ncloud-init's part once, and removes itself; a transient unit would be gone with the reboot.",
			Do:   "systemctl enable " + Unit,
			Undo: fmt.Sprintf("systemctl disable %[1]s; rm -f /etc/systemd/system/%[1]s; systemctl stop %[1]s; systemctl daemon-reload", Unit),
		}
	}
	return []Step{
		{Name: "claim", What: "One trial at a time: this fails when another is in progress.",
			Do: "mkdir -m 0700 " + State, Undo: "rm -rf " + State},
		{Name: "save", What: "Save what the trial touches, with modes, owners and digests. A saved file is root's alone.",
			Do: fmt.Sprintf(`umask 077; mkdir %[1]s/saved; cd %[2]s
looks() { for f in %[3]s; do [ ! -e $f ] || { stat -c '%%n %%F %%a %%u %%g %%y' $f; sha256sum $f; }; done; }
looks > %[1]s/was
for f in %[3]s; do
  [ ! -e $f ] || { cp -a $f %[1]s/saved/; stat -c %%a $f > %[1]s/saved/$f.mode; chmod 0600 %[1]s/saved/$f; }
done; sync`, State, etc, all),
			None: "it changed nothing"},
		arm,
		{Name: "remove", What: "Remove what the host must not have when it boots.",
			Do: fmt.Sprintf("cd %s && rm -f %s; sync", etc, gone),
			Undo: fmt.Sprintf(`cd %[2]s
for f in %[3]s; do
  if [ -e %[1]s/saved/$f ]; then cp -a --remove-destination %[1]s/saved/$f . && chmod $(cat %[1]s/saved/$f.mode) $f; else rm -f $f; fi
done
looks | diff %[1]s/was - && echo as it was      # looks: the function of save`, State, etc, all)},
		{Name: "reboot", What: "At once: what still runs might write the files anew.", Do: "systemctl reboot", None: "a boot is over when it is over"},
		{Name: "wait", What: fmt.Sprintf("Until the boot is over: %s after multi-user.target at the latest%s.", b.Window(), b.settles()), Do: "systemctl is-active multi-user.target; systemctl list-jobs", None: "it changes nothing"},
		{Name: "fetch", What: "The journal, before anything else is done to the host. Whoever may not read this host's logs must not have it.",
			Do:   "umask 077; journalctl -b -o export > /var/tmp/bootrace-" + b.Scenario.Name + ".export",
			None: "the file is what it was all for"},
		{Name: "put back", What: "Undo remove, then arm, then claim; and reboot once more, or restart what read the files.", Do: "# see the steps' undo", None: "it is the undo"},
		{Name: "judge", What: "On any machine with bootrace.", Do: "bootrace judge /var/tmp/bootrace-" + b.Scenario.Name + ".export", None: "it changes nothing"},
	}
}

func (b Book) settles() string {
	if !b.Armed() {
		return ""
	}
	return fmt.Sprintf(", or %s after %s ended", b.Settles(), Unit)
}
