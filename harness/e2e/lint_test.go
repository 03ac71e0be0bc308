package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/lint"
	"bootrace/harness/museum"
	"bootrace/harness/wire/wiretest"
	"bootrace/images"
)

func TestLintSeesWhatCanBeSeenWithoutABoot(t *testing.T) {
	t.Parallel()
	root, err := images.FindRoot(".")
	require.NoError(t, err)
	tests := []struct {
		incident string
		level    lint.Level
		want     string
	}{
		{"pr240", lint.Note, "exit 0 ends it for good"},
		{"pr249", lint.Problem, "cycle"},
		{"pr254", lint.Note, "each restart of Vector asks for it"},
		{"pr256", lint.Note, "TimeoutStartSec=infinity"},
		{"pr257", lint.Note, "TimeoutStartSec=infinity"},
		{"path-dir", lint.Problem, "whatever lies in the directory starts"},
		{"path-file", lint.Problem, "the next trigger starts nothing"},
		{"fork", lint.Note, "kills the child"},
	}
	var dirs []string
	for _, tt := range tests {
		dirs = append(dirs, filepath.Join(root, museum.Dir, tt.incident))
	}
	for _, base := range images.Suites() {
		lab := wiretest.New(t, dirs, base)
		for _, tt := range tests {
			remarks := examine(t, lab, tt.incident, base)
			found := false
			for _, r := range remarks {
				found = found || r.Level == tt.level && strings.Contains(r.Text, tt.want)
			}
			assert.True(t, found, "%s on %s: %v", tt.incident, base, remarks)
		}
		good := wiretest.New(t, nil, base)
		for _, r := range examine(t, good, "populator", base) {
			assert.NotEqual(t, lint.Problem, r.Level, "the good populator on %s: %v", base, r)
		}
	}
}

// The subject asks for nothing of cloud-init: only cloud-init's generator has it in
// the boot's transaction.
func TestLintSeesACycleThatADropInMakes(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "cycle")
	dropIn := filepath.Join(dir, "rootfs/etc/systemd/system/vector.service.d/50-after.conf")
	require.NoError(t, os.MkdirAll(filepath.Dir(dropIn), 0o755))
	require.NoError(t, os.WriteFile(dropIn, []byte("[Unit]\nAfter=cloud-final.service\n"), 0o644))
	lab := wiretest.New(t, []string{dir}, images.Suites()[0])
	remarks := examine(t, lab, "cycle", images.Suites()[0])
	require.NotEmpty(t, remarks)
	assert.Equal(t, lint.Problem, remarks[0].Level)
	assert.Contains(t, remarks[0].Text, "ordering cycle")
}

func examine(t *testing.T, lab *wiretest.Lab, name, base string) []lint.Remark {
	t.Helper()
	subj := lab.Subjects[name]
	out, err := lab.Backend.Examine(t.Context(), "lint-"+name, subj.Images[base], lint.Script(subj.Units))
	require.NoError(t, err, name)
	remarks, err := lint.Read(out, subj.Units, subj.PopulatorUnit())
	require.NoError(t, err, name)
	return remarks
}
