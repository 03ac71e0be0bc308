package explain_test

import (
	"bytes"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/journal"
	"bootrace/harness/verdict"
)

// transports are what happens to a log on its way to whoever judges it.
var transports = map[string]func(line string) string{
	"CRLF":             func(l string) string { return l + "\r" },
	"docker logs -t":   func(l string) string { return "2026-11-27T10:00:00.123456789Z " + l },
	"a CI runner":      func(l string) string { return "2026-11-27T10:00:00.1234567Z \x1b[36m" + l + "\x1b[0m" },
	"kubectl --prefix": func(l string) string { return "[pod/worker-0/boot] " + l },
	"docker compose":   func(l string) string { return "worker-1  | " + l },
	"kubectl's file":   func(l string) string { return "2026-11-27T10:00:00.123456789+00:00 stdout F " + l },
	"packer":           func(l string) string { return "    azure-arm: " + l },
	"ts(1)":            func(l string) string { return "Nov 27 10:00:00 " + l },
	"Jenkins":          func(l string) string { return "[2026-11-27T10:00:00.123Z] " + l },
	"quoted":           func(l string) string { return "> " + l },
	"indented":         func(l string) string { return "    " + l },
	"a 3270":           func(l string) string { return strings.ReplaceAll(strings.ReplaceAll(l, "[", "¬"), "]", "|") },
	"wrapped at 80":    func(l string) string { return wrapped(l, 80) },
	"grep -n":          func(l string) string { return "/var/log/syslog.1:12:" + l },
	"aws logs tail":    func(l string) string { return "2026-11-27T10:00:00.000000+00:00 i-0123456789abcdef0 " + l },
	"logcli":           func(l string) string { return `2026-11-27T10:00:00Z {job="varlogs"} ` + l },
	"Loki's lines":     func(l string) string { return object("labels", map[string]string{"job": "varlogs"}, "line", l) },
	"Filebeat":         func(l string) string { return object("@timestamp", "2026-11-27T10:00:00Z", "message", l) },
	"Splunk's objects": func(l string) string { return object("preview", false, "result", map[string]string{"_raw": l}) },
}

// stores are what gives a whole log back in a form of its own.
var stores = map[string]func(lines []string) string{
	"GetConsoleOutput": func(ls []string) string {
		return object("InstanceId", "i-0", "Output", strings.Join(ls, "\r\n")+"\r\n")
	},
	"GetConsoleOutput in base64": func(ls []string) string {
		return base64.StdEncoding.EncodeToString([]byte(strings.Join(ls, "\r\n") + "\r\n"))
	},
	"az vm run-command": func(ls []string) string {
		return object("value", []any{map[string]string{"message": "Enable succeeded: \n[stdout]\n" + strings.Join(ls, "\n") + "\n\n[stderr]\n"}})
	},
	"Cloud Logging": func(ls []string) string {
		return list(ls, func(l string) any {
			return map[string]any{"textPayload": l, "resource": map[string]string{"type": "gce_instance"}}
		})
	},
	"get-log-events": func(ls []string) string {
		return object("events", json.RawMessage(list(ls, func(l string) any { return map[string]any{"timestamp": 1795473573793, "message": l} })))
	},
	"Loki's API": func(ls []string) string {
		values := json.RawMessage(list(ls, func(l string) any { return []string{"1795473573793979000", l} }))
		return object("data", map[string]any{"result": []any{map[string]any{"stream": map[string]string{"job": "varlogs"}, "values": values}}})
	},
	"Logs Insights":   func(ls []string) string { return rows(',', "@timestamp", "@message", ls) },
	"a table by tabs": func(ls []string) string { return rows('\t', "time", "message", ls) },
}

func object(members ...any) string {
	o := map[string]any{}
	for i := 0; i < len(members); i += 2 {
		o[members[i].(string)] = members[i+1]
	}
	return encoded(o)
}

func list(lines []string, of func(string) any) string {
	var all []any
	for _, l := range lines {
		all = append(all, of(l))
	}
	return encoded(all)
}

