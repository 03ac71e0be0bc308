package journal

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/ulikunitz/xz"
	"golang.org/x/text/encoding/unicode"
)

func read(t testing.TB, data string) ([]Entry, Report, error) {
	t.Helper()
	var out []Entry
	r, err := Read(t.Context(), strings.NewReader(data), "f", func(e Entry) { out = append(out, e) })
	return out, r, err
}

func utc(year int, month time.Month, day, h, m, s, micros int) time.Time {
	return time.Date(year, month, day, h, m, s, micros*1000, time.UTC)
}

// TestHeaders has a line of each form, and what must be read off it.
func TestHeaders(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, line string
		want       Entry
	}{
		{"short", "Mar 10 16:46:30 h1 systemd[1]: Started a.", Entry{Form: Text, Wall: utc(0, 3, 10, 16, 46, 30, 0), Host: "h1", Ident: "systemd", PID: 1, Message: "Started a."}},
		{"short, a day of one digit", "Mar  1 16:46:30 h1 systemd[1]: Started a.", Entry{Form: Text, Wall: utc(0, 3, 1, 16, 46, 30, 0), Host: "h1", Ident: "systemd", PID: 1, Message: "Started a."}},
		{"short, no host", "Aug 08 17:22:53 systemd[1]: a", Entry{Form: Text, Wall: utc(0, 8, 8, 17, 22, 53, 0), Ident: "systemd", PID: 1, Message: "a"}},
		{"short, no pid", "Aug 08 17:22:53 h systemd: a", Entry{Form: Text, Wall: utc(0, 8, 8, 17, 22, 53, 0), Host: "h", Ident: "systemd", Message: "a"}},
		{"short in Russian", "ноя 05 09:41:15 h systemd[1]: a", Entry{Form: Text, Wall: utc(0, 1, 5, 9, 41, 15, 0), Host: "h", Ident: "systemd", PID: 1, Message: "a"}},
		{"short in French", "déc. 11 08:29:20 h systemd[1]: a", Entry{Form: Text, Wall: utc(0, 12, 11, 8, 29, 20, 0), Host: "h", Ident: "systemd", PID: 1, Message: "a"}},
		{"short in Korean", " 9월 15 11:23:40 h systemd[1]: a", Entry{Form: Text, Wall: utc(0, 9, 15, 11, 23, 40, 0), Host: "h", Ident: "systemd", PID: 1, Message: "a"}},
		{"short-precise", "May 04 10:00:01.120311 h systemd[1]: a", Entry{Form: Text, Wall: utc(0, 5, 4, 10, 0, 1, 120311), Host: "h", Ident: "systemd", PID: 1, Message: "a"}},
		{"short-iso", "2026-02-03T08:12:40+0100 h systemd[1]: a", Entry{Form: Text, Wall: utc(2026, 2, 3, 7, 12, 40, 0), Host: "h", Ident: "systemd", PID: 1, Message: "a"}},
		{"short-iso-precise", "2026-02-03T08:12:40.000007-02:30 h systemd[1]: a", Entry{Form: Text, Wall: utc(2026, 2, 3, 10, 42, 40, 7), Host: "h", Ident: "systemd", PID: 1, Message: "a"}},
		{"short-full", "Tue 2026-02-03 08:12:40 CET h systemd[1]: a", Entry{Form: Text, Wall: utc(2026, 2, 3, 8, 12, 40, 0), Host: "h", Ident: "systemd", PID: 1, Message: "a"}},
		{"short-unix", "1710085590.123456 h systemd[1]: a", Entry{Form: Text, Wall: utc(2024, 3, 10, 15, 46, 30, 123456), Host: "h", Ident: "systemd", PID: 1, Message: "a"}},
		{"short-monotonic", "[   12.345678] h systemd[1]: a", Entry{Form: Text, Mono: 12345678 * time.Microsecond, HasMono: true, Host: "h", Ident: "systemd", PID: 1, Message: "a"}},
		{"dmesg, systemd", "[   12.345678] systemd[1]: a", Entry{Form: Text, Mono: 12345678 * time.Microsecond, HasMono: true, Ident: "systemd", PID: 1, Message: "a"}},
		{"dmesg, the kernel", "[   12.345678] usb 1-1: new device", Entry{Form: Kernel, Mono: 12345678 * time.Microsecond, HasMono: true, Ident: "kernel", Message: "usb 1-1: new device"}},
		{"dmesg, with printk's caller", "[    1.336962][    T1] systemd[1]: a", Entry{Form: Text, Mono: 1336962 * time.Microsecond, HasMono: true, Ident: "systemd", PID: 1, Message: "a"}},
		{"dmesg --human", "[  +0.000012] relayd[7]: a", Entry{Form: Text, Ident: "relayd", PID: 7, Message: "a"}},
		{"dmesg --human, a new minute", "[Nov27 21:10] Linux version 6.1", Entry{Form: Kernel, Ident: "kernel", Message: "Linux version 6.1"}},
		{"/dev/kmsg", "30,339,1336962,-,caller=T1;systemd[1]: a", Entry{Form: Text, Mono: 1336962 * time.Microsecond, HasMono: true, Ident: "systemd", PID: 1, Message: "a"}},
		{"busybox's syslog", "Mar 10 16:46:30 h daemon.info systemd[1]: a", Entry{Form: Text, Wall: utc(0, 3, 10, 16, 46, 30, 0), Host: "h", Ident: "systemd", PID: 1, Message: "a"}},
		{"dmesg -T", "[Tue Feb  3 08:12:40 2026] systemd[1]: a", Entry{Form: Text, Wall: utc(2026, 2, 3, 8, 12, 40, 0), Ident: "systemd", PID: 1, Message: "a"}},
		{"the kernel by syslog", "Mar 10 16:46:30 h kernel: [    0.000000] Linux version 6.1", Entry{Form: Text, Wall: utc(0, 3, 10, 16, 46, 30, 0), HasMono: true, Host: "h", Ident: "kernel", Message: "Linux version 6.1"}},
		{"PID 1 by way of the kernel's log", "Jul 30 06:02:55 h kernel: [   24.313121] systemd[1]: a", Entry{Form: Text, Wall: utc(0, 7, 30, 6, 2, 55, 0), Mono: 24313121 * time.Microsecond, HasMono: true, Host: "h", Ident: "systemd", PID: 1, Message: "a"}},
		{"short-delta", "[   12.345678 <    0.000100 >] h systemd[1]: a", Entry{Form: Text, Mono: 12345678 * time.Microsecond, HasMono: true, Host: "h", Ident: "systemd", PID: 1, Message: "a"}},
		{"a time of day", "00:04:28 systemd[1]: a", Entry{Form: Text, Wall: utc(0, 1, 1, 0, 4, 28, 0), Ident: "systemd", PID: 1, Message: "a"}},
		{"RFC 3164 with a priority", "<30>Mar 10 16:46:30 h systemd[1]: a", Entry{Form: Text, Wall: utc(0, 3, 10, 16, 46, 30, 0), Host: "h", Ident: "systemd", PID: 1, Message: "a"}},
		{"RFC 5424", "<30>1 2026-02-03T08:12:40.5Z h systemd 1 - - a", Entry{Form: Text, Wall: utc(2026, 2, 3, 8, 12, 40, 500000), Host: "h", Ident: "systemd", PID: 1, Message: "a"}},
		{"no time, no host", "systemd[1]: a", Entry{Form: Bare, Ident: "systemd", PID: 1, Message: "a"}},
		{"docker logs -t", "2026-04-02T06:00:11.100200300Z systemd[1]: a", Entry{Form: Text, Wall: time.Date(2026, 4, 2, 6, 0, 11, 100200300, time.UTC), Ident: "systemd", PID: 1, Message: "a"}},
		{"a forwarder's date before", "» 15 Sep 2015 16:32:00.337 Sep 15 23:32:00 h.internal systemd[1]: a", Entry{Form: Text, Wall: utc(0, 9, 15, 23, 32, 0, 0), Host: "h.internal", Ident: "systemd", PID: 1, Message: "a"}},
		{"docker compose", "worker-1  | systemd[1]: a", Entry{Form: Bare, Host: "worker-1", Ident: "systemd", PID: 1, Message: "a"}},
		{"NixOS's tests", "       > client # [    1.336962] systemd[1]: a", Entry{Form: Text, Mono: 1336962 * time.Microsecond, HasMono: true, Host: "client", Ident: "systemd", PID: 1, Message: "a"}},
		{"kubectl --prefix", "[pod/w-0/boot] Mar 10 16:46:30 h systemd[1]: a", Entry{Form: Text, Wall: utc(0, 3, 10, 16, 46, 30, 0), Host: "h", Ident: "systemd", PID: 1, Message: "a"}},
		{"quoted", "> Mar 10 16:46:30 h systemd[1]: a", Entry{Form: Text, Wall: utc(0, 3, 10, 16, 46, 30, 0), Host: "h", Ident: "systemd", PID: 1, Message: "a"}},
		{"a console", "[\x1b[0;1;31mFAILED\x1b[0m] Failed to start \x1b[0;1;39ma.service\x1b[0m - A.", Entry{Form: Console, Status: "FAILED", Message: "Failed to start a.service - A."}},
		{"a console that lost ESC", "[[0;1;31mFAILED[0m] Failed to start [0;1;39ma.service[0m - A.", Entry{Form: Console, Status: "FAILED", Message: "Failed to start a.service - A."}},
		{"a 3270 console", "¬ ¬0;1;31mFAILED ¬0m| Failed unmounting  ¬0;1;39m/cdrom ¬0m. ", Entry{Form: Console, Status: "FAILED", Message: "Failed unmounting /cdrom ."}},
		{"a console in CI", "2026-03-01T10:15:01.1234567Z [  OK  ] Reached target A.", Entry{Form: Console, Status: "OK", Arrived: time.Date(2026, 3, 1, 10, 15, 1, 123456700, time.UTC), Message: "Reached target A."}},
		{"cloud-init.log", "2026-05-17 09:00:02,201 - util.py[WARNING]: Failed", Entry{Form: CloudInit, Wall: utc(2026, 5, 17, 9, 0, 2, 201000), Ident: "cloud-init", Message: "util.py[WARNING]: Failed"}},
		{"cloud-init by syslog", "Jan 14 09:12:31 h [CLOUDINIT] util.py[WARNING]: a", Entry{Form: CloudInit, Wall: utc(0, 1, 14, 9, 12, 31, 0), Host: "h", Ident: "cloud-init", Message: "util.py[WARNING]: a"}},
		{"json-file", `{"log":"systemd[1]: a\n","stream":"stdout","time":"2026-04-02T06:00:11Z"}`, Entry{Form: Bare, Arrived: utc(2026, 4, 2, 6, 0, 11, 0), Ident: "systemd", PID: 1, Message: "a"}},
		{"cat -n", "    12\tMar 10 16:46:30 h a[7]: b", Entry{Form: Text, Wall: utc(0, 3, 10, 16, 46, 30, 0), Host: "h", Ident: "a", PID: 7, Message: "b"}},
		{"a string of a list", `    "Mar 10 16:46:30 h a[7]: \"b\"",`, Entry{Form: Text, Wall: utc(0, 3, 10, 16, 46, 30, 0), Host: "h", Ident: "a", PID: 7, Message: `\"b\"`}},
		{"journalctl --output-fields=MESSAGE", `{"__REALTIME_TIMESTAMP":"1795473573793979","MESSAGE":"a.service: Failed with result 'exit-code'."}`, Entry{Form: JSON, Wall: utc(2026, 11, 23, 22, 39, 33, 793979), Ident: "systemd", PID: 1, Message: "a.service: Failed with result 'exit-code'."}},
		{"journalctl -o cat", "a.service: Failed with result 'exit-code'.", Entry{Form: Bare, Ident: "systemd", PID: 1, Message: "a.service: Failed with result 'exit-code'."}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, _, err := read(t, tt.line+"\n")
			require.NoError(t, err)
			require.Len(t, got, 1)
			tt.want.Line, tt.want.Last = 1, got[0].Form != JSON
			assert.Equal(t, tt.want, got[0])
		})
	}
}

