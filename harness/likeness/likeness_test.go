package likeness_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/boot"
	"bootrace/harness/check"
	"bootrace/harness/journal/journaltest"
	"bootrace/harness/judge"
	"bootrace/harness/likeness"
	"bootrace/harness/timeline"
)

const recordings = "../judge/testdata"

// forms are those in which the journals are sent.
var forms = map[string]func(journaltest.Entry) string{"export": journaltest.Export, "short-precise": journaltest.ShortPrecise}

func sent(t *testing.T, name, form string) string {
	t.Helper()
	return string(journaltest.SentByAHost(t, filepath.Join(recordings, name), forms[form]))
}

func judged(t *testing.T, log string) judge.Judgement {
	t.Helper()
	boots, err := timeline.ReadLogs(t.Context(), []timeline.LogFile{{Name: "j", Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(log)), nil }}})
	require.NoError(t, err)
	return judge.Log(boots[len(boots)-1].Timeline(), check.Limits{BootBudget: 2 * time.Second, CredentialsWithin: 30 * time.Second}, boot.Control{})
}

func booted(t *testing.T, j judge.Judgement, names ...string) []likeness.Boot {
	t.Helper()
	var out []likeness.Boot
	read := map[string]likeness.Boot{}
	for _, name := range names {
		if _, again := read[name]; !again {
			b, err := likeness.Read(t.Context(), name, os.DirFS(filepath.Join(recordings, name)), j)
			require.NoError(t, err)
			read[name] = b
		}
		out = append(out, read[name])
	}
	return out
}

func standing(l likeness.Likeness, is likeness.Standing) []string {
	var out []string
	for _, f := range l.Findings {
		if f.Is == is {
			out = append(out, f.Check)
		}
	}
	return out
}

const (
	good    = "populator-delay-0s-trixie"
	exits   = "exit-1-delay-45s-trixie"
	polls   = "poll-90s-delay-0s-trixie"
	forever = "poll-600s-delay-0s-trixie"
	cycle   = "cycle-delay-0s-trixie"
	stub    = "stub-for-ever-delay-0s-trixie"
)

func TestBootsAreHeldAgainstWhatTheJournalShows(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		journal string
		boots   []string
		is      likeness.Verdict
		reason  string
		same    []string // the checks that fail in both
		hidden  string   // one of those that the journal cannot show
		differs string   // part of a difference
	}{
		{"its own boot fails in the same", exits, []string{exits}, likeness.Reproduced, "fail in what the journal does",
			[]string{"no-unit-failed", "no-start-limit", "start-rate"}, "vector-active", ""},
		{"so do most of three", exits, []string{exits, good, exits}, likeness.Reproduced, "fail in what the journal does",
			[]string{"no-unit-failed", "no-start-limit", "start-rate"}, "vector-active", ""},
		{"one of three does", exits, []string{good, good, exits}, likeness.NotReproduced, "1 of 3 boots are like the journal; of most, no-unit-failed fails in the journal, in 1 of 3 boots", nil, "", "more boots, for not every one is the same"},
		{"the fixed design does not", exits, []string{good}, likeness.NotReproduced, "no-unit-failed fails in the journal, in 0 of 1 boots", nil, "", "populator fails in the journal, at +"},
		{"a boot fails in what the journal would show", good, []string{exits}, likeness.NotReproduced, "and the journal, which would show it, does not", nil, "", "no-start-limit fails in 1 of 1 boots"},
		{"a cycle is seen by what was not started", cycle, []string{cycle}, likeness.Reproduced, "in what it cannot show", nil, "no-ordering-cycle", ""},
		{"and by what is started without it", cycle, []string{good}, likeness.NotReproduced, "Vector starts in 1 of 1 boots, and not in the journal", nil, "", ""},
		{"a boot that is held", polls, []string{polls}, likeness.Reproduced, "in what it cannot show", nil, "boot-unblocked", ""},
		{"and one that is not", polls, []string{good}, likeness.NotReproduced, "populate-vector-env.service took 1m30.24s to start in the journal, 96ms in a boot", nil, "", ""},
		{"a boot that is held for ever", forever, []string{forever}, likeness.Reproduced, "in what it cannot show", nil, "boot-unblocked", ""},
		{"and one that comes up", forever, []string{good}, likeness.NotReproduced, "populator starts in 1 of 1 boots", nil, "", "multi-user.target in 1 of 1 boots"},
		{"a stub for ever", stub, []string{stub}, likeness.Reproduced, "in what it cannot show", nil, "vector-credentialed", ""},
		{"nothing is wrong", good, []string{good, good, good}, likeness.Reproduced, "nothing was wrong", nil, "", ""},
		{"not all pass", good, []string{good, good, "token-logged-delay-0s-trixie"}, likeness.Undecided, "not all of them pass", nil, "", ""},
		{"nothing was booted", exits, nil, likeness.Undecided, "no boot could be judged", nil, "", ""},
	} {
		forms := []string{"export", "short-precise"}
		if tt.hidden == "" { // that a form shows less is seen where boots are alike
			forms = forms[:1]
		}
		for _, form := range forms {
			t.Run(tt.name+"/"+form, func(t *testing.T) {
				t.Parallel()
				j := judged(t, sent(t, tt.journal, form))
				l := likeness.Of(j, booted(t, j, tt.boots...))
				assert.Equal(t, tt.is, l.Verdict, l.Reason)
				assert.Contains(t, l.Reason, tt.reason)
				assert.Equal(t, tt.same, standing(l, likeness.Same))
				if tt.hidden != "" {
					assert.Contains(t, standing(l, likeness.Hidden), tt.hidden)
				}
				if tt.differs != "" {
					assert.Contains(t, fmt.Sprint(l.Differences), tt.differs)
				}
				for _, d := range l.Differences {
					assert.NotEmpty(t, d.Try)
				}
			})
		}
	}
}

