package run

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/judge"
	"bootrace/harness/recording"
	"bootrace/results"
)

// What is stored of a boot is enough to draw it, to compare it and to find the
// files it was read from, and nothing of it is lost on the way.
func TestAnAttemptIsStoredWithItsPictureAndItsFiles(t *testing.T) {
	for name, verdict := range map[string]string{"populator-delay-45s-trixie": "pass", "poll-600s-delay-0s-trixie": "fail"} {
		fsys, manifest, err := recording.Open(filepath.Join("../judge/testdata", name))
		require.NoError(t, err)
		j, err := judge.Recording(fsys)
		require.NoError(t, err)
		stored := attempt{Judgement: j, dir: "/recordings/x.1", files: manifest.Files}.record()
		assert.Equal(t, verdict, stored.Verdict)
		require.NotNil(t, stored.Boot, name)
		assert.Equal(t, j.End, stored.Boot.End)
		assert.NotEmpty(t, stored.Boot.Events)
		assert.Equal(t, j.Expect.MultiUser.Seconds(), stored.Boot.Measures[results.MeasureControl])
		require.Len(t, stored.Artifacts, len(manifest.Files))
		for i, a := range stored.Artifacts {
			assert.Equal(t, manifest.Files[a.Name], recording.File{Size: a.Size, SHA256: a.SHA256})
			if i > 0 {
				assert.Greater(t, a.Name, stored.Artifacts[i-1].Name)
			}
		}
		data, err := json.Marshal(stored)
		require.NoError(t, err)
		var again results.Attempt
		require.NoError(t, json.Unmarshal(data, &again))
		assert.Equal(t, stored, again)
		t.Logf("%s: %d bytes stored", name, len(data))
	}
}

func TestAnAttemptWithoutARecordingHasNoPicture(t *testing.T) {
	stored := attempt{dir: "/recordings/x.1"}.record()
	assert.Nil(t, stored.Boot)
	assert.Empty(t, stored.Artifacts)
}

func TestTheCasesOfARunHaveTheirFiles(t *testing.T) {
	r, store := newRunner(t, &fakeBackend{})
	_, err := r.Run(t.Context(), quick(1))
	require.NoError(t, err)
	require.Len(t, store.cases, 1)
	for _, a := range store.cases[0].Attempts {
		require.NotEmpty(t, a.Artifacts)
		for _, f := range a.Artifacts {
			info, err := os.Stat(filepath.Join(a.Recording, f.Name))
			require.NoError(t, err)
			assert.Equal(t, info.Size(), f.Size)
		}
		require.NotNil(t, a.Boot, "even a boot of which little is known")
		assert.NotContains(t, a.Boot.Measures, results.MeasureMultiUser)
	}
}

func TestWhatTheHostExplainsIsStoredWithIt(t *testing.T) {
	j, err := judge.Recording(os.DirFS("../judge/testdata/quiet-loop-delay-0s-trixie"))
	require.NoError(t, err)
	host := map[string]bool{}
	for _, c := range (attempt{Judgement: j}).record().Checks {
		for _, f := range c.Findings {
			host[c.Name] = f.Host != ""
		}
	}
	assert.Equal(t, map[string]bool{"boot-unblocked": true, "no-unit-failed": false}, host, "the host was busy, and a unit failed of itself")
}

// The table of checks has no-unit-failed before no-start-limit, of which it follows.
func TestAFailureLeadsWithItsCause(t *testing.T) {
	j, err := judge.Recording(os.DirFS("../judge/testdata/exit-1-delay-45s-trixie"))
	require.NoError(t, err)
	a := attempt{Judgement: j}
	a.lead()
	stored := a.record()
	assert.Regexp(t, `^no-start-limit: a start of .* was refused.* \(and \d+ more\)$`, stored.Reason)
	assert.Contains(t, stored.Change, "worker.env")

	spoilt := attempt{Judgement: j}
	spoilt.Verdict, spoilt.Reason = "invalid", "the disk is full"
	spoilt.lead()
	assert.Equal(t, "the disk is full", spoilt.Reason)
	assert.Empty(t, spoilt.record().Change)
}
