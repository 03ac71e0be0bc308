package judge_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gotest.tools/v3/golden"

	"bootrace/harness/check"
	"bootrace/harness/judge"
	"bootrace/harness/recording"
	"bootrace/harness/timeline"
	"bootrace/harness/timeline/timelinetest"
	"bootrace/harness/verdict"
)

// shows says what each recording of a real boot below testdata is there for: the subject
// (populator: this project's; the others: shell populators with one thing wrong,
// harness/e2e), the scenario and the base.
var shows = map[string][]string{ // recording -> the checks that must see it; none: a healthy boot
	"populator-pre-trixie":         nil,
	"populator-pre-bookworm":       nil,
	"populator-delay-0s-trixie":    nil,
	"populator-delay-0s-bookworm":  nil,
	"populator-delay-45s-trixie":   nil,
	"populator-delay-45s-bookworm": nil,
	"populator-never-trixie":       nil,
	"populator-never-bookworm":     nil,

	// exit 1 without a role env file: its starts are used up by Vector's.
	"exit-1-delay-45s-trixie": {"no-unit-failed", "no-start-limit", "start-rate", "vector-active"},
	// A poll of 90 s before it is ready, and one of 600 s that nothing outlives.
	"poll-90s-delay-0s-trixie":  {"boot-unblocked"},
	"poll-600s-delay-0s-trixie": {"boot-unblocked", "quiescent", "vector-active"},
	// After= and Wants=cloud-final.service: no unit fails, nothing is in the journal.
	"cycle-delay-0s-trixie":         {"no-ordering-cycle", "vector-active"},
	"cycle-delay-0s-bookworm":       {"no-ordering-cycle", "vector-active"},
	"token-logged-delay-0s-trixie":  {"secrets-contained"},
	"in-place-delay-0s-trixie":      {"env-file-whole"},
	"stub-for-ever-delay-0s-trixie": {"vector-credentialed", "logs-delivered"},
	// A helper with AssertPathExists= of what is not there, and one that crashes with LogLevelMax=emerg.
	"assert-delay-0s-trixie":     {"no-unit-failed"},
	"quiet-loop-delay-0s-trixie": {"no-unit-failed"},
	// The journal is rotated and vacuumed before Vector has read it.
	"vacuums-delay-0s-trixie": {"logs-delivered"},
	// systemctl reboot when the credentials are there: what the disk had of the journal.
	"reboots-delay-0s-trixie": {"no-unit-failed"},
	// The good populator on a host whose two cores 40 other sessions wanted.
	"starved-pre-trixie": {"boot-unblocked", "quiescent"},
}

// spoilt are those in which checks fail for the host's fault, and what says so.
var spoilt = map[string]string{"starved-pre-trixie": "other processes had the CPU for 51.413s of the 1m3.486s that it took"}

// recordings lists what is below testdata, which must be what shows names.
func recordings(t *testing.T) []string {
	t.Helper()
	manifests, err := filepath.Glob("testdata/*/manifest.json")
	require.NoError(t, err)
	var names []string
	for _, m := range manifests {
		names = append(names, filepath.Base(filepath.Dir(m)))
	}
	require.NotEmpty(t, names, "without a recording these tests show nothing")
	require.Equal(t, slices.Sorted(maps.Keys(shows)), slices.Sorted(slices.Values(names)), "each recording has a row in this file")
	return names
}

func judgement(t *testing.T, name string) judge.Judgement {
	t.Helper()
	j, err := judge.Recording(os.DirFS(filepath.Join("testdata", name)))
	require.NoError(t, err)
	return j
}

// TestRecordings judges each recording of a real boot again. -update writes the
// goldens anew; read the difference before it is committed.
func TestRecordings(t *testing.T) {
	require.False(t, golden.FlagUpdate() && os.Getenv("CI") != "", "goldens are not made anew in CI")
	for _, name := range recordings(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fsys, _, err := recording.Open(filepath.Join("testdata", name))
			require.NoError(t, err, "recordings are kept as they were")
			j := judgement(t, name)
			tl, err := timeline.Read(fsys)
			require.NoError(t, err)
			golden.Assert(t, text(j), name+".verdict")
			golden.Assert(t, tl.Text(), name+".timeline")
		})
	}
}

func TestEachBrokenPopulatorIsSeenByTheCheckThatShouldSeeIt(t *testing.T) {
	t.Parallel()
	for _, name := range recordings(t) {
		must := shows[name]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := judgement(t, name)
			if must == nil {
				assert.Equal(t, verdict.Pass, j.Verdict, j.Reason)
				assert.Empty(t, failing(j))
				return
			}
			assert.Subset(t, failing(j), must)
			if why, isSpoilt := spoilt[name]; isSpoilt {
				assert.Equal(t, verdict.Invalid, j.Verdict, j.Reason)
				assert.Contains(t, j.Reason, why)
				return
			}
			assert.Equal(t, verdict.Fail, j.Verdict, j.Reason)
		})
	}
}

