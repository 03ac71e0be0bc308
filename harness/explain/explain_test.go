package explain

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/boot"
	"bootrace/harness/check"
	"bootrace/harness/timeline"
	"bootrace/harness/timeline/timelinetest"
	"bootrace/results"
)

func failed(checks ...results.Check) results.Case {
	for i := range checks {
		checks[i].Outcome = "fail"
	}
	return results.Case{Recording: "r", Attempts: []results.Attempt{{Recording: "other"}, {Recording: "r", Checks: checks}}}
}

func one(name, summary string, evidence ...string) results.Check {
	f := results.Finding{Summary: summary, Unit: "a.service"}
	for _, text := range evidence {
		f.Evidence = append(f.Evidence, results.Evidence{File: "console.log", Line: 7, Text: text})
	}
	return results.Check{Name: name, Findings: []results.Finding{f}}
}

func TestEveryCheckHasItsPlaceAmongTheCauses(t *testing.T) {
	for _, c := range check.Table() {
		e, ok := Case(failed(one(c.Name, "seen")), boot.Facts{})
		require.True(t, ok, "%s has no row in causes", c.Name)
		assert.Equal(t, c.Name, e.Check)
		assert.NotEmpty(t, e.Change)
	}
	assert.Len(t, causes, len(check.Table()), "each row is of a check that there is, and once")
}

func TestTheCauseComesBeforeWhatFollowsFromIt(t *testing.T) {
	e, ok := Case(failed(one("vector-active", "Vector is inactive"), one("no-ordering-cycle", "dropped",
		"a.service: Found ordering cycle on cloud-final.service/start", "a.service: Found dependency on multi-user.target/start")), boot.Facts{})
	require.True(t, ok)
	assert.Equal(t, "dropped", e.Why)
	assert.Equal(t, []string{"the cycle goes through a.service, cloud-final.service, multi-user.target"}, e.More)
	assert.Equal(t, []string{"vector-active: Vector is inactive"}, e.Then)
	assert.Len(t, e.Evidence, 2)
}

func TestWhatTheHostExplainsIsNoCause(t *testing.T) {
	late := one("boot-unblocked", "multi-user.target 2.2s later")
	late.Findings[0].Host = "other processes had the CPU for 3s"
	e, ok := Case(failed(late, one("vector-credentialed", "no request came to IMDS or the vault; a.service was skipped")), boot.Facts{})
	require.True(t, ok)
	assert.Equal(t, "vector-credentialed", e.Check)
	assert.Contains(t, e.Change, "see what starts the unit that fetches them")
	assert.Equal(t, []string{"boot-unblocked: multi-user.target 2.2s later (other processes had the CPU for 3s, which explains it)"}, e.Then)
	late.Findings[0].Host = ""
	e, _ = Case(failed(late, one("vector-credentialed", "a stub")), boot.Facts{})
	assert.Equal(t, "boot-unblocked", e.Check)
}

func TestWhatTheHostExplainsIsTheCauseOfWhatItDoesNot(t *testing.T) {
	for _, tt := range []struct{ name, says, lost, want string }{
		{"no line came to the end", "the Vector that runs since +1.2s has not the vault's values: AXIOM_PLATFORM_TOKEN is unset", "55 of 55 lines of boot-logger are not at Axiom: 1-55", "vector-credentialed"},
		{"no Vector runs", "no Vector runs, so none has the vault's values", "55 of 55 lines of boot-logger are not at Axiom: 1-55", "vector-credentialed"},
		{"some came", "the Vector that runs since +1.2s has not the vault's values: AXIOM_PLATFORM_TOKEN is unset", "5 of 55 lines of boot-logger are not at Axiom: 1-5", "logs-delivered"},
		{"it was late", "Vector has the vault's values 31s after worker.env was complete, must be within 30s", "55 of 55 lines of boot-logger are not at Axiom: 1-55", "logs-delivered"},
		{"the journal is kept from it", "the Vector that runs since +1.2s has not the vault's values: AXIOM_PLATFORM_TOKEN is unset", "journald keeps nothing", "logs-delivered"},
	} {
		credentialed, lost := one("vector-credentialed", tt.says), one("logs-delivered", tt.lost)
		credentialed.Findings[0].Host = "other processes had the CPU for 3s"
		e, ok := Case(failed(credentialed, lost), boot.Facts{})
		require.True(t, ok)
		assert.Equal(t, tt.want, e.Check, tt.name)
		if tt.want == "vector-credentialed" {
			assert.NotContains(t, e.Headline(), "which explains it", tt.name)
		}
	}
}