// Which job systemd drops to break a cycle differs from boot to boot, so a boot that is like
// the journal is enough, if most have the cycle.
func TestACycleIsBrokenAtAnotherJobFromBootToBoot(t *testing.T) {
	t.Parallel()
	j := judged(t, sent(t, cycle, "export"))
	boots := booted(t, j, cycle, good)
	like, clean := boots[0], boots[1]
	elsewhere := likeness.Boot{Full: like.Full, Log: clean.Log}
	for _, tt := range []struct {
		name  string
		boots []likeness.Boot
		is    likeness.Verdict
		says  string
	}{
		{"one of three is like it", []likeness.Boot{elsewhere, like, elsewhere}, likeness.Reproduced, "1 of 3 boots go as the journal does; systemd breaks an ordering cycle in most"},
		{"none of three is", []likeness.Boot{elsewhere, elsewhere, elsewhere}, likeness.NotReproduced, "Vector starts in 3 of 3 boots, and not in the journal"},
		{"most have no cycle", []likeness.Boot{clean, like, clean}, likeness.NotReproduced, "1 of 3 boots are like the journal; of most, Vector starts in 2 of 3 boots"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := likeness.Of(j, tt.boots)
			assert.Equal(t, tt.is, l.Verdict, l.Reason)
			assert.Contains(t, l.Reason, tt.says)
		})
	}
}

func TestAJournalThatSaysTooLittleDecidesNothing(t *testing.T) {
	t.Parallel()
	whole := sent(t, good, "short-precise")
	lines := strings.SplitAfter(whole, "\n")
	upTo := func(text string) string {
		return strings.Join(lines[:slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, text) })], "")
	}
	silent := strings.Join(slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return strings.Contains(l, " systemd[1]: ") }), "")
	withoutVector := strings.Join(slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return strings.Contains(l, "vector.service") }), "")
	j := judged(t, withoutVector)
	assert.Equal(t, likeness.NotReproduced, likeness.Of(j, booted(t, j, good)).Verdict, "it is whole")
	held := strings.SplitAfter(sent(t, polls, "short-precise"), "\n")
	j = judged(t, strings.Join(held[:len(held)/2], ""))
	l := likeness.Of(j, booted(t, j, polls))
	assert.Equal(t, likeness.Reproduced, l.Verdict, "what held it is in it: %s", l.Reason)
	assert.Contains(t, l.Reason, "the boots are held by populate-vector-env.service, as the journal's is, and fail in what it cannot show: ")
	assert.NotEmpty(t, l.Unseen, "and its end is not")
	for _, tt := range []struct{ name, log, reason string }{
		{"it ends before Vector starts", upTo("Starting vector.service"), "shows too little of the boot: Vector starts is not in the journal"},
		{"it ends before worker.env comes", upTo("Finished cloud-final"), "shows too little of the boot"},
		{"a unit's lines alone", strings.Join(slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return !strings.Contains(l, "vector") }), ""), "multi-user.target is not in the journal, which has not all of the boot"},
		{"journald dropped what PID 1 said", withoutVector + lines[len(lines)-2][:len("Nov 23 22:34:46.123456 ")] + "w7 systemd-journald[36]: Suppressed 412 messages from init.scope\n",
			"Vector starts is not in the journal, which has not all of the boot"},
		{"a line is broken", withoutVector + lines[len(lines)-2][:30], "Vector starts is not in the journal, which has not all of the boot"},
		{"its lines have no time", regexp.MustCompile(`(?m)^\S+ +\d+ [0-9:.]+ \S+ `).ReplaceAllString(whole, ""), "which shows too little of the boot"},
		{"PID 1 is not in it", silent, "no line of PID 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			j := judged(t, tt.log)
			l := likeness.Of(j, booted(t, j, good))
			assert.Equal(t, likeness.Undecided, l.Verdict, l.Reason)
			assert.Contains(t, l.Reason, tt.reason)
		})
	}
}

