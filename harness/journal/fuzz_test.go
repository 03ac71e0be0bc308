package journal

import (
	"context"
	"strings"
	"testing"
	"unicode/utf8"
)

// seeds are what each parser is fuzzed from; go test tries them as they are.
var seeds = map[string][]string{
	"text": {
		"Mar 10 16:46:30 h systemd[1]: Started a.\n-- Reboot --\n", "[   12.3] x\n[FAILED] Failed to start a.\nSee 'systemctl status a.service' for details.\n", "<30>1 2026-02-03T08:12:40.5Z h systemd 1 - [a b=\"c\"] d\n",
		"¬  595.610434| systemd¬1|: multi-user.target: Job getty.target/start deleted to \nbreak\n", "[***] (1 of 2) A start job is running for…x (1s / no limit)[   74.275201] a\r\r\n", "\xff\xfe\x1b[31m", "9월 15 11:23:40 h a[1]: b\n",
		"Mon 2026-11-23 22:39:33.793979 UTC [s=0adc]\n    _PID=1\n    MESSAGE=a\n", "● a.service - A\n Active: failed (Result: x)\n", "└─a.service @2.1s +10.2s\n", "2026-05-17 09:00:02,201 - util.py[WARNING]: F\n",
	},
	"export": {exportEntry, exportEntry[:60], "__REALTIME_TIMESTAMP=1\n_PID\n\xff\xff\xff\xff\xff\xff\xff\xff", "MESSAGE\n\x00\x00\x00\x00\x00\x00\x00\x00\n\n"},
	"json":   {`{"__REALTIME_TIMESTAMP":"1","MESSAGE":[1,255,-3]}` + "\n", `{"MESSAGE":[["a"]],"_PID":null,"x":{"y":["}\""]}}` + "\n", `{"log":"systemd[1]: a\n","time":"x"}`, `{"a`, `{"MESSAGE":"\ud800"}`, "{\n\"MESSAGE\":\"a\"}\n{\n", "[\n{\"MESSAGE\":\"a\"},{\"MESSAGE\":[1]}"},
	"stored": {
		"@timestamp,@message\n1,\"a\n", "a;message\n;\n", `[{"Output":"QQ=="},{"values":[["1795473573793979000","systemd[1]: a"]]}]`, `{"k":{"key":"a","value":{"xValue":[1,"2",{}]}},"log":"{\"log\":\"systemd[1]: a\"}"}`, strings.Repeat("QUJD", 40),
		"{\n\"message\":\"a\",\"service\":\"systemd\",\"ts\":1e99}\n", "x/y:1:{\"msg\":\"Mar 10 16:46:30 h systemd[1]: a\"}",
	},
	"tools": {
		`[{"event_type":"finish","name":"x","timestamp":1e300,"result":"FAIL"}]`, "-> Unit a.service:\n\tUnit Active State: failed\n-> Job 1:\n\tAction: a -> start\n", "<svg><text>systemd</text><text x=\"1\">a.service (1min)</text>", "\x1f\x8b\x08", "\x28\xb5\x2f\xfd\x00",
	},
}

// fuzz holds every parser to what is promised of all: no panic, no character that a terminal
// obeys, an entry's line is one of the file's, and what it says is text of bounded length.
func fuzz(f *testing.F, which string) {
	for _, s := range seeds[which] {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, data string) {
		if strings.HasPrefix(data, journalMagic) {
			t.Skip("journalctl's to read")
		}
		r, err := Read(context.Background(), strings.NewReader(data), "f", func(e Entry) {
			if !utf8.ValidString(e.Message) || len(e.Message) > maxMessage+8 || e.Line < 0 {
				t.Fatalf("%q at %d", e.Message, e.Line)
			}
			for _, c := range e.Message + e.Ident + e.Host {
				if c < ' ' && c != '\t' || c == 0x7f || c >= 0x80 && c < 0xa0 {
					t.Fatalf("%q has %U", e.Message+e.Ident+e.Host, c)
				}
			}
		})
		if err == nil && r.Entries == 0 && len(r.Units) == 0 {
			t.Fatal("nothing was read, and it is no error")
		}
	})
}

func FuzzText(f *testing.F)   { fuzz(f, "text") }
func FuzzExport(f *testing.F) { fuzz(f, "export") }
func FuzzJSON(f *testing.F)   { fuzz(f, "json") }
func FuzzTools(f *testing.F)  { fuzz(f, "tools") }
func FuzzStored(f *testing.F) { fuzz(f, "stored") }