const exportEntry = "__REALTIME_TIMESTAMP=1795473573793979\n__MONOTONIC_TIMESTAMP=9100000\n_BOOT_ID=aa\n_PID=1\nSYSLOG_IDENTIFIER=systemd\nMESSAGE\n\x05\x00\x00\x00\x00\x00\x00\x00a\nb\x1bc\nOTHER=x\n\n"

func TestStructuredForms(t *testing.T) {
	t.Parallel()
	const jsonEntry = `{"__REALTIME_TIMESTAMP":"1795473573793979","__MONOTONIC_TIMESTAMP":"9100000","_BOOT_ID":"aa","_PID":"1","SYSLOG_IDENTIFIER":"systemd","MESSAGE":[97,10,98,27,99],"OTHER":{"x":[1,{}]}}` + "\n"
	const verbose = "Mon 2026-11-23 22:39:33.793979 UTC [s=0adc;i=1;b=aa;m=1;t=1;x=1]\n    _BOOT_ID=aa\n    __MONOTONIC_TIMESTAMP=9100000\n    _PID=1\n    SYSLOG_IDENTIFIER=systemd\n    MESSAGE=abc\n"
	var packed bytes.Buffer
	zw := gzip.NewWriter(&packed)
	_, err := zw.Write([]byte(jsonEntry))
	require.NoError(t, err)
	require.NoError(t, zw.Close())
	enc, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	var squeezed bytes.Buffer
	xw, err := xz.NewWriter(&squeezed)
	require.NoError(t, err)
	_, err = xw.Write([]byte(jsonEntry))
	require.NoError(t, err)
	require.NoError(t, xw.Close())
	wide, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(jsonEntry)
	require.NoError(t, err)
	wideBig, err := unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().String(jsonEntry)
	require.NoError(t, err)
	bzipped, err := base64.StdEncoding.DecodeString("QlpoOTFBWSZTWeUcCIMAAFjfgCAQEAR+8D/n3CqmAgxqIACRGPUAyNNBppkAAPUeoNTTKY1TTT0ho9IBppskGiaTek42su7gvH29sQzR4K2hAcZbm2tIgSUWJtcDvKRSvQ0VroEFqUVVADLbMZ4geeEjxyAbhRadqxNANj4qxxhRGkNc1segWAKvM2PMOe4ajCYC6cLOCmVfb7nAD96UBABJySI/i7kinChIco4EQYA=") // of jsonEntry: the library does not pack
	require.NoError(t, err)
	for _, tt := range []struct{ name, data, message string }{
		{"json, packed by xz", squeezed.String(), "a b"}, {"json, packed by bzip2", string(bzipped), "a b"},
		{"json in UTF-16", wide, "a b"}, {"json in UTF-16, the high byte first", wideBig, "a b"},
		{"export", exportEntry, "a b"}, {"json", jsonEntry, "a b"}, {"json, packed by gzip", packed.String(), "a b"},
		{"export, packed by zstd", string(enc.EncodeAll([]byte(exportEntry), nil)), "a b"}, {"verbose", verbose, "abc"},
		{"json-seq", "\x1e" + jsonEntry, "a b"}, {"json-sse", "data: " + jsonEntry, "a b"}, {"json-pretty", "{\n" + jsonEntry[1:], "a b"}, {"a list of jq's", "[\n" + strings.TrimSuffix(jsonEntry, "\n") + "\n]\n", "a b"},
		{"json of a field that occurs twice", strings.Replace(jsonEntry, "[97,10,98,27,99]", `["abc","d"]`, 1), "abc"},
		{"json with bytes that are no UTF-8", strings.Replace(jsonEntry, "[97,10,98,27,99]", "[97,98,255,99]", 1), "ab\uFFFDc"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, r, err := read(t, tt.data)
			require.NoError(t, err)
			require.Len(t, got, 1)
			e := got[0]
			assert.Equal(t, tt.message, e.Message)
			assert.Equal(t, []any{"aa", "systemd", 1, 9100 * time.Millisecond}, []any{e.Boot, e.Ident, e.PID, e.Mono})
			assert.Equal(t, utc(2026, 11, 23, 22, 39, 33, 793979), e.Wall)
			assert.Empty(t, r.Faults)
		})
	}
}