func TestAStormOfStartsIsACauseAndABurntLimitIsOne(t *testing.T) {
	storm := one("start-rate", "59 starts")
	e, _ := Case(failed(one("boot-unblocked", "late"), storm), boot.Facts{})
	assert.Equal(t, "start-rate", e.Check)
	e, _ = Case(failed(one("no-start-limit", "refused"), storm), boot.Facts{})
	assert.Equal(t, "no-start-limit", e.Check)
}

func TestTheRequestThatDecidedIsNamed(t *testing.T) {
	request := func(at int, secret string, status int, err string) timeline.Event {
		return timeline.Event{Kind: timeline.Request, At: time.Duration(at) * time.Second,
			Call: &timeline.Call{Service: "keyvault", Op: "secrets.get", Secret: secret, Status: status, Error: err}}
	}
	tl := timeline.Timeline{Events: []timeline.Event{
		request(1, "token", 401, ""), request(1, "token", 503, ""), request(2, "token", 200, ""),
		request(3, "cell", 404, "SecretNotFound"), request(4, "cell", 0, "refused"),
	}}
	e, _ := Case(failed(one("vector-credentialed", "a stub")), boot.Of(tl))
	assert.Equal(t, []string{"keyvault cell: its last answer, at +4.000s, was refused; it was asked 2 times"}, e.More)
	e, _ = Case(failed(one("vector-credentialed", "a stub")), boot.Of(timeline.Timeline{Events: []timeline.Event{{Kind: timeline.Log}}}))
	assert.Equal(t, []string{"no request reached IMDS or the vault"}, e.More)
}

func TestATokenThatIsNoneIsTheRequestThatDecided(t *testing.T) {
	useless := timeline.Event{Kind: timeline.Request, At: time.Second, Call: &timeline.Call{Service: "keyvault", Op: "secrets.get", Secret: "token", Status: 401, Error: "Unauthorized", Auth: "wrong"}}
	e, _ := Case(failed(one("vector-credentialed", "a stub")), boot.Of(timeline.Timeline{Events: []timeline.Event{useless}}))
	assert.Equal(t, []string{"keyvault token: its last answer, at +1.000s, was 401 Unauthorized; it was asked 1 times"}, e.More)
}

// storm is a Type=simple service that fails and is asked for again: systemd says nothing
// of its starting, and charges those starts twice that somebody asks for meanwhile.
func storm() *timelinetest.Boot {
	b := timelinetest.Healthy()
	const unit = timelinetest.Subject
	b.Prop(unit, "WantedBy", "")
	for i := range 2 {
		at := time.Duration(i+2) * time.Second
		b.PID1(at-time.Millisecond, "5eb03494b6584870a536b337290809b3", unit, fmt.Sprintf("%s: Scheduled restart job immediately on client request, restart counter is at %d.", unit, i+1), nil)
		b.StartsAtOnce(at, unit)
		b.Failed(at+time.Millisecond, unit, "exit-code")
	}
	b.TooQuickly(5*time.Second, unit)
	return b
}

// asked is a healthy boot's subject that a script started once more and that its own
// Restart= did: who asked is told.
func asked() *timelinetest.Boot {
	b := timelinetest.Healthy()
	b.Starting(2*time.Second, timelinetest.Subject)
	b.RestartScheduled(3*time.Second, timelinetest.Subject, 1)
	b.Starting(3*time.Second, timelinetest.Subject)
	return b
}

