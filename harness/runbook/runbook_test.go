package runbook

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/scenarios"
)

func late(way scenarios.Way) scenarios.Scenario {
	s := scenarios.Scenario{Name: "late"}
	s.WorkerEnv.When, s.WorkerEnv.Way = scenarios.After, way
	s.Look.Window.Duration = time.Minute
	return s
}

func book(t *testing.T, s scenarios.Scenario) Book {
	t.Helper()
	b, err := Of(s, "")
	require.NoError(t, err)
	return b
}

func find(t *testing.T, name string) scenarios.Scenario {
	t.Helper()
	s, err := scenarios.Find(name)
	require.NoError(t, err)
	return s
}

func TestEveryScenarioIsARunbookOrSaysWhyNot(t *testing.T) {
	t.Parallel()
	all, err := scenarios.Library()
	require.NoError(t, err)
	shellcheck, _ := exec.LookPath("shellcheck")
	made := 0
	for _, s := range all {
		b, err := Of(s, "it's|x$")
		if late := s.Network.After.Duration > 0; late || len(s.Cloud.Faults) > 0 || len(s.Boots) > 0 && s.Name != "pre" {
			require.Error(t, err, s.Name)
			assert.Equal(t, late, strings.Contains(err.Error(), "network.after: "), s.Name)
			for i := range s.Boots {
				assert.ErrorContains(t, err, "boots["+strconv.Itoa(i)+"]", s.Name)
			}
			for _, f := range s.Cloud.Faults {
				assert.ErrorContains(t, err, string(f.Kind), "each fault is named")
			}
			continue
		}
		require.NoError(t, err, s.Name)
		made++
		script, err := b.Script()
		require.NoError(t, err)
		text, err := b.Text()
		require.NoError(t, err)
		file := filepath.Join(t.TempDir(), "runbook.sh")
		require.NoError(t, os.WriteFile(file, []byte(script), 0o600))
		out, err := exec.CommandContext(t.Context(), "bash", "-n", file).CombinedOutput()
		require.NoError(t, err, "%s: %s", s.Name, out)
		if shellcheck != "" {
			out, err = exec.CommandContext(t.Context(), shellcheck, file).CombinedOutput()
			require.NoError(t, err, "%s: %s", s.Name, out)
		}
		for _, of := range []string{script, text} {
			assert.NotContains(t, of, "{{", s.Name)
			assert.NotContains(t, of, "<no value>", s.Name)
		}
	}
	assert.Greater(t, made, 10)
}

func TestEachStepHasItsUndo(t *testing.T) {
	t.Parallel()
	b := book(t, find(t, "delay-45s"))
	script, err := b.Script()
	require.NoError(t, err)
	_, undoAll, ok := strings.Cut(script, "\nundo_all() {")
	require.True(t, ok)
	undoAll, _, _ = strings.Cut(undoAll, "\n}")
	_, start, _ := strings.Cut(script, "\nstart() {")
	start, _, _ = strings.Cut(start, "\n}")
	at := -1
	for _, m := range regexp.MustCompile(`(?m)^do_(\w+)\(\)`).FindAllStringSubmatch(script, -1) {
		step := m[1]
		if !strings.Contains(start, "do_"+step) { // after the reboot nothing is changed
			continue
		}
		assert.Contains(t, undoAll, "undo_"+step)
		next := strings.Index(start, "do_"+step)
		assert.Greater(t, next, at, "start does the steps in the order in which they stand")
		at = next
	}
	order := func(first, then string) {
		assert.Less(t, strings.Index(undoAll, first), strings.Index(undoAll, then), "%s before %s", first, then)
	}
	order("undo_arm", "undo_remove") // the unit would write again
	order("undo_remove", "check_back")
	order("check_back", "undo_save") // what is saved is not let go before all is back
	order("undo_save", "undo_claim")
	for _, s := range b.Steps() {
		assert.NotEqual(t, s.Undo == "", s.None == "", "%s: an undo, or why there is none", s.Name)
		assert.NotEmpty(t, s.Do)
	}
	names := []string{}
	for _, s := range b.Steps() {
		names = append(names, s.Name)
	}
	assert.Equal(t, []string{"claim", "save", "arm", "remove", "reboot", "wait", "fetch", "put back", "judge"}, names, "the journal is fetched before anything is put back")
}

