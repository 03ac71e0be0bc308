package judge_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/boot"
	"bootrace/harness/check"
	"bootrace/harness/journal/journaltest"
	"bootrace/harness/judge"
	"bootrace/harness/recording"
	"bootrace/harness/timeline"
	"bootrace/harness/verdict"
)

// forms are how a host would have sent the journal of a recording.
var forms = map[string]func(t *testing.T, dir string) []byte{
	"json": func(t *testing.T, dir string) []byte { return journaltest.Journal(t, dir) },
	"json.zst": func(t *testing.T, dir string) []byte {
		w, err := zstd.NewWriter(nil)
		require.NoError(t, err)
		return w.EncodeAll(journaltest.Journal(t, dir), nil)
	},
	"export":        func(t *testing.T, dir string) []byte { return journaltest.Sent(t, dir, journaltest.Export) },
	"short-precise": func(t *testing.T, dir string) []byte { return journaltest.Sent(t, dir, journaltest.ShortPrecise) },
	"monotonic":     func(t *testing.T, dir string) []byte { return journaltest.Sent(t, dir, journaltest.ShortMonotonic) },
	"console": func(t *testing.T, dir string) []byte {
		data, err := os.ReadFile(filepath.Join(dir, recording.ConsoleFile))
		require.NoError(t, err)
		return data
	},
}

func judgedAs(t *testing.T, name, form string) judge.Judgement {
	t.Helper()
	data := forms[form](t, filepath.Join("testdata", name))
	boots, err := timeline.ReadLogs(t.Context(), []timeline.LogFile{{Name: form, Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }}})
	require.NoError(t, err)
	require.Len(t, boots, 1)
	return judge.Log(boots[0].Timeline(), check.Limits{BootBudget: 2 * time.Second, CredentialsWithin: 30 * time.Second}, boot.Control{})
}

// shown is what a log alone shows of the recordings of which one shows anything: with
// journald's fields, as text, and on the console. What else is seen live was in the units'
// states, the cloud's log, the files and the processes, which no log has; a boot that is
// late is told by a control boot.
var shown = map[string]struct{ fields, text, console []string }{
	"exit-1-delay-45s-trixie": {
		fields:  []string{"no-unit-failed", "no-start-limit", "start-rate"},
		text:    []string{"no-unit-failed", "no-start-limit", "start-rate"},
		console: []string{"no-unit-failed"},
	},
	"assert-delay-0s-trixie": {[]string{"no-unit-failed"}, []string{"no-unit-failed"}, []string{"no-unit-failed"}},
	// The boot's own transaction is made before journald runs, and a container has no kernel log.
	"cycle-delay-0s-trixie":   {console: []string{"no-ordering-cycle"}},
	"cycle-delay-0s-bookworm": {console: []string{"no-ordering-cycle"}},
	"token-logged-delay-0s-trixie": {
		fields: []string{"secrets-contained"}, text: []string{"secrets-contained"},
	},
	"in-place-delay-0s-trixie": {fields: []string{"env-file-whole"}},
}

func TestALogShowsWhatItsRecordingDoesLessWhatTheFormLacks(t *testing.T) {
	t.Parallel()
	for _, name := range recordings(t) {
		for form := range forms {
			t.Run(name+"/"+form, func(t *testing.T) {
				t.Parallel()
				want := shown[name].fields
				switch form {
				case "short-precise", "monotonic":
					want = shown[name].text
				case "console":
					want = shown[name].console
				}
				j := judgedAs(t, name, form)
				assert.ElementsMatch(t, want, failing(j), j.Reason)
				assert.Subset(t, failing(judgement(t, name)), failing(j), "a log shows nothing that its recording does not")
				if len(want) == 0 {
					assert.Equal(t, verdict.NotJudged, j.Verdict)
				}
			})
		}
	}
}

// TestAConsoleAndAJournalAreOneBoot: together they show what each of them does, once.
func TestAConsoleAndAJournalAreOneBoot(t *testing.T) {
	t.Parallel()
	for _, name := range recordings(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var files []timeline.LogFile
			for _, form := range []string{"console", "json"} {
				data := forms[form](t, filepath.Join("testdata", name))
				files = append(files, timeline.LogFile{Name: form, Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }})
			}
			boots, err := timeline.ReadLogs(t.Context(), files)
			require.NoError(t, err)
			require.Len(t, boots, 1)
			j := judge.Log(boots[0].Timeline(), check.Limits{BootBudget: 2 * time.Second, CredentialsWithin: 30 * time.Second}, boot.Control{})
			want := slices.Concat(shown[name].fields, shown[name].console)
			slices.Sort(want)
			assert.ElementsMatch(t, slices.Compact(want), failing(j), j.Reason)
			alone := judgedAs(t, name, "json")
			assert.Equal(t, alone.MultiUser, j.MultiUser)
			if len(shown[name].console) > 0 && len(shown[name].fields) > 0 {
				assert.Equal(t, alone.Reason, j.Reason, "how often a unit failed is not counted twice")
			}
		})
	}
}

func TestABootThatIsLateIsToldByItsControl(t *testing.T) {
	t.Parallel()
	data := append([]byte("[    1.000000] h systemd[1]: systemd 257.9 running in system mode (+PAM)\n"),
		"[   92.000000] h systemd[1]: Reached target multi-user.target - Multi-User System.\n[   92.100000] h systemd[1]: Startup finished in 91.1s.\n"...)
	of := func(c boot.Control) judge.Judgement {
		boots, err := timeline.ReadLogs(t.Context(), []timeline.LogFile{{Name: "late", Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }}})
		require.NoError(t, err)
		return judge.Log(boots[0].Timeline(), check.Limits{BootBudget: 2 * time.Second}, c)
	}
	j := of(boot.Control{})
	assert.Equal(t, verdict.NotJudged, j.Verdict)
	blocked := slices.IndexFunc(j.Results, func(r check.Result) bool { return r.Check == "boot-unblocked" })
	assert.Contains(t, j.Results[blocked].Note, "no control boot to compare with")
	assert.Equal(t, 91*time.Second, j.MultiUser)
	j = of(boot.Control{MultiUser: 3 * time.Second})
	assert.Equal(t, verdict.Fail, j.Verdict)
	assert.Contains(t, j.Reason, "boot-unblocked: multi-user.target 1m28s later than in the control boot")
}