func subjects() check.Expect {
	return check.Expect{Setup: boot.Setup{RoleEnv: boot.Late, SubjectUnits: []string{timelinetest.Subject}}, Limits: check.Limits{StartsAllowed: map[string]int{timelinetest.Subject: 1}}}
}

func read(t *testing.T, fsys fs.FS) boot.Facts {
	t.Helper()
	tl, err := timeline.Read(fsys)
	require.NoError(t, err)
	return boot.Of(tl)
}

func TestABootToAnotherTargetIsTheCauseOfWhatFailsWithoutTheRoleEnv(t *testing.T) {
	t.Parallel()
	const nowhere = "multi-user.target was not reached, and no job for it is queued"
	worker := []results.Check{one("no-start-limit", "a start of opensandbox-worker.service was refused"), one("no-unit-failed", "opensandbox-worker.service failed")}
	e, _ := Case(failed(append(worker, one("boot-unblocked", nowhere+": the boot was over without it, for the default target is another one"))...), boot.Facts{})
	assert.Equal(t, "boot-unblocked", e.Check)
	assert.Contains(t, e.Change, "systemctl set-default")
	e, _ = Case(failed(append(worker, one("boot-unblocked", nowhere))...), boot.Facts{})
	assert.Equal(t, "no-start-limit", e.Check)
}

func TestWhatIsSaidOfAFindingDecidesTheMend(t *testing.T) {
	t.Parallel()
	for says, want := range map[[2]string]string{
		{"env-file-whole", "vector.env was removed while it held AXIOM_PLATFORM_TOKEN"}:                                                                                                                              "RuntimeDirectoryPreserve=yes",
		{"env-file-whole", "vector.env was written in place"}:                                                                                                                                                        "write a temporary file in the same directory",
		{"vector-credentialed", "AXIOM_PLATFORM_TOKEN has the value of AXIOM_PLATFORM_METRICS_TOKEN"}:                                                                                                                "mixed up",
		{"vector-credentialed", "AXIOM_PLATFORM_TOKEN is another value"}:                                                                                                                                             "ask again until",
		{"vector-credentialed", "it was stopped at +4.000s, as fetch.service ended, which has PropagatesStopTo= it"}:                                                                                                 "take PropagatesStopTo=vector.service away",
		{"vector-credentialed", "/run/vk/vector.env, which vector.service reads (EnvironmentFile=), is not there at the end"}:                                                                                        "RuntimeDirectoryPreserve=yes",
		{"vector-credentialed", "IMDS gave no token in 6 requests, the last answer at +34.176s was 400 bad_request_102"}:                                                                                             "Metadata: true",
		{"vector-credentialed", "the vault gave no secret in 6 requests, the last answer at +35.024s was 401 Unauthorized"}:                                                                                          "another resource",
		{"vector-credentialed", "vector.env has the vault's values since +3s, and nothing started vector.service again after that: x"}:                                                                               "restart vector.service once the file is written",
		{"vector-credentialed", "nothing started vector.service again after that (fetch.service said: \"Failed to restart vector.service: Access denied\")"}:                                                         "let root restart Vector",
		{"vector-credentialed", "no request came to IMDS or the vault; fetch.service has PrivateNetwork=yes, which keeps it from the network"}:                                                                       "let it have the network",
		{"vector-credentialed", "no request came to IMDS or the vault; fetch.service runs since +2.564s"}:                                                                                                            "see what starts the unit",
		{"no-unit-failed", "fetch.service failed (exit-code); its main process exited with status 203, EXEC: its program could not be run"}:                                                                          "put the program where ExecStart= says",
		{"no-start-limit", "a start of vector.service was refused: too quickly; it was asked for 5 times, and fetch.service was started 6 times: Upholds= of multi-user.target starts it again whenever it is over"}: "RemainAfterExit=yes, or say Wants=",
		{"no-start-limit", "too quickly; it ended well each time, and fetch.path starts it again whenever it is over"}:                                                                                               "PathChanged=",
		{"no-start-limit", "too quickly; it ended well each time, and fetch.socket starts it again whenever it is over"}:                                                                                             "accept the connection",
		{"boot-unblocked", "it waits for cloud-init-network.service (activating), in which cloud-init runs `bootcmd`"}:                                                                                               "out of bootcmd",
		{"registered", "cloud-final.service has not come to the user data, which writes worker.env and starts the worker"}:                                                                                           "one after the other",
		{"no-unit-failed", "fetch.service failed (exit-code); it said last: ModuleNotFoundError: No module named 'azure'"}:                                                                                           "have the module in the image",
		{"no-unit-failed", "fetch.service failed (exit-code); it said last: mktemp: Read-only file system"}:                                                                                                          "ReadWritePaths=",
		{"logs-delivered", "5 of 19 lines of boot-logger are not at Axiom: 1-5; they are from before Vector, which was started at +1s, began to read, and its journald source has since_now: true"}:                  "take since_now away",
		{"vector-credentialed", "it ended at +4.000s without an error, and Restart=no does not start it again"}:                                                                                                      "Restart=always",
	} {
		e, ok := Case(failed(one(says[0], says[1])), boot.Facts{})
		require.True(t, ok)
		assert.Contains(t, e.Change, want, says[1])
	}
}