func TestEveryFieldOfAScenarioIsSpokenOf(t *testing.T) {
	t.Parallel()
	s := find(t, "imds-late") // has faults
	s.WorkerEnv.When, s.Boots = scenarios.After, []scenarios.Again{{After: scenarios.ByReboot}}
	s.Network.After.Duration = time.Second
	said := map[string]bool{}
	for _, f := range (Book{Scenario: s}).Fields() {
		key, _, _ := strings.Cut(f.Name, "[")
		said[key] = true
		assert.NotEmpty(t, f.Why, f.Name)
	}
	silent := []string{"version", "name", "description", "size"} // say nothing of a boot
	var walk func(prefix string, of reflect.Type)
	walk = func(prefix string, of reflect.Type) {
		for i := range of.NumField() {
			key := of.Field(i).Tag.Get("yaml")
			name := prefix + key
			switch {
			case key == "-" || said[name] || slices.Contains(silent, name):
			case of.Field(i).Type.Kind() == reflect.Struct:
				walk(name+".", of.Field(i).Type)
			default:
				t.Errorf("%s: no word of what becomes of it on a host", name)
			}
		}
	}
	walk("", reflect.TypeFor[scenarios.Scenario]())
}

// A trial from its start to its end, in each way in which a role env comes.
func TestAHostIsAfterwardsAsItWas(t *testing.T) {
	t.Parallel()
	tried := map[string]scenarios.Scenario{"never": find(t, "never"), "pre": find(t, "pre"), "killed": find(t, "populator-killed")}
	for way := range scenarios.Ways() {
		tried[string(way)] = late(way)
	}
	for name, s := range tried {
		s.Look.Settle.Duration, s.Expect.CredentialsWithin.Duration = 0, 0 // the test's clock stands
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, book(t, s))
			before := h.looks()
			h.mustStart()
			for _, gone := range book(t, s).Removed() {
				assert.NoFileExists(t, h.path("/etc/opensandbox/"+gone))
			}
			saved, err := filepath.Glob(h.path(State + "/saved/*.env"))
			require.NoError(t, err)
			assert.Len(t, saved, 2)
			for _, file := range saved {
				info, err := os.Stat(file)
				require.NoError(t, err)
				assert.Equal(t, fs.FileMode(0o600), info.Mode())
			}
			h.boot()
			if s.WorkerEnv.When == scenarios.After && s.WorkerEnv.Way != scenarios.ServerEnv && s.WorkerEnv.Way != scenarios.CRLF {
				data, err := os.ReadFile(h.path("/etc/opensandbox/worker.env"))
				require.NoError(t, err)
				assert.Equal(t, original["worker.env"], string(data), "in the end it is this host's own")
			}
			h.file("root/etc/opensandbox/vector.env", "written anew\n", 0o644)
			if s.WorkerEnv.When != scenarios.After {
				h.file("journal", "a journal\n", 0o644)
			} else {
				journal, err := os.ReadFile(filepath.Join(h.dir, "journal"))
				require.NoError(t, err)
				assert.Contains(t, string(journal), "BOOTRACE_STEP=role-env-complete")
			}
			out := h.must("finish")
			assert.Contains(t, out, "bootrace judge "+h.path("/var/tmp/"))
			assert.NotEmpty(t, h.fetched())
			asked, err := os.ReadFile(filepath.Join(h.dir, "asked"))
			require.NoError(t, err)
			assert.Regexp(t, `^-b.* --since @[0-9]+\.[0-9]{6} -o export`, string(asked), "its boot ID is another's, and has not changed")
			assert.Equal(t, before, h.looks())
			h.quiet()
			assert.Contains(t, h.must("undo"), "nothing to undo")
		})
	}
}

