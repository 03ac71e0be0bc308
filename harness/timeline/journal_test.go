package timeline

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// one parses a single journal line with the fields every entry has.
func one(t *testing.T, fields string) (Event, string) {
	t.Helper()
	var d damage
	events, _ := readJournal(strings.NewReader(`{"__MONOTONIC_TIMESTAMP":"12500000","_PID":"1","SYSLOG_IDENTIFIER":"systemd",`+fields+"}\n"), 10*time.Second, &d)
	require.Len(t, events, 1)
	return events[0], d.String()
}

func TestJournalEntriesOfPID1(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, fields string
		kind         Kind
		unit         string
		change       Change
	}{
		{"a unit starting", `"MESSAGE_ID":"7d4958e842da4a758f6c1cdc7b36dcc5","UNIT":"two.service","JOB_TYPE":"start","INVOCATION_ID":"faae","MESSAGE":"Starting two.service - Two..."`,
			Starting, "two.service", Change{JobType: "start", Invocation: "faae"}},
		{"a target reached", `"MESSAGE_ID":"39f53479d3a045ac8e11786248231fbf","UNIT":"multi-user.target","JOB_TYPE":"start","JOB_RESULT":"done","MESSAGE":"Reached target multi-user.target - Multi-User System."`,
			Started, "multi-user.target", Change{JobType: "start", JobResult: "done"}},
		{"257 skips a unit under the message ID of a started one", `"MESSAGE_ID":"39f53479d3a045ac8e11786248231fbf","UNIT":"cond.service","JOB_TYPE":"start","JOB_RESULT":"done","INVOCATION_ID":"","MESSAGE":"cond.service - Cond skipped, unmet condition check ConditionPathExists=/nope"`,
			Skipped, "cond.service", Change{JobType: "start", JobResult: "done"}},
		{"252 skips a unit", `"MESSAGE_ID":"39f53479d3a045ac8e11786248231fbf","UNIT":"cond.service","JOB_TYPE":"start","JOB_RESULT":"done","MESSAGE":"cond.service - Cond was skipped because of an unmet condition check (ConditionPathExists=/nope)."`,
			Skipped, "cond.service", Change{JobType: "start", JobResult: "done"}},
		{"247 skips a unit", `"MESSAGE_ID":"39f53479d3a045ac8e11786248231fbf","UNIT":"cond.service","JOB_TYPE":"start","JOB_RESULT":"done","MESSAGE":"Condition check resulted in Cond being skipped."`,
			Skipped, "cond.service", Change{JobType: "start", JobResult: "done"}},
		{"a main process gone", `"MESSAGE_ID":"98e322203f7a4ed290d09fe03c09fe15","UNIT":"vector.service","EXIT_CODE":"exited","EXIT_STATUS":"78","COMMAND":"ExecStart","MESSAGE":"vector.service: Main process exited, code=exited, status=78/CONFIG"`,
			Exit, "vector.service", Change{ExitCode: "exited", ExitStatus: "78", Command: "ExecStart"}},
		{"a unit failed", `"MESSAGE_ID":"d9b373ed55a64feb8242e02dbe79a49c","UNIT":"vector.service","UNIT_RESULT":"exit-code","MESSAGE":"vector.service: Failed with result 'exit-code'."`,
			Failed, "vector.service", Change{Result: "exit-code"}},
		{"a unit failed until 229", `"UNIT":"vector.service","MESSAGE":"Unit vector.service entered failed state."`, Failed, "vector.service", Change{}},
		{"a unit failed until 239", `"UNIT":"vector.service","MESSAGE":"vector.service: Failed with result 'exit-code'."`, Failed, "vector.service", Change{Result: "exit-code"}},
		{"which is said once only", `"UNIT":"vector.service","MESSAGE":"vector.service: Unit entered failed state."`, Log, "vector.service", Change{}},
		{"a start refused until 229", `"UNIT":"vector.service","MESSAGE":"start request repeated too quickly for vector.service"`, Refused, "vector.service", Change{}},
		{"a restart scheduled", `"MESSAGE_ID":"5eb03494b6584870a536b337290809b3","UNIT":"vector.service","N_RESTARTS":"4","MESSAGE":"vector.service: Scheduled restart job, restart counter is at 4."`,
			Restart, "vector.service", Change{Count: 4}},
		{"a start refused, without a message ID", `"UNIT":"vector.service","MESSAGE":"vector.service: Start request repeated too quickly."`,
			Refused, "vector.service", Change{}},
		{"a cycle up to 257", `"UNIT":"cycb.service","MESSAGE":"cycb.service: Found ordering cycle on cyca.service/start"`,
			Cycle, "cycb.service", Change{JobType: "start"}},
		{"a job dropped up to 257", `"UNIT":"cycb.service","MESSAGE":"cycb.service: Job cyca.service/start deleted to break ordering cycle starting with cycb.service/start"`,
			Cycle, "cycb.service", Change{JobType: "start", Dropped: "cyca.service"}},
		{"a cycle since 258", `"MESSAGE_ID":"f27a3f94406a4783b946a9bc849e9452","MESSAGE":"Found ordering cycle: a.service/start after b.service/start after a.service/start"`,
			Cycle, "", Change{JobType: "start"}},
		{"a cycle since 258 in words yet unknown", `"MESSAGE_ID":"5084367542f7472dbc6a94125d5debce","UNIT":"a.service","MESSAGE":"Something else altogether"`,
			Cycle, "a.service", Change{}},
		{"a cycle that cannot be broken", `"MESSAGE":"a.service: Unable to break cycle starting with a.service/start"`, Cycle, "", Change{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, wrong := one(t, tt.fields)
			assert.Empty(t, wrong)
			assert.Equal(t, tt.kind, e.Kind)
			assert.Equal(t, tt.unit, e.Unit)
			assert.Equal(t, tt.change, e.Change)
			assert.True(t, e.Manager)
			assert.Equal(t, 2500*time.Millisecond, e.At)
		})
	}
}