func TestWhoAsksTooOftenIsToldToAskOnce(t *testing.T) {
	t.Parallel()
	const once = "restart the unit once"
	often := timelinetest.Healthy()
	for i := range 4 {
		often.Stopped(time.Duration(i+2)*time.Second, timelinetest.Subject)
		often.Starting(time.Duration(i+2)*time.Second+20*time.Millisecond, timelinetest.Subject)
		often.Started(time.Duration(i+2)*time.Second+30*time.Millisecond, timelinetest.Subject)
	}
	often.TooQuickly(7*time.Second, timelinetest.Subject)
	e, _ := Case(failed(of(timelinetest.Subject, "no-start-limit")), read(t, often.FS()))
	assert.Contains(t, e.Change, once)
	e, _ = Case(failed(of(timelinetest.Subject, "no-start-limit")), read(t, storm().FS()))
	assert.NotContains(t, e.Change, once, "it failed")
	e, _ = Case(failed(of(timelinetest.Subject, "no-start-limit")), read(t, asked().FS()))
	assert.NotContains(t, e.Change, once, "one of its starts was asked for")
}

// What an explanation counts and what the checks count is one fact: explain once said
// three starts where the check said five.
func TestAnExplanationCountsAsTheChecksDo(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		boot boot.Facts
		unit string
		want string
	}{
		"a storm": {read(t, storm().FS()), timelinetest.Subject,
			"was started 3 times from +0.230s to +3.000s (3 by others) and failed 2 times; populate-vector-env.service used 5 of 5 starts in 10s (2 were asked for while"},
		"who asked": {read(t, asked().FS()), timelinetest.Subject,
			"was started 3 times from +0.230s to +3.000s (1 by the boot, 1 by its automatic restart, 1 by others) and failed 0 times; populate-vector-env.service used 3 of 5 starts in 10s"},
		"a journal that lost something": {read(t, func() fs.FS { b := asked(); b.Replace[timeline.Journal] = cut(b.FS(), timeline.Journal); return b.FS() }()),
			timelinetest.Subject, "was started at least"},
		"a real boot": {read(t, os.DirFS("../judge/testdata/exit-1-delay-45s-trixie")), "populate-vector-env.service", "used 5 of 5 starts in 10s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said := spenders(tt.boot, of(tt.unit, "no-start-limit"))
			require.Len(t, said, 1)
			assert.Contains(t, said[0], tt.want)
			if tt.boot.Unknown(timeline.Journal) != "" {
				return
			}
			e := subjects()
			results := map[string]check.Result{}
			for _, r := range check.Judge(tt.boot, e) {
				results[r.Check] = r
			}
			limit, _ := tt.boot.StartLimit(tt.unit)
			assert.Contains(t, results["no-start-limit"].Note, limit.String())
			assert.Contains(t, said[0], limit.String())
			starts := tt.boot.Starts(tt.unit).All
			assert.Contains(t, said[0], fmt.Sprintf("was started %d times", len(starts)))
			within, _ := boot.Busiest(starts, 10*time.Second)
			assert.Contains(t, results["start-rate"].Findings[0].Summary, fmt.Sprintf("started %d times within", within))
			for _, f := range results["no-unit-failed"].Findings {
				if f.Unit == tt.unit {
					assert.Contains(t, said[0], strings.TrimSuffix(strings.Fields(f.Summary)[3], ",")+" times")
				}
			}
		})
	}
}