// The power goes before each command that changes something: in start, and then again
// in the undo.
func TestUndoWorksWhereverThePowerWent(t *testing.T) {
	t.Parallel()
	b := book(t, late(scenarios.Edited))
	for _, phase := range []string{"start", "undo"} {
		t.Run(phase, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, b)
			before := h.looks()
			crashes := 0
			for at := 1; ; at++ {
				for _, f := range []string{"crashed", "count"} {
					_ = os.Remove(filepath.Join(h.dir, f))
				}
				h.file("zero", "1000\n", 0o644)
				if phase == "undo" {
					h.mustStart()
					h.boot()
				}
				h.env = []string{"CRASH_AT=" + strconv.Itoa(at)}
				if phase == "undo" {
					h.run("undo")
				} else {
					h.start()
				}
				h.env = nil
				_, err := os.Stat(filepath.Join(h.dir, "crashed"))
				h.must("undo")
				require.Equal(t, before, h.looks(), "%s was cut off at its command %d", phase, at)
				if err != nil {
					break // it came to its end
				}
				crashes++
			}
			assert.Greater(t, crashes, 10, "each was another place")
			h.quiet()
		})
	}
}

func TestADryRunChangesNothing(t *testing.T) {
	t.Parallel()
	h := newHost(t, book(t, late(scenarios.Edited)))
	before := h.looks()
	out := h.must("--dry-run", "start", "--yes-this-is-a-development-host", name)
	assert.Contains(t, out, "would: rm -f "+h.path("/etc/opensandbox/worker.env"))
	assert.Equal(t, before, h.looks())
	h.mustStart()
	h.boot()
	during := h.looks()
	h.must("--dry-run", "undo")
	h.must("--dry-run", "finish")
	assert.Equal(t, during, h.looks())
	asked, _ := os.ReadFile(filepath.Join(h.dir, "systemctl"))
	assert.Empty(t, string(asked))
	h.must("undo")
	assert.Equal(t, before, h.looks())
	h.quiet()
}

func TestABootThatWasNotTheScenarioIsSaidToBeNone(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		scenario scenarios.Scenario
		spoil    func(h *host)
		says     string
	}{
		"another wrote the file": {late(scenarios.Edited), func(h *host) { h.file("root/etc/opensandbox/worker.env", "A=b\n", 0o644); h.boot() }, "before its time"},
		"the unit never ran":     {late(scenarios.Edited), func(h *host) { h.file("zero", "2000\n", 0o644) }, "was not done within 60 s"},
		"it was never to come":   {find(t, "never"), func(h *host) { h.boot(); h.file("root/etc/opensandbox/server.env", "A=b\n", 0o644) }, "never to come"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, book(t, tt.scenario))
			before := h.looks()
			h.mustStart()
			h.file("journal", "a journal\n", 0o644)
			tt.spoil(h)
			code, out := h.run("finish")
			assert.Equal(t, 3, code, out)
			assert.Contains(t, out, tt.says)
			assert.Equal(t, before, h.looks(), "it is put back all the same")
		})
	}
}

func TestWithoutAJournalNothingIsFinished(t *testing.T) {
	t.Parallel()
	h := newHost(t, book(t, find(t, "never")))
	before := h.looks()
	h.mustStart()
	h.boot()
	code, out := h.run("finish")
	assert.Equal(t, 1, code, out)
	assert.Contains(t, out, "no data is no result")
	h.must("undo")
	assert.Equal(t, before, h.looks())
}

func TestADirectoryThatIsNotOursStaysWhereItIs(t *testing.T) {
	t.Parallel()
	h := newHost(t, book(t, late(scenarios.Directory)))
	before := h.looks()
	h.mustStart()
	theirs := h.path("/etc/opensandbox/worker.env")
	require.NoError(t, os.Mkdir(theirs, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(theirs, "of-another"), nil, 0o600))
	code, out := h.run("undo")
	assert.Equal(t, 1, code, out)
	assert.Contains(t, out, "undo again")
	assert.FileExists(t, filepath.Join(theirs, "of-another"))
	require.NoError(t, os.Remove(filepath.Join(theirs, "of-another")))
	h.must("undo")
	assert.Equal(t, before, h.looks())
}