func TestOnlyPID1IsBelievedOnUnits(t *testing.T) {
	t.Parallel()
	var d damage
	line := `{"__MONOTONIC_TIMESTAMP":"1","_PID":"812","_SYSTEMD_UNIT":"x.service","SYSLOG_IDENTIFIER":"systemd","UNIT":"vector.service","MESSAGE_ID":"d9b373ed55a64feb8242e02dbe79a49c","UNIT_RESULT":"exit-code","MESSAGE":"Found ordering cycle on a/start"}`
	events, _ := readJournal(strings.NewReader(line), 0, &d)
	require.Len(t, events, 1)
	assert.Equal(t, Log, events[0].Kind)
	assert.Equal(t, "x.service", events[0].Unit)
	assert.Contains(t, d.String(), "no entry of PID 1")
}

func TestAChildThatHasNotRunItsProgramYetSaysOfWhichUnitItIs(t *testing.T) {
	t.Parallel()
	for _, known := range []string{"", `"_SYSTEMD_UNIT":"init.scope",`, `"_SYSTEMD_UNIT":"wg-module.service",`} {
		var d damage
		line := `{"__MONOTONIC_TIMESTAMP":"1","_PID":"812",` + known + `"SYSLOG_IDENTIFIER":"(modprobe)","UNIT":"wg-module.service","MESSAGE":"wg-module.service: Unable to locate executable '/sbin/modprobe': No such file or directory"}`
		events, _ := readJournal(strings.NewReader(line), 0, &d)
		require.Len(t, events, 1)
		assert.Equal(t, Log, events[0].Kind)
		assert.Equal(t, "wg-module.service", events[0].Unit)
		assert.False(t, events[0].Manager)
	}
}

func TestAUsersManagerDoesNotSpeakOfTheMachinesUnits(t *testing.T) {
	t.Parallel()
	for _, message := range []string{"Start request repeated too quickly.", "Failed with result 'exit-code'.", "Found ordering cycle on b.service/start"} {
		var d damage
		line := `{"__MONOTONIC_TIMESTAMP":"1","_PID":"812","_SYSTEMD_UNIT":"user@1000.service","SYSLOG_IDENTIFIER":"systemd","USER_UNIT":"vector.service","MESSAGE":"vector.service: ` + message + `"}`
		events, _ := readJournal(strings.NewReader(line), 0, &d)
		require.Len(t, events, 1)
		assert.Equal(t, Log, events[0].Kind)
		assert.Equal(t, "user@1000.service", events[0].Unit)
		assert.False(t, events[0].Manager)
	}
}

func TestSystemctlInAScriptTellsOfARefusedStart(t *testing.T) {
	t.Parallel()
	var d damage
	line := `{"__MONOTONIC_TIMESTAMP":"1","_PID":"812","_SYSTEMD_UNIT":"cloud-final.service","MESSAGE":"Job for vector.service failed because start of the service was attempted too often."}`
	events, _ := readJournal(strings.NewReader(line), 0, &d)
	require.Len(t, events, 1)
	assert.Equal(t, Refused, events[0].Kind)
	assert.Equal(t, "vector.service", events[0].Unit)
}

func TestJournalFieldsComeInFourForms(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, raw, text, missing string }{
		{"a string", `"hello"`, "hello", ""},
		{"bytes, because a control character is in it", `[97,1,98]`, "a\x01b", ""},
		{"several values, of which the first counts", `["one","two"]`, "one", ""},
		{"several values, the first of them bytes", `[[104,105],"two"]`, "hi", ""},
		{"null, because it is large and --all was not given", `null`, "", "left out for its size"},
		{"an empty array", `[]`, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, wrong := one(t, `"MESSAGE":`+tt.raw)
			assert.Equal(t, tt.text, e.Text)
			if tt.missing == "" {
				assert.Empty(t, wrong)
			} else {
				assert.Contains(t, wrong, tt.missing)
			}
		})
	}
}

