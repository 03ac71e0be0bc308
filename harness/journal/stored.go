package journal

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What log stores and clouds give back of a host's log: JSON objects, on a line each or within
// others, and tables. A record is one of them: its members by the whole of their paths, by the
// last word, and by the last two.
type record map[string]string

// Names that stores have for the same, the best first: the ends of members' paths.
var (
	lineNames = []string{"MESSAGE", "message", "Message", "@message", "log", "line", "textPayload", "_raw", "SyslogMessage", "short_message", "Output", "stdout", "body", "msg", "stderr"}
	whoNames  = []string{"SYSLOG_IDENTIFIER", "_SYSLOG_IDENTIFIER", "syslog.identifier", "ProcessName", "appname", "app_name", "program", "Service", "service"}
	pidNames  = []string{"_PID", "_pid", "process.pid", "ProcessID", "ProcessId", "procid", "pid"}
	hostNames = []string{"_HOSTNAME", "host", "hostname", "host.name", "Host", "Computer"}
	// A program's own logger says these: its words are not PID 1's, whatever they are.
	levelNames = []string{"level", "lvl", "levelname", "severity", "logger"}
	timeNames  = []string{"timestamp", "@timestamp", "_time", "time", "TimeGenerated", "TimeGenerated [UTC]", "Date", "timeUnixNano", "ts"}
)

// any is the first member that has one of the names.
func (r record) any(names []string) string {
	for _, name := range names {
		if s := r[name]; s != "" {
			return s
		}
	}
	return ""
}

// set keeps a member; of those that end alike the outermost counts.
func (r record) set(path, value string) {
	name := path
	for i, words := len(path)-1, 0; i >= 0 && words < 2; i-- {
		if path[i] == '.' {
			if name, words = path[i+1:], words+1; r[name] == "" {
				r[name] = value
			}
		}
	}
	r[path] = value
}

// take adds what is below path, lists of records apart.
func (r record) take(path string, v any) {
	switch v := v.(type) {
	case string:
		r.set(path, v)
	case json.Number:
		r.set(path, v.String())
	case map[string]any:
		var within []string
		for name, member := range v {
			_, isObject := member.(map[string]any)
			_, isList := member.([]any)
			switch {
			case len(v) == 1 && strings.HasSuffix(name, "Value"): // OTLP: {"stringValue": …}
				r.take(path, member)
			case isObject || isList:
				within = append(within, name)
			default:
				r.take(below(path, name), member)
			}
		}
		slices.Sort(within)
		for _, name := range within {
			r.take(below(path, name), v[name])
		}
	case []any:
		var text []byte
		first := ""
		for _, one := range v {
			switch one := one.(type) {
			case json.Number: // journald's bytes that are not text
				n, _ := strconv.Atoi(one.String())
				text = append(text, byte(n))
			case string: // a field that occurs more than once
				first = cmp.Or(first, one)
			case map[string]any: // OTLP's members
				if key, ok := one["key"].(string); ok && len(one) == 2 && one["value"] != nil {
					r.take(below(path, key), one["value"])
				}
			}
		}
		if text := cmp.Or(first, string(text)); text != "" {
			r.set(path, text)
		}
	}
}