// Records that say who speaks: the line that they carry is a message alone.
func TestRecordsOfStores(t *testing.T) {
	t.Parallel()
	want := Entry{Form: Text, Wall: utc(2026, 11, 23, 22, 39, 33, 793000), Host: "h", Ident: "systemd", PID: 1, Message: "a"}
	for _, tt := range []struct {
		name, data string
		pid        int
	}{
		{"Azure Monitor, a table", byteOrderMark + "TimeGenerated [UTC],Computer,SyslogMessage,ProcessName,ProcessID\n\"11/23/2026, 10:39:33.793 PM\",h,a,systemd,1\n", 1},
		{"Azure Monitor, a list", `[{"TimeGenerated":"2026-11-23T22:39:33.793Z","Computer":"h","SyslogMessage":"a","ProcessName":"systemd","ProcessID":1}]`, 1},
		{"Elasticsearch", `{"_source":{"@timestamp":"2026-11-23T22:39:33.793Z","message":"a","host":{"name":"h"},"process":{"pid":1},"syslog":{"identifier":"systemd"}}}`, 1},
		{"Datadog, a table", "Date,Host,Service,Message\n\"2026-11-23T22:39:33.793Z\",\"h\",\"systemd\",\"a\"\n", 0},
		{"GELF", `{"version":"1.1","host":"h","short_message":"a","timestamp":1795473573.793,"_SYSLOG_IDENTIFIER":"systemd","_pid":1}`, 1},
		{"semicolons", "timestamp;host;program;pid;message\n1795473573793;h;systemd;1;a\n", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, _, err := read(t, tt.data)
			require.NoError(t, err)
			require.Len(t, got, 1)
			want := want
			want.PID, want.Line, want.Last = tt.pid, got[0].Line, got[0].Last
			assert.Equal(t, want, got[0])
		})
	}
	for _, tt := range []struct{ name, data string }{
		{"journald's names, by Cloud Logging", `[{"timestamp":"2026-11-23T22:39:33.793Z","jsonPayload":{"MESSAGE":"a","SYSLOG_IDENTIFIER":"systemd","_PID":"1","_HOSTNAME":"h"}}]`},
		{"journald's names, by Vector", `{"timestamp":"2026-11-23T22:39:33.793Z","host":"h","message":"a","SYSLOG_IDENTIFIER":"systemd","_PID":"1"}`},
		{"journald's names, by fluentd", `2026-11-23T22:39:33+00:00	x	{"time":1795473573793,"MESSAGE":"a","SYSLOG_IDENTIFIER":"systemd","_PID":"1","host":"h"}`},
		{"journald's names, by OpenTelemetry", `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1795473573793000000","body":{"kvlistValue":{"values":[{"key":"MESSAGE","value":{"stringValue":"a"}},{"key":"SYSLOG_IDENTIFIER","value":{"stringValue":"systemd"}},{"key":"_PID","value":{"stringValue":"1"}},{"key":"_HOSTNAME","value":{"stringValue":"h"}}]}}}]}]}]}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, _, err := read(t, tt.data)
			require.NoError(t, err)
			require.Len(t, got, 1)
			e := got[0]
			assert.Equal(t, []any{"a", "systemd", 1, "h"}, []any{e.Message, e.Ident, e.PID, e.Host})
			assert.Equal(t, want.Wall, e.Wall)
		})
	}
}

func TestRecordsAreReadInTheOrderOfTheirTime(t *testing.T) {
	t.Parallel()
	const at = "17954735737939790"
	for name, data := range map[string]string{
		"Loki, stream by stream": `{"data":{"result":[{"values":[["` + at + `03","systemd[1]: c"],["` + at + `01","systemd[1]: a"]]},{"values":[["` + at + `04","systemd[1]: d"],["` + at + `02","systemd[1]: b"]]}]}}`,
		"the newest first":       "_time,_raw\n2026-11-27T10:00:02Z,systemd[1]: d\n2026-11-27T10:00:02Z,systemd[1]: c\n2026-11-27T10:00:01Z,systemd[1]: b\n2026-11-27T10:00:00Z,systemd[1]: a\n",
		"without a time":         `[{"message":"systemd[1]: a"},{"message":"systemd[1]: b"},{"message":"systemd[1]: c"},{"message":"systemd[1]: d"}]`,
	} {
		got, _, err := read(t, data)
		require.NoError(t, err, name)
		said := ""
		for _, e := range got {
			said += e.Message
		}
		assert.Equal(t, "abcd", said, name)
	}
}

func TestWhatIsWrongWithAFileIsSaid(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, data, fault string }{
		{"cut within a field", exportEntry[:len(exportEntry)-20], "the file ends within a field"},
		{"a field that says to be huge", "__REALTIME_TIMESTAMP=1\nMESSAGE=a\n_PID\n\xff\xff\xff\xff\xff\xff\xff\xff", "a field that says to have"},
		{"a json entry cut off", `{"__REALTIME_TIMESTAMP":"1","MESSAGE":"a"}` + "\n" + `{"__REALTIME_TIMESTAMP":"1","MESS`, "cut or is not JSON"},
		{"a field left out for its size", `{"__REALTIME_TIMESTAMP":"1","MESSAGE":null}` + "\n", "left out for its size"},
		{"no line end", "systemd[1]: a", "ends without a line end"},
		{"bytes that are no UTF-8", "systemd[1]: a\xff\xfe\n", "bytes that are no UTF-8"},
		{"wrapped at 80 columns", "[  595.610434] systemd[1]: multi-user.target: Job getty.target/start deleted to \nbreak ordering cycle starting with multi-user.target/start\n", "wrapped at the console's edge"},
		{"Python's repr", `b'[  1.600] systemd[1]: a\r\n[  1.700] systemd[1]: b\r\n[  1.800] systemd[1]: c\r\n'` + "\n", "line ends are spelt out"},
		{"mangled", "¬  595.6104| systemd¬1|: a\n", "mangled by a 3270 console"},
		{"a pager's marks", "Mar 10 16:46:30 h1 systemd[1]: a.service: Failed to load environment files: No such f>\n", "cut at the right"},
		{"gzip cut short", func() string {
			var b bytes.Buffer
			w := gzip.NewWriter(&b)
			_, _ = w.Write([]byte(strings.Repeat("systemd[1]: Started a.\n", 5000)))
			_ = w.Close()
			return b.String()[:b.Len()-20]
		}(), "cut short after line"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, r, err := read(t, tt.data)
			require.NoError(t, err)
			assert.Contains(t, strings.Join(r.Faults, "; "), tt.fault)
		})
	}
}

