package journal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"time"
)

// cloudInitLine is one of cloud-init.log: time, file, level.
var cloudInitLine = regexp.MustCompile(`^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) - (\S+?\[[A-Z]+\]: .*)$`)

// cloudInitStatus is a line of cloud-init status --long, with its errors since 23.4.
var cloudInitStatus = regexp.MustCompile(`^(?:(?:extended_)?status: (?:error|degraded|running|done|disabled|not (?:run|started))|- \('\w+|finish: [\w-]+(?:/[\w-]+)?: (?:FAIL|SUCCESS|WARN): |(?:Error: )?Cloud config schema errors: )`)

// commandSaid are the lines below "Unexpected error while running command." (cloudinit/subp.py).
var commandSaid = regexp.MustCompile(`^(?:Command: |Exit code: )`)

func (t *textReader) cloudInit(n int, s string, width int) bool {
	s = strings.TrimLeft(s, " \t")
	if t.raw > 0 && t.held.Form == CloudInit && commandSaid.MatchString(s) && strings.Contains(t.held.Message, "rror while running command.") {
		t.held.Message += " " + s
		return true
	}
	if strings.HasPrefix(s, "Cloud-init v. ") { // cloud-init-output.log, and the console
		t.hold(Entry{Line: n, Form: CloudInit, Ident: "cloud-init", Message: s}, width)
		return true
	}
	if m := t.statusItem(n, s); m != "" {
		t.hold(Entry{Line: n, Form: CloudInit, Ident: "cloud-init", Message: m}, width)
		return true
	}
	if cloudInitStatus.MatchString(s) || strings.HasPrefix(s, cloudScripts) {
		t.hold(Entry{Line: n, Form: CloudInit, Ident: "cloud-init", Message: s}, width)
		return true
	}
	if len(s) < 28 || s[23:26] != " - " {
		return false
	}
	m := cloudInitLine.FindStringSubmatch(s)
	if m == nil {
		return false
	}
	at, _ := iso(m[1])
	t.hold(Entry{Line: n, Form: CloudInit, Ident: "cloud-init", Wall: at, Message: m[2]}, width)
	return true
}

var (
	// Of cloud-init status in JSON, of which the end is not there, and of its lists.
	cutStatus = regexp.MustCompile(`^"(extended_)?status": "([a-z -]+)",?$`)
	listHead  = regexp.MustCompile(`^"?(recoverable_)?errors"?: ?(?:\[|\{)?$`)
	listLevel = regexp.MustCompile(`^"?(?:WARNING|ERROR|CRITICAL|DEPRECATED)"?: ?\[?$`)
	listItem  = regexp.MustCompile(`^(?:- ([^(].*)|"(.*)",?)$`)
)

// statusList is where in cloud-init status a reader is.
type statusList struct {
	is   string // the status
	says string // what an item of the list begins with; empty: in no list
	line int    // the last that was of the list
}

// statusItem is what a line of cloud-init status says: how it is, or one of its errors.
func (t *textReader) statusItem(n int, s string) string {
	l := &t.list
	if m := cutStatus.FindStringSubmatch(s); m != nil {
		if l.is = m[2]; l.is == "done" {
			return ""
		}
		return "status: " + l.is
	}
	if is, ok := strings.CutPrefix(s, "status: "); ok {
		l.is = is
		return ""
	}
	if m := listHead.FindStringSubmatch(s); m != nil {
		if l.says, l.line = "recoverable: ", n; m[1] == "" || l.is == "error" {
			l.says = "- "
		}
		return ""
	}
	if l.says == "" || n-l.line > 1 {
		return ""
	}
	m := listItem.FindStringSubmatch(s)
	if m != nil || listLevel.MatchString(s) {
		l.line = n
	}
	if m == nil {
		return ""
	}
	return l.says + m[1] + m[2]
}

// cloudScripts is where the user data's scripts lie.
const cloudScripts = "/var/lib/cloud/instance/scripts/"

// cloudResult reads cloud-init's status and result in JSON: status.json, result.json, and
// cloud-init status --format json.
func (t *textReader) cloudResult(n *int, o map[string]any) bool {
	_, named := o["datasource"]
	errs, has := o["errors"].([]any)
	if !named || !has {
		return false
	}
	said, _ := o["status"].(string)
	status := "status: " + said
	switch extended, _ := o["extended_status"].(string); {
	case len(errs) > 0, said == "":
		status = "status: " + map[bool]string{true: "error", false: "done"}[len(errs) > 0]
	case said == "error", strings.HasPrefix(extended, "error"):
		status = "status: error, errors: none"
	}
	if extended, _ := o["extended_status"].(string); strings.HasPrefix(extended, "degraded") && status == "status: done" {
		status = "status: " + extended
	}
	t.hold(Entry{Line: *n, Form: CloudInit, Ident: "cloud-init", Message: status}, 1)
	for _, one := range errs {
		s, _ := one.(string)
		t.hold(Entry{Line: *n, Form: CloudInit, Ident: "cloud-init", Message: "- " + Clean([]byte(s))}, 1)
	}
	*n++
	return true
}

// isEvents: cloud-init analyze dump is a list of events.
func isEvents(head []byte) bool {
	head = bytes.TrimLeft(head, " \r\n\t")
	return len(head) > 0 && head[0] == '[' && bytes.Contains(head, []byte(`"event_type"`)) && bytes.Contains(head, []byte(`"timestamp"`))
}

// events reads cloud-init analyze dump: the stages and modules, as cloud-init.log words them.
func (r *reader) events(br *bufio.Reader) error {
	dec := json.NewDecoder(br)
	if _, err := dec.Token(); err != nil {
		return err
	}
	n := 1
	for dec.More() {
		var ev struct {
			Name        string      `json:"name"`
			Type        string      `json:"event_type"`
			Result      string      `json:"result"`
			Description string      `json:"description"`
			Timestamp   json.Number `json:"timestamp"`
		}
		if err := dec.Decode(&ev); err != nil {
			r.fault(n, "the list of events is cut or is not JSON")
			return nil
		}
		n++
		at, _ := ev.Timestamp.Float64()
		msg := ev.Type + ": " + ev.Name + ": "
		if ev.Result != "" {
			msg += ev.Result + ": "
		}
		r.emit(Entry{Line: n, Form: CloudInit, Ident: "cloud-init", Wall: time.UnixMicro(int64(at * 1e6)).UTC(), Message: Clean([]byte(cut(msg + ev.Description)))})
	}
	if _, err := dec.Token(); err != nil {
		r.fault(n, "the list of events is cut or is not JSON")
	}
	return nil
}
