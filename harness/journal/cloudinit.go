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
var cloudInitStatus = regexp.MustCompile(`^(?:(?:extended_)?status: (?:error|degraded|running|done|disabled|not (?:run|started))|- \('\w+', \w+\()`)

func (t *textReader) cloudInit(n int, s string, width int) bool {
	s = strings.TrimLeft(s, " \t")
	if strings.HasPrefix(s, "Cloud-init v. ") { // cloud-init-output.log, and the console
		t.hold(Entry{Line: n, Form: CloudInit, Ident: "cloud-init", Message: s}, width)
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
	t.hold(Entry{Line: *n, Form: CloudInit, Ident: "cloud-init", Message: "status: " + map[bool]string{true: "error", false: "done"}[len(errs) > 0]}, 1)
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