func TestAWrappedLineIsPutTogether(t *testing.T) {
	t.Parallel()
	got, _, err := read(t, "[  595.610434] systemd[1]: multi-user.target: Job getty.target/start deleted to \nbreak ordering cycle starting with multi-user.target/start\n[  596.000000] systemd[1]: b\n")
	require.NoError(t, err)
	require.Len(t, got, 2)
	assert.Equal(t, "multi-user.target: Job getty.target/start deleted to break ordering cycle starting with multi-user.target/start", got[0].Message)
}

func TestLinesThatAreWrappedAnywhereArePutTogether(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for range 4 {
		line := "Feb 26 12:36:33 host1 systemd[1]: kubelet.service: Main process exited, code=exited, status=1/FAILURE"
		b.WriteString(line[:44] + "\n" + line[44:88] + "\n" + line[88:] + "\n")
	}
	got, r, err := read(t, b.String())
	require.NoError(t, err)
	require.Len(t, got, 4)
	assert.Equal(t, "kubelet.service: Main process exited, code=exited, status=1/FAILURE", got[0].Message)
	assert.Contains(t, strings.Join(r.Faults, "; "), "wrapped at the console's edge")
}

func TestAConsolesLinesThatAreMixedAreToldApart(t *testing.T) {
	t.Parallel()
	got, _, err := read(t, "[    **] (1 of 2) A start job is running for…0.device (1min 13s / 1min 30s)[   74.275201] audit: type=1130\n"+
		"[  OK  ] Started A.[   75.275201] usb 1-1: new\n[   76.000000] x[  OK  ] Started B.\nSee 'systemctl status a.service' for details.\n")
	require.NoError(t, err)
	var messages []string
	for _, e := range got {
		messages = append(messages, string(e.Form)+": "+e.Message)
	}
	assert.Equal(t, []string{"console: A start job is running for…0.device (1min 13s / 1min 30s)", "kernel log: audit: type=1130", "console: Started A.", "kernel log: usb 1-1: new",
		"kernel log: x", "console: Started B.", "console: a.service: see systemctl status"}, messages)
}

