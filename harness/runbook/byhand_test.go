package runbook

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/scenarios"
)

// hand types a step's commands, in the shell of a host's root.
func (h *host) hand(text string) string {
	h.t.Helper()
	for _, dir := range []string{"/etc/", "/var/"} {
		text = strings.ReplaceAll(text, dir, h.root+dir)
	}
	code, out := h.sh("bash", "-ec", text)
	require.Zero(h.t, code, "%s\n%s", text, out)
	return out
}

func TestTheStepsByHandDoWhatTheScriptDoes(t *testing.T) {
	t.Parallel()
	b := book(t, late(scenarios.Edited))
	h := newHost(t, b)
	before := h.looks()
	steps := map[string]Step{}
	for _, s := range b.Steps() {
		steps[s.Name] = s
	}
	for _, name := range []string{"claim", "save", "arm", "remove"} {
		if name == "arm" { // its two files are in the text
			writer, err := b.Writer()
			require.NoError(t, err)
			h.file("root"+State+"/write", writer, 0o600)
			h.file("root/etc/systemd/system/"+Unit, b.UnitFile(), 0o644)
			require.NoError(t, os.Symlink("../"+Unit, h.path("/etc/systemd/system/multi-user.target.wants/"+Unit))) // systemctl enable
		}
		h.hand(steps[name].Do)
	}
	assert.NoFileExists(t, h.path("/etc/opensandbox/worker.env"))
	assert.NoFileExists(t, h.path("/etc/opensandbox/vector.env"))
	code, _ := h.sh("bash", "-ec", strings.ReplaceAll(steps["claim"].Do, "/var/", h.root+"/var/"))
	assert.NotZero(t, code, "a second trial is refused")
	h.boot()
	h.hand(steps["fetch"].Do)
	assert.NotEmpty(t, h.fetched())
	_, looks, _ := strings.Cut(steps["save"].Do, "\n")
	looks, _, _ = strings.Cut(looks, "\n") // the function, in a shell of after the reboot
	assert.Contains(t, h.hand(looks+"\n"+steps["remove"].Undo), "as it was")
	h.hand(strings.TrimPrefix(steps["arm"].Undo, "systemctl disable "+Unit+"; "))
	h.hand(steps["claim"].Undo)
	assert.Equal(t, before, h.looks())
	h.quiet()
}
