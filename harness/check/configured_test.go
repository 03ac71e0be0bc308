package check_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bootrace/harness/check"
	"bootrace/harness/recording"
	"bootrace/harness/timeline"
	"bootrace/harness/timeline/timelinetest"
)

// configuration has the boot's Vector read that text.
func configuration(t *testing.T, text string) func(*boot) {
	return func(b *boot) {
		t.Helper()
		data, err := json.Marshal(recording.VectorConfig{Files: []recording.ConfigFile{{Path: "/etc/vector/vector.yaml", Format: "yaml", Text: text}}})
		require.NoError(t, err)
		b.Extra[timeline.Config] = append(data, '\n')
	}
}

// workerOnly is the form of production's: the worker's lines alone, and its metrics.
const workerOnly = `
sources:
  journal: {type: journald, include_units: [opensandbox-worker]}
  metrics: {type: prometheus_scrape, endpoints: ['http://127.0.0.1:9091/metrics'], scrape_interval_secs: 5}
transforms:
  who: {type: remap, inputs: [journal], source: '.cell_id = "${OPENCOMPUTER_CELL_ID}"'}
sinks:
  logs: {type: axiom, inputs: [who], token: '${AXIOM_PLATFORM_TOKEN}', dataset: '${AXIOM_PLATFORM_DATASET}'}
  metrics: {type: axiom, inputs: [metrics], token: '${AXIOM_PLATFORM_TOKEN}', dataset: '${AXIOM_PLATFORM_DATASET}'}
`

// shipped is a healthy boot whose Vector does what workerOnly says.
func shipped(b *boot) {
	for _, c := range b.Cloud {
		if c["op"] == "ingest" {
			delete(c["lines"].(map[string]string), "boot-logger")
			c["numbered"], c["identity"] = 30, map[string]int{"OPENCOMPUTER_CELL_ID": 30}
		}
	}
	b.Call(timelinetest.EndAt-time.Second, "axiom", "ingest", 200, "method", "POST", "token_name", timelinetest.LogToken, "auth", "ok", "events", 2, "metrics", 2)
}

func with(t *testing.T, text string, more ...func(*boot)) func(*boot) {
	return func(b *boot) {
		configuration(t, text)(b)
		shipped(b)
		for _, f := range more {
			f(b)
		}
	}
}

// silenced is a boot whose worker's lines come into the journal up to that number.
func silenced(upTo int, props ...string) func(*boot) {
	return func(b *boot) {
		seq := 0
		b.Journal = slices.DeleteFunc(b.Journal, func(e map[string]any) bool {
			if e["_SYSTEMD_UNIT"] != timelinetest.Worker {
				return false
			}
			seq++
			return seq > upTo
		})
		for _, c := range b.Cloud {
			if lines, ok := c["lines"].(map[string]string); ok {
				delete(lines, "opensandbox-worker")
				if c["op"] == "ingest" && upTo > 0 {
					lines["opensandbox-worker"] = fmt.Sprintf("1-%d", upTo)
				}
			}
		}
		b.Prop(timelinetest.Worker, append([]string{"SubState", "running"}, props...)...)
	}
}

func lastIngest(b *boot, change func(map[string]any)) {
	for i := len(b.Cloud) - 1; i >= 0; i-- {
		if b.Cloud[i]["op"] == "ingest" && b.Cloud[i]["lines"] != nil {
			change(b.Cloud[i])
			return
		}
	}
}

func withoutMetrics(b *boot) {
	for _, c := range b.Cloud {
		delete(c, "metrics")
	}
}

func withoutLastLines(b *boot) {
	lastIngest(b, func(c map[string]any) { c["lines"] = map[string]string{"opensandbox-worker": "3-20"} })
}

// keepsStub: another environment file has the vault's values, and leaves the stub's address as it is.
func keepsStub(b *boot) {
	b.EnvFile(300*time.Millisecond, timelinetest.VectorEnv, "rename", 160, "0600", "AXIOM_PLATFORM_URL=abcd0001,"+timelinetest.StubVars, true)
	b.VectorProcess(400, timelinetest.LoadedAt, timelinetest.VaultVars+",AXIOM_PLATFORM_URL=abcd0001")
	b.Cloud = slices.DeleteFunc(b.Cloud, func(c map[string]any) bool { return c["op"] == "ingest" })
}

func TestTheAddressOfAStub(t *testing.T) {
	judged(t, "logs-delivered", []row{
		{name: "stays beside the vault's values", want: check.Fail, break_: keepsStub, say: []string{"has the vault's values, and still the AXIOM_PLATFORM_URL of the stub, and nothing came to Axiom"}},
		{name: "is not the control plane's, which worker.env has", want: check.Fail, break_: func(b *boot) {
			b.EnvFile(300*time.Millisecond, "/etc/opensandbox/worker.env", "rename", 160, "0600", "CONTROLPLANE_URL=abcd0001", true)
			b.VectorProcess(400, timelinetest.LoadedAt, timelinetest.VaultVars+",CONTROLPLANE_URL=abcd0001")
			b.Cloud = slices.DeleteFunc(b.Cloud, func(c map[string]any) bool { return c["op"] == "ingest" })
		}, say: []string{"are not at Axiom"}, unit: "boot-logger.service"},
		{name: "is where Vector sends to", want: check.Pass, break_: func(b *boot) {
			cloud := slices.Clone(b.Cloud)
			keepsStub(b)
			b.Cloud = cloud
		}},
	})
}

