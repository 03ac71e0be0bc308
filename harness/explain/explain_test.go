package explain

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/check"
	"bootrace/harness/timeline"
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
		e, ok := Case(failed(one(c.Name, "seen")), timeline.Timeline{})
		require.True(t, ok, c.Name)
		assert.Equal(t, c.Name, e.Check)
		assert.NotEmpty(t, e.Change)
	}
	assert.Len(t, causes, len(check.Table()))
}

func TestTheCauseComesBeforeWhatFollowsFromIt(t *testing.T) {
	e, ok := Case(failed(one("vector-active", "Vector is inactive"), one("no-ordering-cycle", "dropped",
		"a.service: Found ordering cycle on cloud-final.service/start", "a.service: Found dependency on multi-user.target/start")), timeline.Timeline{})
	require.True(t, ok)
	assert.Equal(t, "dropped", e.Why)
	assert.Equal(t, []string{"the cycle goes through a.service, cloud-final.service, multi-user.target"}, e.More)
	assert.Equal(t, []string{"vector-active: Vector is inactive"}, e.Then)
	assert.Len(t, e.Evidence, 2)
}

func TestAStormOfStartsIsACauseAndABurntLimitIsOne(t *testing.T) {
	storm := one("start-rate", "59 starts")
	e, _ := Case(failed(one("boot-unblocked", "late"), storm), timeline.Timeline{})
	assert.Equal(t, "start-rate", e.Check)
	e, _ = Case(failed(one("no-start-limit", "refused"), storm), timeline.Timeline{})
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
	e, _ := Case(failed(one("vector-credentialed", "a stub")), tl)
	assert.Equal(t, []string{"keyvault cell: its last answer, at +4.000s, was refused; it was asked 2 times"}, e.More)
	e, _ = Case(failed(one("vector-credentialed", "a stub")), timeline.Timeline{Events: []timeline.Event{{Kind: timeline.Log}}})
	assert.Equal(t, []string{"no request reached IMDS or the vault"}, e.More)
}

func TestATokenThatIsNoneIsTheRequestThatDecided(t *testing.T) {
	useless := timeline.Event{Kind: timeline.Request, At: time.Second, Call: &timeline.Call{Service: "keyvault", Op: "secrets.get", Secret: "token", Status: 401, Error: "Unauthorized", Auth: "wrong"}}
	e, _ := Case(failed(one("vector-credentialed", "a stub")), timeline.Timeline{Events: []timeline.Event{useless}})
	assert.Equal(t, []string{"keyvault token: its last answer, at +1.000s, was 401 Unauthorized; it was asked 1 times"}, e.More)
}

func TestWhoSpentTheStartsIsCounted(t *testing.T) {
	tl := timeline.Timeline{Final: timeline.Final{Units: map[string]timeline.Unit{"a.service": {StartLimitBurst: 2, StartLimitInterval: 10 * time.Second}}}}
	for i := range 2 {
		at := time.Duration(i+1) * time.Second
		tl.Events = append(tl.Events, timeline.Event{Kind: timeline.Starting, Unit: "a.service", At: at},
			timeline.Event{Kind: timeline.StartFailed, Unit: "a.service", At: at})
	}
	e, _ := Case(failed(one("no-start-limit", "refused")), tl)
	assert.Equal(t, []string{"a.service was started 2 times from +1.000s to +2.000s and failed 2 times; its limit is 2 starts in 10s"}, e.More)
}

func TestWhatDidNotFailNeedsNoExplanation(t *testing.T) {
	_, ok := Case(results.Case{Recording: "r", Attempts: []results.Attempt{{Recording: "r", Checks: []results.Check{{Name: "registered", Outcome: "pass"}}}}}, timeline.Timeline{})
	assert.False(t, ok)
}

func TestWhatTheHostSpoiltIsNotBlamedOnTheSubject(t *testing.T) {
	for verdict, explained := range map[string]bool{"fail": true, "flaky": true, "invalid": false, "error": false} {
		c := failed(one("boot-unblocked", "late"))
		c.Verdict = verdict
		_, ok := Case(c, timeline.Timeline{})
		assert.Equal(t, explained, ok, verdict)
	}
}

func TestAConfigurationThatShipsTooLittleIsNotMendedByAStub(t *testing.T) {
	for says, mend := range map[string]string{
		"Vector's configuration ships nothing of the worker: no journald source takes the lines of opensandbox-worker.service": "journald source",
		"Vector's configuration reads metrics (metrics) and brings them to no sink":                                            "inputs of a sink",
		"7 of 19 lines of opensandbox-worker are not at Axiom: 1-7":                                                            "stub whose URL nobody answers",
	} {
		e, ok := Case(failed(one("logs-delivered", says)), timeline.Timeline{})
		require.True(t, ok)
		assert.Contains(t, e.Change, mend, says)
	}
	e, _ := Case(failed(one("vector-active", "vector.service has Restart=no: the first crash of Vector ends log shipping for good")), timeline.Timeline{})
	assert.Contains(t, e.Change, "Restart=always")
}