func TestSecretsAreNamedWhereverTheyStand(t *testing.T) {
	t.Parallel()
	token := imdsLike()
	codes := strings.Trim(strings.ReplaceAll(fmt.Sprint([]byte("a\x01 "+token)), " ", ","), "[]")
	for _, tt := range []struct{ name, fields, want string }{
		{"in the message, replaced by the recorder", `"MESSAGE":"token [secret:some-token] set"`, "some-token"},
		{"in a field nobody reads", `"MESSAGE":"x","_CMDLINE":"curl -H [secret:some-token]"`, "some-token"},
		{"in the second value of a field", `"MESSAGE":"x","NOTE":["a","[secret:some-token]"]`, "some-token"},
		{"in a message of bytes, which the recorder cannot search", `"MESSAGE":[` + codes + `]`, "imds-token"},
		{"unreplaced in a message", `"MESSAGE":"` + token + `"`, "imds-token"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, _ := one(t, tt.fields)
			assert.Equal(t, []string{tt.want}, e.Secrets)
			assert.NotContains(t, e.Text+e.Evidence.Text, token)
		})
	}
}

func imdsLike() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	return "bootrace-imds-" + hex.EncodeToString(b) + "-"
}

func TestNumberedLinesAreTakenFromTheirWriterOnly(t *testing.T) {
	t.Parallel()
	line := func(unit, id, more string) string {
		return fmt.Sprintf(`{"__MONOTONIC_TIMESTAMP":"5","_PID":"9","_SYSTEMD_UNIT":%q,"SYSLOG_IDENTIFIER":%q,"MESSAGE":"{\"source\":\"boot-logger\",\"seq\":12,\"late_us\":350%s}"}`, unit, id, more)
	}
	var d damage
	events, _ := readJournal(strings.NewReader(line("boot-logger.service", "boot-logger", "")+"\n"+line("vector.service", "vector", "")+"\n"+
		line("boot-logger.service", "boot-logger", `,\"psi_cpu_full_us\":7000`)+"\n"), 0, &d)
	require.Len(t, events, 3)
	assert.Equal(t, &Numbered{Source: "boot-logger", Seq: 12, Late: 350 * time.Microsecond, Lost: 7 * time.Millisecond, HasLost: true}, events[2].Line)
	assert.Equal(t, &Numbered{Source: "boot-logger", Seq: 12, Late: 350 * time.Microsecond}, events[0].Line)
	assert.Equal(t, Log, events[1].Kind, "Vector repeating a line has not logged it")
}

func TestDamagedJournalsAreReported(t *testing.T) {
	t.Parallel()
	good := `{"__MONOTONIC_TIMESTAMP":"5","_PID":"1","MESSAGE":"x"}` + "\n"
	for _, tt := range []struct {
		name, text, want string
		events           int
	}{
		{"nothing at all", "", "no entry", 0},
		{"a line cut in the middle", good + `{"__MONOTONIC_TIMESTAMP":"5","_PI`, "line 2: not a JSON object", 1},
		{"an entry without a clock", good + `{"_PID":"1"}` + "\n", "line 2: no __MONOTONIC_TIMESTAMP", 1},
		{"a line beyond all bounds", good + `{"MESSAGE":"` + strings.Repeat("x", maxLine) + "\"}\n" + good, "line 2: longer than", 2},
		{"a watch entry without its clock", good + `{"__MONOTONIC_TIMESTAMP":"5","_PID":"7","BOOTRACE_EVENT":"env-file","BOOTRACE_PATH":"/x","BOOTRACE_OP":"rename"}`, "without BOOTRACE_MONO", 2},
		{"messages of PID 1 suppressed", good + `{"__MONOTONIC_TIMESTAMP":"5","_PID":"30","MESSAGE_ID":"a596d6fe7bfa4994828e72309e95d61e","N_DROPPED":"12","MESSAGE":"Suppressed 12 messages from init.scope"}`, "dropped messages of PID 1", 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var d damage
			events, _ := readJournal(bytes.NewReader([]byte(tt.text)), 0, &d)
			assert.Len(t, events, tt.events)
			assert.Contains(t, d.String(), tt.want)
		})
	}
}

func FuzzJournal(f *testing.F) {
	f.Add([]byte(`{"__MONOTONIC_TIMESTAMP":"12","_PID":"1","MESSAGE":[97,1,98],"UNIT":["a","b"]}`))
	f.Add([]byte(`{"__MONOTONIC_TIMESTAMP":"12","MESSAGE":null,"X":[[1,2],[3]],"Y":[],"Z":[[[1]]]}` + "\n{\"a\""))
	f.Add([]byte(`{"__MONOTONIC_TIMESTAMP":"9223372036854775807","_PID":"1","BOOTRACE_EVENT":"env-file"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var d damage
		events, _ := readJournal(bytes.NewReader(data), time.Second, &d)
		for _, e := range events {
			if e.Evidence.File != Journal || e.Evidence.Line < 1 || e.Kind == "" {
				t.Fatalf("an event without evidence: %+v", e)
			}
			if e.Kind == Line && e.Line == nil || e.Kind == EnvFile && e.File == nil {
				t.Fatalf("an event without its detail: %+v", e)
			}
		}
	})
}