// line is one of PID 1's, so many seconds after its start.
func line(seconds float64, text string) string {
	return fmt.Sprintf("[%12.6f] w7 systemd[1]: %s\n", 2+seconds, text)
}

// course is a log of a boot in which Vector and the populator start then, and of what is to
// be between.
func course(populator, vector, multiUser float64, more ...string) string {
	out := line(0, "systemd 257.9-1 running in system mode (+PAM)") + line(populator, "Starting populate-vector-env.service - P...") + line(populator+0.2, "Started populate-vector-env.service - P.") +
		line(vector, "Starting vector.service - V...") + line(vector+0.2, "Started vector.service - V.") + line(multiUser, "Reached target multi-user.target - M.") + line(multiUser+0.1, "Starting cloud-final.service - C...")
	lines := strings.SplitAfter(out+strings.Join(more, "")+line(200, "Started t.timer - T."), "\n")
	slices.Sort(lines) // their times have one width
	return strings.Join(lines, "")
}

// logged is a boot of which all is said by its journal.
func logged(t *testing.T, log string) likeness.Boot {
	j := judged(t, log)
	return likeness.Boot{Name: "b", Full: j, Log: j}
}

// heldFor is a log of so many seconds in which the populator starts and does not come to an end.
func heldFor(seconds float64) string {
	return line(0, "systemd 257.9-1 running in system mode (+PAM)") + line(0.4, "Reached target local-fs.target - L.") + line(1, "Starting populate-vector-env.service - P...") + line(seconds, "Started t.timer - T.")
}

// from is a log of which the first n lines are lost.
func from(log string, n int) string { return strings.Join(strings.SplitAfter(log, "\n")[n:], "") }

func TestTheOrderOfKeyEventsCounts(t *testing.T) {
	t.Parallel()
	refused := line(4, "apt-daily.service: Main process exited, code=exited, status=1/FAILURE") + line(4.1, "apt-daily.service: Failed with result 'exit-code'.")
	local := line(0.4, "Reached target local-fs.target - L.")
	fetches := line(4, "vector.service: Main process exited, code=exited, status=1/FAILURE") + line(4.1, "vector.service: Failed with result 'exit-code'.")
	for _, tt := range []struct {
		name, journal, boot string
		is                  likeness.Verdict
		says                string
	}{
		{"it is the same at another pace", course(3, 9, 25), course(0.3, 1.1, 2), likeness.Reproduced, "nothing was wrong"},
		{"Vector before the populator", course(5, 2, 8), course(0.5, 2, 3), likeness.NotReproduced, "Vector starts before populator starts in the journal, after it in 1 of 1 boots"},
		{"side by side there is no order", course(1, 0.5, 8), course(0.5, 1, 3), likeness.Reproduced, "nothing was wrong"},
		{"another unit than the journal's failed", course(1, 2, 3, refused), course(1, 2, 3, fetches), likeness.NotReproduced, "no-unit-failed fails in the journal of other units than in the boots"},
		{"the same unit failed", course(1, 2, 3, fetches), course(1, 2, 3, fetches), likeness.Reproduced, "no-unit-failed"},
		{"Vector is started once more", course(1, 2, 3), course(1, 2, 3, line(9, "Stopping vector.service - V...")+line(9.1, "Started vector.service - V.")), likeness.NotReproduced, "Vector starts again in 1 of 1 boots, and not in the journal"},
		{"a unit that comes with the populator", course(1, 2, 3, line(5, "Started populate-vector-env-wait.service - W.")), course(1, 2, 3), likeness.NotReproduced, "populate-vector-env-wait.service starts in the journal"},
		{"a unit of somebody else", course(1, 2, 3, line(5, "Started walinuxagent.service - W.")), course(1, 2, 3), likeness.Reproduced, "nothing was wrong"},
		{"held, in a journal that ends sooner", heldFor(50), heldFor(130), likeness.Reproduced, "the boots are held by populate-vector-env.service, as the journal's is"},
		{"held, in a journal that ends later", heldFor(130), heldFor(50), likeness.Undecided, "the journal fails in boot-unblocked, which is not judged of the boots"},
		{"held on one side", course(1, 2, 3), heldFor(130), likeness.NotReproduced, "boot-unblocked fails in 1 of 1 boots"},
		{"what may have been before the journal's first line", from(course(0.1, 2, 3, local), 3), course(0.1, 2, 3, local), likeness.Reproduced, "nothing was wrong"},
		{"what a journal that begins later lacks", from(course(0.1, 2, 3, local), 4), course(0.1, 2, 3, local), likeness.Undecided, "populator starts is not in the journal"},
		{"what would be after it", local + from(course(0.5, 2, 3, local), 4), course(0.5, 2, 3, local), likeness.NotReproduced, "populator starts in 1 of 1 boots, and not in the journal"},
		{"what a boot was ended too early for", course(1, 2, 3, line(190, "Stopping vector.service - V...")+line(191, "Started vector.service - V.")),
			strings.ReplaceAll(course(1, 2, 3), line(200, "Started t.timer - T."), line(20, "Started t.timer - T.")), likeness.Undecided, "Vector starts again is not in the boots, which were not followed that far"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := likeness.Of(judged(t, tt.journal), []likeness.Boot{logged(t, tt.boot)})
			assert.Equal(t, tt.is, l.Verdict, l.Reason)
			assert.Contains(t, l.Reason, tt.says)
		})
	}
}