func says(line string) func(*boot) {
	return func(b *boot) { b.Log(2*time.Second, timelinetest.Vector, line) }
}

func TestWhatIsOwedFollowsTheConfiguration(t *testing.T) {
	replace := func(from, to string) string {
		require.Contains(t, workerOnly, from)
		return strings.ReplaceAll(workerOnly, from, to)
	}
	withoutFirst := func(option string) func(*boot) {
		return func(b *boot) {
			configuration(t, strings.ReplaceAll(workerOnly, ", include_units: [opensandbox-worker]", option))(b)
			for _, c := range b.Cloud {
				if lines, ok := c["lines"].(map[string]string); ok {
					if rest, first := strings.CutPrefix(lines["boot-logger"], "1-"); first {
						lines["boot-logger"] = "2-" + rest
					}
				}
				if c["op"] == "ingest" {
					c["numbered"], c["identity"] = 30, map[string]int{"OPENCOMPUTER_CELL_ID": 30}
				}
			}
			b.Call(timelinetest.EndAt-time.Second, "axiom", "ingest", 200, "method", "POST", "token_name", timelinetest.LogToken, "auth", "ok", "events", 2, "metrics", 2)
		}
	}
	judged(t, "logs-delivered", []row{
		{name: "the boot logger's lines are not owed by one that does not name it", break_: with(t, workerOnly), want: check.Pass,
			say: []string{"opensandbox-worker 30 of 30 lines", "metrics of metrics arrive"}},
		{name: "they are by one that names no unit", break_: with(t, replace(", include_units: [opensandbox-worker]", "")), want: check.Fail, say: []string{"lines of boot-logger are not at Axiom"}},
		{name: "what was logged before its start is not read", break_: withoutFirst(", since_now: true"), want: check.Fail,
			say: []string{"lines of boot-logger are not at Axiom: 1; they are from before Vector, which was started at +0.", "its journald source has since_now: true"}},
		{name: "what was logged before its start is missing all the same", break_: withoutFirst(""), want: check.Fail, say: []string{"lines of boot-logger are not at Axiom: 1"}, never: "since_now"},
		{name: "the worker's are", break_: with(t, workerOnly, withoutLastLines), want: check.Fail, say: []string{"lines of opensandbox-worker are not at Axiom: 21"}},
		{name: "the worker's output goes nowhere", want: check.Fail, unit: "opensandbox-worker.service", break_: with(t, workerOnly, silenced(0, "StandardOutput", "null")),
			say: []string{"opensandbox-worker.service runs, and no line of it is in the journal since +20.300s: there is nothing that Vector could read (StandardOutput=null)"}},
		{name: "to another namespace", want: check.Fail, break_: with(t, workerOnly, silenced(0, "StandardOutput", "journal", "LogNamespace", "worker")), say: []string{"could read (LogNamespace=worker)"}},
		{name: "is not important enough", want: check.Fail, break_: with(t, workerOnly, silenced(0, "LogLevelMax", "3")), say: []string{"could read (LogLevelMax=err)"}},
		{name: "ends for a limit of its own", want: check.Fail, break_: with(t, workerOnly, silenced(3)), say: []string{"no further line of it is in the journal since +21.200s"}},
		{name: "the journal was read a while before the end", want: check.Pass, break_: with(t, workerOnly, func(b *boot) { b.End += 4 * time.Second })},
		{name: "it does not run any more", want: check.Pass, break_: with(t, workerOnly, silenced(3, "ActiveState", "inactive", "SubState", "dead"))},
		{name: "they come from another journal, and arrive", want: check.Pass, break_: with(t, workerOnly, func(b *boot) {
			before := slices.Clone(b.Cloud)
			for i, c := range before {
				before[i] = maps.Clone(c)
				if lines, ok := c["lines"].(map[string]string); ok {
					before[i]["lines"] = maps.Clone(lines)
				}
			}
			silenced(0, "LogNamespace", "worker")(b)
			b.Cloud = before
		})},
		{name: "nothing of the worker is shipped", break_: with(t, replace("[opensandbox-worker]", "[ssh.service]")), want: check.Fail,
			say: []string{"ships nothing of the worker", "no journald source takes"}},
		{name: "the worker's lines go to a blackhole", break_: with(t, replace("logs: {type: axiom", "logs: {type: blackhole")), want: check.Fail, say: []string{"they go to logs (blackhole)"}},
		{name: "the worker's lines go to Vector's own output", break_: with(t, replace("logs: {type: axiom", "logs: {type: console")), want: check.Fail, say: []string{"they go to logs (console)"}},
		{name: "the worker's lines go to a file", break_: with(t, replace("logs: {type: axiom", "logs: {type: file")), want: check.NotJudged, say: []string{"go to logs (file), where nobody looked"}},
		{name: "another source may have them", break_: with(t, replace("journal: {type: journald, include_units: [opensandbox-worker]}", "journal: {type: exec}")), want: check.NotJudged, say: []string{"may come by journal (exec)"}},
		{name: "a filter may keep some out", break_: with(t, replace("who: {type: remap", "who: {type: filter"), withoutLastLines), want: check.NotJudged, say: []string{"they pass who (filter)"}},
		{name: "a filter that kept none out", break_: with(t, replace("who: {type: remap", "who: {type: filter")), want: check.Pass},
		{name: "the stand-in could not play what they pass", want: check.NotJudged, say: []string{"which the stand-in cannot tell: who (remap): passed on, parse_grok"},
			break_: with(t, workerOnly, withoutLastLines, says(`WARN vector: bootrace stand-in plays: {"played":[{"id":"who","kind":"transform","type":"remap","how":"passed on","why":"parse_grok","unjudged":true}]}`))},
		{name: "what it passes over elsewhere is no excuse", want: check.Fail,
			break_: with(t, workerOnly, withoutLastLines, says(`bootrace stand-in plays: {"played":[{"id":"other","kind":"source","type":"host_metrics","how":"silent"}]}`))},
		{name: "the configuration cannot be read", break_: with(t, "sources: [", withoutLastLines), want: check.NotJudged, say: []string{"not known whether they are owed"}},
	})
}