func TestOtherTools(t *testing.T) {
	t.Parallel()
	_, r, err := read(t, "The time when unit became active\n\nmulti-user.target @1min 2.345s\n└─a.service @2.1s +10.2s\n")
	require.NoError(t, err)
	assert.Equal(t, Unit{Up: 2100 * time.Millisecond, Took: 10200 * time.Millisecond, Line: 4}, r.Units["a.service"])
	assert.Equal(t, 62345*time.Millisecond, r.Units["multi-user.target"].Up)
	_, r, err = read(t, "Manager: systemd 252\n-> Unit a.service:\n\tUnit Load State: loaded\n\tUnit Active State: failed\n\tService State: failed\n-> Job 12:\n\tAction: b.service -> start\n\tState: waiting\n")
	require.NoError(t, err)
	assert.Equal(t, Unit{Load: "loaded", Active: "failed", Sub: "failed", Line: 3}, r.Units["a.service"])
	assert.Equal(t, "start waiting", r.Units["b.service"].Job)
	_, r, err = read(t, `<svg><text>systemd startup</text><text class="right" x="1" y="2">a.service (12.5s)</text></svg>`)
	require.NoError(t, err)
	assert.Equal(t, 12500*time.Millisecond, r.Units["a.service"].Took)
	got, _, err := read(t, `[{"description":"running x","event_type":"finish","name":"modules-final/config-x","origin":"cloudinit","result":"FAIL","timestamp":1795473573.5}]`)
	require.NoError(t, err)
	assert.Equal(t, "finish: modules-final/config-x: FAIL: running x", got[0].Message)
	got, _, err = read(t, "● a.service - A\n     Loaded: loaded (/etc/a)\n     Active: failed (Result: exit-code) since Mon\n    Process: 12 ExecStart=/bin/a (code=exited, status=203/EXEC)\n")
	require.NoError(t, err)
	assert.Equal(t, "a.service: Failed with result 'exit-code'.", got[0].Message)
	assert.Equal(t, "a.service: Main process exited, code=exited, status=203/EXEC", got[1].Message)
}