func TestWhatIsNotJudgedOfTheBootsIsNotReproduced(t *testing.T) {
	t.Parallel()
	j := judged(t, sent(t, exits, "export"))
	b := booted(t, j, good)[0]
	for i, r := range b.Full.Results {
		if r.Check == "no-unit-failed" || r.Check == "no-start-limit" || r.Check == "start-rate" {
			b.Full.Results[i] = check.Result{Check: r.Check, Outcome: check.NotJudged, Note: check.BySubject + "it may"}
		}
	}
	l := likeness.Of(j, []likeness.Boot{b})
	assert.Equal(t, []string{"no-unit-failed", "no-start-limit", "start-rate"}, standing(l, likeness.Unjudged))
	assert.NotEqual(t, likeness.Reproduced, l.Verdict, l.Reason)
}

func TestWhatToTryIsOfWhatDiffers(t *testing.T) {
	t.Parallel()
	start := func(unit string) string {
		return line(9, "Stopping "+unit+" - U...") + line(9.1, "Started "+unit+" - U.")
	}
	complete := line(3.5, "Finished cloud-final.service - C.")
	for _, tt := range []struct{ more, try string }{
		{start("vector.service"), "the host's own Vector"},
		{start("populate-vector-env.service"), "the subject as the host had it"},
		{line(9, "vector.service: Start request repeated too quickly."), "compare StartLimitBurst="},
		{line(9, "Started opensandbox-worker.service - W."), "another delay of worker.env"},
	} {
		t.Run(tt.more, func(t *testing.T) {
			t.Parallel()
			l := likeness.Of(judged(t, course(0.5, 2, 3, complete)), []likeness.Boot{logged(t, course(0.5, 2, 3, complete, tt.more))})
			require.NotEmpty(t, l.Differences, l.Reason)
			assert.True(t, strings.HasPrefix(l.Differences[0].Try, tt.try), "%s: %s", l.Differences[0].What, l.Differences[0].Try)
		})
	}
}

// A delay that the log does not say is the first thing to try another of.
func TestADelayThatIsAssumedIsWhatToTryFirst(t *testing.T) {
	t.Parallel()
	known := course(5, 2, 8, line(50, "Finished cloud-final.service - C."))
	for log, assumed := range map[string]bool{course(5, 2, 8): true, known: false} {
		l := likeness.Of(judged(t, log), []likeness.Boot{logged(t, course(0.5, 2, 3))})
		require.NotEmpty(t, l.Differences)
		assert.Equal(t, assumed, strings.HasPrefix(l.Differences[0].Try, "worker.env's delay is an assumption"), l.Differences[0].Try)
	}
}

func TestALikenessIsJSON(t *testing.T) {
	t.Parallel()
	j := judged(t, sent(t, exits, "export"))
	text, err := json.Marshal(likeness.Of(j, booted(t, j, exits)))
	require.NoError(t, err)
	var back likeness.Likeness
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	require.NoError(t, dec.Decode(&back))
	assert.Equal(t, likeness.Reproduced, back.Verdict)
	require.NotEmpty(t, back.Events)
	assert.Len(t, back.Events[0].Boots, 1)
}