func TestMetricsAndIdentityFollowTheConfiguration(t *testing.T) {
	nobody := func(b *boot) {
		lastIngest(b, func(c map[string]any) { c["identity"] = map[string]int{"OPENCOMPUTER_CELL_ID": 29} })
	}
	judged(t, "logs-delivered", []row{
		{name: "scraped metrics do not come", break_: with(t, workerOnly, withoutMetrics), want: check.Fail, say: []string{"no metrics of metrics (prometheus_scrape) came to Axiom"}},
		{name: "none was due yet", break_: with(t, strings.ReplaceAll(workerOnly, "secs: 5", "secs: 60"), withoutMetrics), want: check.Pass, say: []string{"no metrics of metrics were due yet"}},
		{name: "metrics are read and thrown away", break_: with(t, strings.ReplaceAll(workerOnly, "metrics: {type: axiom", "metrics: {type: blackhole"), withoutMetrics), want: check.Fail,
			say: []string{"reads metrics (metrics) and brings them to no sink"}},
		{name: "metrics go elsewhere", break_: with(t, strings.ReplaceAll(workerOnly, "metrics: {type: axiom", "metrics: {type: prometheus_exporter"), withoutMetrics), want: check.NotJudged},
		{name: "another host's metrics need not come", break_: with(t, strings.ReplaceAll(workerOnly, "127.0.0.1:9091", "example.org"), withoutMetrics), want: check.Pass},
		{name: "an event does not say who sent it", break_: with(t, workerOnly, nobody), want: check.Fail, say: []string{"puts OPENCOMPUTER_CELL_ID into each event, and 1 of the 30"}},
		{name: "no configuration asks for it", break_: with(t, strings.ReplaceAll(workerOnly, "${OPENCOMPUTER_CELL_ID}", "x"), nobody), want: check.Pass},
	})
}

func TestCredentialsAreThoseThatTheConfigurationReads(t *testing.T) {
	const secret = `
sources: {journal: {type: journald}}
sinks: {logs: {type: axiom, inputs: [journal], token: 'SECRET[files.token]', dataset: 'SECRET[files.dataset]'}}
`
	stub := func(b *boot) { b.VectorProcess(400, timelinetest.LoadedAt, timelinetest.StubVars) }
	untaken := func(b *boot) {
		for _, c := range b.Cloud {
			delete(c, "token_name")
		}
	}
	judged(t, "vector-credentialed", []row{
		{name: "a stub in a variable that is read", break_: with(t, workerOnly, stub), want: check.Fail, say: []string{"has not the vault's values"}},
		{name: "a stub in variables that nothing reads, the token from a secret backend", break_: with(t, secret, stub), want: check.Pass},
		{name: "a secret backend without the token", break_: with(t, secret, stub, untaken), want: check.Fail, say: []string{"from elsewhere than vector.env"}},
	})
}

func TestABootLoggerThatIsLeftOutIsNoLostJournal(t *testing.T) {
	leave := func(b *boot) {
		var kept []map[string]any
		for _, e := range b.Journal {
			if e["_SYSTEMD_UNIT"] != timelinetest.Logger && e["UNIT"] != timelinetest.Logger {
				kept = append(kept, e)
			}
		}
		b.Journal = kept
		delete(b.Units, timelinetest.Logger)
	}
	silent := func(b *boot) {
		leave(b)
		b.Prop(timelinetest.Logger, "LoadState", "loaded", "ActiveState", "failed")
	}
	judged(t, "logs-delivered", []row{
		{name: "left out", break_: with(t, workerOnly, leave), want: check.Pass},
		{name: "there and silent", break_: with(t, workerOnly, silent), want: check.NoEvidence, say: []string{"no line of the boot logger"}},
	})
}