func TestWhatIsNoLogOfABootIsNone(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{
		"prose":                   "# Notes\n\nThe service vector.service failed, and then multi-user.target was late.\n",
		"json":                    `{"a": 1, "time": "2026-01-01T00:00:00Z"}` + "\n",
		"a web log":               `192.0.2.1 - - [10/Mar/2026:16:46:30 +0000] "GET / HTTP/1.1" 200 1` + "\n",
		"binary":                  "\x7fELF\x02\x01\x01\x00\x00",
		"a program's own records": `{"level":"error","ts":"2026-11-27T21:10:00Z","msg":"Failed to start worker pool."}` + "\n",
		"a program's own table":   "time,level,message\n2026-11-27T21:10:00Z,error,Failed to start worker pool.\n",
		"a table":                 "name,size\na,1\n",
		"a list":                  `[{"name":"a","size":1},{"name":"b"}]`,
		"base64":                  base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("prose, and more of it\n"), 20)),
		"a yaml":                  "version: 1\nname: x\nworker_env: {when: never}\n",
		"go's tests":              "=== RUN   TestA\n--- FAIL: TestA (0.00s)\nFAIL\n",
	} {
		_, _, err := read(t, data)
		require.ErrorIs(t, err, ErrNotALog, name)
	}
	_, _, err := read(t, "")
	require.ErrorContains(t, err, "empty")
}

// hostile is everything that may be in a log and must not be in what is printed of it.
func TestNothingThatATerminalObeysGetsThrough(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"a\x1b[2Jb", "a\x1b]0;title\ab", "a\x1b]8;;http://x\x1b\\b", "a\u009b2Jb", "a\u202eb", "a\x00b", "a\x9bb", "a\x1bPq\x1b\\b", "a\x7fb", "\x1b", "a\u2028b"} {
		for _, line := range []string{"Mar 10 16:46:30 h systemd[1]: ", "[  OK  ] ", "<30>1 2026-02-03T08:12:40.5Z h systemd 1 - - "} {
			got, _, err := read(t, line+s+"\n")
			if err != nil {
				continue
			}
			for _, e := range got {
				for _, c := range e.Message + e.Ident + e.Host {
					assert.False(t, c < ' ' && c != '\t' || c == 0x7f || c >= 0x80 && c < 0xa0 || c >= 0x202a && c <= 0x202e, "%q of %q", e.Message, s)
				}
			}
		}
	}
}