func below(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// records reads each record below v; false: there is none.
func (t *textReader) records(n *int, v any) (found bool) {
	switch v := v.(type) {
	case []any:
		if len(v) > 1 { // Loki's: time, line
			at, isTime := v[0].(string)
			line, isLine := v[1].(string)
			if isTime && isLine && len(at) == 19 && !moment(at).IsZero() {
				t.record(n, record{"time": at, "line": line})
				return true
			}
		}
		for _, one := range v {
			found = t.records(n, one) || found
		}
	case map[string]any:
		if t.cloudResult(n, v) {
			return true
		}
		if rec, ok := lineOf(v); ok {
			t.record(n, rec)
			return true
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			found = t.records(n, v[name]) || found
		}
	}
	return found
}

// lineOf is the record that v is; not ok: it is none, and may have some within.
func lineOf(v any) (record, bool) {
	rec := record{}
	if o, isObject := v.(map[string]any); isObject {
		rec.take("", o)
	}
	return rec, rec.any(lineNames) != ""
}

// record reads one: an entry where it says who speaks, else the line or lines that it carries.
func (t *textReader) record(n *int, rec record) {
	text, at := rec.any(lineNames), moment(rec.any(timeNames))
	fields := map[string]string{}
	for name, value := range rec {
		if wanted[name] {
			fields[name] = value
		}
	}
	var own Entry
	switch who := rec.any(whoNames); {
	case fields["SYSLOG_IDENTIFIER"]+fields["_PID"]+fields["_COMM"]+fields["__REALTIME_TIMESTAMP"] != "":
		fields["MESSAGE"], fields["_HOSTNAME"] = text, rec.any(hostNames)
		t.fielded(*n, JSON, fields, at)
		*n++
	case who != "" && !(header(text, &own) && (own.HasMono || !own.Wall.IsZero())):
		e := Entry{Line: *n, Form: Text, Ident: Clean([]byte(who)), Host: Clean([]byte(rec.any(hostNames))), Wall: at, Message: Clean([]byte(text))}
		e.PID, _ = strconv.Atoi(rec.any(pidNames))
		t.hold(e, 1)
		*n++
	case rec["module_args.scope"] == "user": // Ansible's systemctl, of a user's manager
	default:
		t.logger = rec.any(levelNames) != ""
		defer func() { t.logger = false }()
		first := *n
		t.carried(n, text, at)
		if failed := rec["stderr"]; failed != text && !t.saidSince(first) { // of a command, whose msg is only that it failed
			t.carried(n, failed, at)
		}
	}
}

// carried reads the line or lines that a record has.
func (t *textReader) carried(n *int, text string, at time.Time) {
	if plain, ok := plain64(text); ok {
		text = plain
	}
	for line := range strings.Lines(text) {
		held := t.held.Line
		if t.line(*n, trimEnd([]byte(line))); t.raw > 0 && (t.held.Line == *n || held != t.held.Line) {
			t.held.Arrived = at
		}
		*n++
	}
}

// saidSince: something was made of a line from that one on, the last that there is.
func (t *textReader) saidSince(line int) bool { return t.raw > 0 && t.held.Line >= line }

// fielded gives an entry of journald's fields away.
func (t *textReader) fielded(n int, form Form, fields map[string]string, at time.Time) {
	t.flush()
	e := ofFields(n, form, fields)
	if e.Wall.IsZero() {
		e.Wall = at
	}
	if e.Ident == "" && e.PID == 0 && catWords.MatchString(e.Message) { // --output-fields=MESSAGE
		e.Ident, e.PID, e.Fields = "systemd", 1, nil
	}
	if e.Ident == "systemd" && e.PID == 0 && fields["USER_UNIT"]+fields["_SYSTEMD_USER_UNIT"] == "" { // _PID= was not kept
		e.PID, fields["_PID"] = 1, "1"
	}
	t.emit(e)
}

// moments are how stores write a time, apart from ISO 8601 and numbers.
var moments = []string{"1/2/2006, 3:04:05 PM", "1/2/2006 3:04:05 PM", "Jan 2, 2006 @ 15:04:05"}

// moment reads a time; zero: it is none.
func moment(s string) time.Time {
	n, err := strconv.ParseInt(s, 10, 64)
	switch d, isSeconds := seconds(s); {
	case err == nil && len(s) == 10:
		return time.Unix(n, 0).UTC()
	case err == nil && len(s) == 13:
		return time.UnixMilli(n).UTC()
	case err == nil && len(s) == 16:
		return time.UnixMicro(n).UTC()
	case err == nil && len(s) == 19:
		return time.Unix(0, n).UTC()
	case isSeconds:
		return time.Unix(0, int64(d)).UTC()
	}
	if t, n := iso(s); n > 0 {
		return t
	}
	for _, layout := range moments {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	return time.Time{}
}

var whole64 = regexp.MustCompile(`^[A-Za-z0-9+/]+={0,2}$`)

// plain64 is what a text has in base64.
func plain64(s string) (plain string, ok bool) {
	s = strings.NewReplacer("\r", "", "\n", "").Replace(s)
	s = s[:len(s)/4*4]
	if len(s) < 64 || !whole64.MatchString(s) {
		return "", false
	}
	b, err := base64.StdEncoding.DecodeString(s)
	return string(b), err == nil
}

// multiline is how JSON over several lines begins, and a list of objects.
var multiline = regexp.MustCompile(`^\s*(?:\{\s*\n\s*"|\[\s*\{\s*")`)

// isDocument: JSON over several lines, or one too long for a line. An object that is cut is lines.
func isDocument(head []byte) bool {
	if len(head) < headLen && bytes.HasPrefix(bytes.TrimLeft(head, " \t\r\n"), []byte("{")) && json.NewDecoder(bytes.NewReader(head)).Decode(new(any)) != nil {
		return false
	}
	return multiline.Match(head) || bytes.HasPrefix(head, []byte(`{"`)) && bytes.IndexByte(head, '\n') < 0 && len(head) == headLen
}

func firstLine(b []byte) []byte {
	line, _, _ := bytes.Cut(b, []byte("\n"))
	return line
}

// maxDocument bounds one value of a document: the elements of a list are one each.
const maxDocument = 64 << 20

// document reads such JSON. What stands for a line is the record's number.
func (t *textReader) document(br *bufio.Reader) error {
	lr := &io.LimitedReader{R: br, N: maxDocument}
	dec := json.NewDecoder(lr)
	dec.UseNumber()
	if head, _ := br.Peek(64); bytes.HasPrefix(bytes.TrimLeft(head, " \t\r\n"), []byte("[")) {
		if _, err := dec.Token(); err != nil {
			return err
		}
	}
	for n := 1; dec.More(); lr.N = maxDocument {
		var v any
		if err := dec.Decode(&v); err != nil {
			t.fault(n, "an entry that is cut or is not JSON")
			return nil
		}
		t.records(&n, v)
		t.report.Lines = n - 1
	}
	return nil
}

// mostOrdered bounds what is held to be put in order.
const mostOrdered = 100_000

// inOrder gives what read reads in the order of the store's time: Loki answers stream by
// stream, many others the newest first.
func (t *textReader) inOrder(read func() error) error {
	t.flush()
	give, held := t.f, []Entry(nil)
	flush := func() {
		when := func(e Entry) time.Time {
			if e.Arrived.IsZero() {
				return e.Wall
			}
			return e.Arrived
		}
		steps := 0
		for i := 1; i < len(held); i++ {
			steps += when(held[i]).Compare(when(held[i-1]))
		}
		if steps < 0 { // what is of one moment is turned as well
			slices.Reverse(held)
		}
		slices.SortStableFunc(held, func(x, y Entry) int { return when(x).Compare(when(y)) })
		for _, e := range held {
			give(e)
		}
		held = nil
	}
	t.f = func(e Entry) {
		if held = append(held, e); len(held) == mostOrdered {
			t.fault(0, fmt.Sprintf("more than %d records: they are in order of time by that many", mostOrdered))
			flush()
		}
	}
	err := read()
	t.flush()
	flush()
	t.f = give
	return err
}

// isTable: the first line names columns, and one of them is of lines.
func isTable(head []byte) (comma rune, ok bool) {
	for _, c := range ",\t;" {
		in := csv.NewReader(bytes.NewReader(firstLine(head)))
		in.Comma = c
		names, err := in.Read()
		if err == nil && len(names) > 1 && slices.ContainsFunc(lineNames, func(name string) bool { return slices.Contains(names, name) }) {
			return c, true
		}
	}
	return 0, false
}

// table reads the rows of such a file.
func (t *textReader) table(br *bufio.Reader, comma rune) error {
	in := csv.NewReader(br)
	in.Comma, in.LazyQuotes, in.FieldsPerRecord = comma, true, -1
	names, err := in.Read()
	if err != nil {
		return err
	}
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		n, _ := in.FieldPos(0)
		if err != nil {
			t.fault(n, "a row that is no row of a table")
			return nil
		}
		rec := record{}
		for i, cell := range row[:min(len(row), len(names))] {
			rec[names[i]] = cell
		}
		t.record(&n, rec)
		t.report.Lines = n
	}
}