func cut(fsys fs.FS, name string) []byte {
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		panic(err)
	}
	return data[:len(data)-1]
}

func TestWhatDidNotFailNeedsNoExplanation(t *testing.T) {
	_, ok := Case(results.Case{Recording: "r", Attempts: []results.Attempt{{Recording: "r", Checks: []results.Check{{Name: "registered", Outcome: "pass"}}}}}, boot.Facts{})
	assert.False(t, ok)
}

func TestWhatTheHostSpoiltIsNotBlamedOnTheSubject(t *testing.T) {
	for verdict, explained := range map[string]bool{"fail": true, "flaky": true, "invalid": false, "error": false} {
		c := failed(one("boot-unblocked", "late"))
		c.Verdict = verdict
		_, ok := Case(c, boot.Facts{})
		assert.Equal(t, explained, ok, verdict)
	}
}

func TestAConfigurationThatShipsTooLittleIsNotMendedByAStub(t *testing.T) {
	for says, mend := range map[string]string{
		"Vector's configuration ships nothing of the worker: no journald source takes the lines of opensandbox-worker.service": "journald source",
		"Vector's configuration reads metrics (metrics) and brings them to no sink":                                            "inputs of a sink",
		"7 of 19 lines of opensandbox-worker are not at Axiom: 1-7":                                                            "stub whose URL nobody answers",
	} {
		e, ok := Case(failed(one("logs-delivered", says)), boot.Facts{})
		require.True(t, ok)
		assert.Contains(t, e.Change, mend, says)
	}
	e, _ := Case(failed(one("vector-active", "vector.service has Restart=no: the first crash of Vector ends log shipping for good")), boot.Facts{})
	assert.Contains(t, e.Change, "Restart=always")
}

func TestLinesThatAVectorWhichIsGoneDidNotShipComeOfThat(t *testing.T) {
	gone, lost := one("vector-active", "vector.service is inactive/dead at the end: it was stopped at +4s"), one("logs-delivered", "7 of 13 lines are not at Axiom")
	e, _ := Case(failed(lost, gone), boot.Facts{})
	assert.Equal(t, "vector-active", e.Check)
	e, _ = Case(failed(lost, one("vector-active", "vector.service has Restart=no: the first crash of Vector ends log shipping for good")), boot.Facts{})
	assert.Equal(t, "logs-delivered", e.Check)
}

func TestWhatWasRightAndWasUndoneIsTheCauseOfAFileThatLostValues(t *testing.T) {
	lost, other := one("env-file-whole", "vector.env lost values it had"), one("vector-credentialed", "the Vector that runs has not the vault's values")
	e, _ := Case(failed(lost, other), boot.Facts{})
	assert.Equal(t, "env-file-whole", e.Check)
	e, _ = Case(failed(lost, one("vector-credentialed", "what was right was overwritten: …"), one("logs-delivered", "lost")), boot.Facts{})
	assert.Equal(t, "vector-credentialed", e.Check)
	assert.Contains(t, e.Change, "refresh")
	assert.Equal(t, []string{"logs-delivered: lost", "env-file-whole: vector.env lost values it had"}, e.Then)
}