// built are boots that no recording shows yet. A new check brings its own, in a file of
// its own (cloud_politeness_test.go).
var built = map[string]func() *timelinetest.Boot{
	"healthy": timelinetest.Healthy,
	"exits 1": exitsOne,
	"has another's role env": func() *timelinetest.Boot {
		b := timelinetest.Healthy()
		b.EnvFile(200*time.Millisecond, "/etc/opensandbox/worker.env", "present", 212, "0600", "OPENSANDBOX_AZURE_KEY_VAULT_NAME=70ce0001", true)
		return b
	},
	"does not register": func() *timelinetest.Boot {
		b := timelinetest.Healthy()
		b.Cloud = slices.DeleteFunc(b.Cloud, func(c map[string]any) bool { return c["op"] == "register" })
		return b
	},
}

// TestEachCheckIsSeenToFireAndToPass holds a check that always passes, or that
// always fails, to be untested, whatever else its tests say.
func TestEachCheckIsSeenToFireAndToPass(t *testing.T) {
	t.Parallel()
	type seen struct{ fired, passed []string }
	of := map[string]*seen{}
	for _, c := range check.Table() {
		of[c.Name] = &seen{}
	}
	count := func(name string, j judge.Judgement) {
		for _, r := range j.Results {
			require.Contains(t, of, r.Check)
			switch r.Outcome {
			case check.Fail:
				of[r.Check].fired = append(of[r.Check].fired, name)
			case check.Pass:
				of[r.Check].passed = append(of[r.Check].passed, name)
			}
		}
	}
	for _, name := range recordings(t) {
		count(name, judgement(t, name))
	}
	for name, boot := range built {
		count("built: "+name, judged(t, boot(), late()))
	}
	for name, s := range of {
		assert.NotEmpty(t, s.fired, "%s fires in no recording and in no built boot: add one to built, as cloud_politeness_test.go does", name)
		assert.NotEmpty(t, s.passed, "%s passes in no recording and in no built boot", name)
		t.Logf("%-20s fires in %d, passes in %d", name, len(s.fired), len(s.passed))
	}
}

// TestRecordingsHoldNoSecret looks for what has the form of a token, in what
// is compressed as well.
func TestRecordingsHoldNoSecret(t *testing.T) {
	t.Parallel()
	token := regexp.MustCompile(`xaat-[0-9a-f]{8}-|bootrace-imds-[0-9a-f]{8}|eyJ[A-Za-z0-9_-]{16}|BEGIN [A-Z ]*PRIVATE KEY|bootrace-canary/`)
	for _, name := range recordings(t) {
		fsys := os.DirFS(filepath.Join("testdata", name))
		require.NoError(t, fs.WalkDir(fsys, ".", func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			data, err := fs.ReadFile(fsys, path)
			if err != nil {
				return err
			}
			if strings.HasSuffix(path, ".gz") {
				r, err := gzip.NewReader(bytes.NewReader(data))
				if err != nil {
					return err
				}
				if data, err = io.ReadAll(r); err != nil {
					return err
				}
			}
			assert.Empty(t, string(token.Find(data)), "%s/%s", name, path)
			return nil
		}))
	}
}

// text is the verdict and what did not pass: a golden holds what its recording is about,
// and a check that passes on all of them is in none. What is no evidence for any check,
// a manifest without the boot clock, is not said of each.
func text(j judge.Judgement) string {
	var b strings.Builder
	if j.Verdict == verdict.Pass { // its reason is how many checks there are
		fmt.Fprintln(&b, j.Verdict)
	} else {
		fmt.Fprintf(&b, "%s: %s\n", j.Verdict, j.Reason)
	}
	for _, r := range j.Results {
		if r.Outcome == check.Pass || r.Outcome == check.NoEvidence && strings.HasPrefix(r.Note, timeline.Manifest) {
			continue
		}
		fmt.Fprintln(&b, strings.TrimSpace(fmt.Sprintf("%s %s %s", r.Check, r.Outcome, r.Note)))
		for _, f := range r.Findings {
			fmt.Fprintf(&b, "  %s %s %s\n", timeline.Since(f.At), f.Unit, f.Summary)
			for _, e := range f.Evidence {
				fmt.Fprintf(&b, "    %s:%d %s\n", e.File, e.Line, e.Text)
			}
		}
	}
	return b.String()
}

// A hundred boots at once: journald was kept off the processor for 0.4 s, and
// some twenty messages of PID 1 never reached it, one of them the only word on
// why an enabled unit was not started.
func TestABootWhoseJournalLostMessagesIsInvalid(t *testing.T) {
	j := judgement(t, "journal-lost/delay-0s-bookworm")
	require.Equal(t, verdict.Invalid, j.Verdict, j.Reason)
	require.Contains(t, j.Reason, "no word of basic.target")
}