func encoded(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func rows(comma rune, at, line string, lines []string) string {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Comma = comma
	_ = w.Write([]string{at, line})
	for _, l := range lines {
		_ = w.Write([]string{"2026-11-27T10:00:00.000Z", l})
	}
	w.Flush()
	return b.String()
}

func wrapped(line string, at int) string {
	var out []string
	for r := []rune(line); ; r = r[at:] {
		if len(r) <= at {
			return strings.Join(append(out, string(r)), "\n")
		}
		out = append(out, string(r[:at]))
	}
}

// changed are forms that a transport makes something else of: what stands in columns, and
// what other programs print; and what is wrapped or torn already.
var changed = regexp.MustCompile(`json|blame|critical-chain|list-|wrapped-mail|mangled|at-login|bbcode|cut-sentence|wrapped-short|status-(?:of-a-user|without-sign)|cloud-init-command|grep-of|pasted-twice|status-and-journal|coreos-login|device-within|line-end-lost|job-of-|status-cut-above|fine-comment-quotes|dracut-could-not|panic-named-guest`)

// TestALogIsToldTheSameHoweverItCame: what carried a log changes nothing of its cause.
func TestALogIsToldTheSameHoweverItCame(t *testing.T) {
	for name, w := range logs {
		data, err := os.ReadFile(filepath.Join("testdata", "logs", name))
		require.NoError(t, err)
		if changed.MatchString(name) {
			continue
		}
		carried := map[string]string{}
		lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
		for how, carry := range transports {
			for _, line := range lines {
				carried[how] += carry(line) + "\n"
			}
		}
		for how, store := range stores {
			carried[how] = store(lines)
		}
		for how, out := range carried {
			t.Run(fmt.Sprintf("%s/%s", name, how), func(t *testing.T) {
				t.Parallel()
				path := filepath.Join(t.TempDir(), "log")
				require.NoError(t, os.WriteFile(path, []byte(out), 0o600))
				j, story := told(t, path)
				assert.Equal(t, w.verdict, j.Verdict, story.Headline)
				if w.verdict == verdict.Fail {
					assert.Regexp(t, w.headline, story.Headline)
				}
			})
		}
	}
}

// TestALogIsToldTheSameOfTheFieldsThatAStoreKept: who spoke, what, and when, and none of journald's other fields.
func TestALogIsToldTheSameOfTheFieldsThatAStoreKept(t *testing.T) {
	for name, w := range logs {
		if name == "cut-sentence.txt" { // a record is whole
			continue
		}
		f, err := os.Open(filepath.Join("testdata", "logs", name))
		require.NoError(t, err)
		var lines []string
		spoken := true
		at := time.Date(2026, 11, 27, 10, 0, 0, 0, time.UTC)
		report, err := journal.Read(t.Context(), f, name, func(e journal.Entry) {
			spoken = spoken && e.Ident != "" && e.PID <= 1 == (e.Ident == "systemd" || e.PID == 0) && !e.NewBoot && e.Form != journal.Status
			switch {
			case e.HasMono:
				at = time.Date(2026, 11, 27, 10, 0, 0, 0, time.UTC).Add(e.Mono)
			case !e.Wall.IsZero():
				at = e.Wall.AddDate(2026-e.Wall.Year(), 0, 0)
			}
			lines = append(lines, object("_time", at.Format(time.RFC3339Nano), "SYSLOG_IDENTIFIER", e.Ident, "_PID", fmt.Sprint(max(e.PID, 0)), "message", e.Message))
		})
		require.NoError(t, f.Close())
		require.NoError(t, err)
		if !spoken || len(report.Units) > 0 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "log")
			require.NoError(t, os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
			j, story := told(t, path)
			assert.Equal(t, w.verdict, j.Verdict, story.Headline)
			if w.verdict == verdict.Fail {
				assert.Regexp(t, w.headline, story.Headline)
			}
		})
	}
}
