package journal

import (
	"bufio"
	"compress/bzip2"
	"compress/gzip"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
	"golang.org/x/text/encoding/unicode"
)

// Form is what a line or an entry was written as.
type Form string

// Forms, as they are named to people.
const (
	Export    Form = "journalctl -o export"
	JSON      Form = "journalctl -o json"
	Verbose   Form = "journalctl -o verbose"
	Text      Form = "journal or syslog"  // with a date or a clock, and who speaks
	Bare      Form = "lines without time" // with who speaks only, or PID 1's words alone
	Console   Form = "console"
	Kernel    Form = "kernel log"
	CloudInit Form = "cloud-init's log"
	Analyze   Form = "systemd-analyze"
	Status    Form = "systemctl" // status, list-units, list-jobs
)

// Entry is one thing that was said.
type Entry struct {
	Line int // of the file, from 1
	Form Form
	Boot string // _BOOT_ID
	Host string
	// Ident is who speaks: SYSLOG_IDENTIFIER, or the word before the colon. PID 0: not said.
	Ident string
	PID   int
	// Mono is since the kernel's start, Wall by the machine's clock; of a form without a
	// year it is in the year 0. Arrived is when somebody else got the line.
	Mono          time.Duration
	HasMono       bool
	Wall, Arrived time.Time
	Message       string
	Of            string            // the unit that systemctl status says its process is of
	Shown         string            // the unit whose systemctl status it stands in
	Status        string            // of a console: the word in brackets
	Fields        map[string]string // of export and json: those that Wanted names
	Last          bool              // of a file of lines: it may be cut
	NewBoot       bool              // the file itself says that another boot begins here; no message
}

// UsersManager is the PID of a user's manager where nobody says it; no process has it
// (PID_MAX_LIMIT is 1 << 22).
const UsersManager = 1 << 23

// Report is what a file was.
type Report struct {
	Name    string
	Forms   map[Form]int // how many entries of each
	Lines   int
	Entries int
	Bytes   int64
	// Faults are what is wrong with it: cut, wrapped, mangled, garbled.
	Faults []string
	Units  map[string]Unit // of systemd-analyze and systemctl
	// Described are the units by what systemctl calls them.
	Described map[string]string
	// AllUnits: they are all that the machine had (systemd-analyze dump).
	AllUnits bool
}

// Unit is a unit as systemd-analyze shows it.
type Unit struct {
	Load, Active, Sub, Job string
	// Disabled: no target asks for it; Unmet is the condition that its last start found not to hold.
	Disabled bool
	Unmet    string
	// TriggeredBy is what is active and will start it.
	TriggeredBy string
	// Up and Took are critical-chain's: when the unit was up, how long its start took.
	Up, Took time.Duration
	// Behind is what was up before it in the chain, Gap how long before.
	Behind string
	Gap    time.Duration
	Line   int
}

// wanted are the journal's fields that an entry has: systemd.journal-fields(7).
var wanted = map[string]bool{
	"MESSAGE": true, "MESSAGE_ID": true, "PRIORITY": true, "SYSLOG_IDENTIFIER": true, "_PID": true, "_COMM": true, "_TRANSPORT": true,
	"_SYSTEMD_UNIT": true, "_SYSTEMD_USER_UNIT": true, "UNIT": true, "USER_UNIT": true, "_BOOT_ID": true, "_HOSTNAME": true, "__MONOTONIC_TIMESTAMP": true, "__REALTIME_TIMESTAMP": true,
	"JOB_TYPE": true, "JOB_RESULT": true, "UNIT_RESULT": true, "INVOCATION_ID": true, "EXIT_CODE": true, "EXIT_STATUS": true, "COMMAND": true,
	"N_RESTARTS": true, "N_DROPPED": true, "BOOTRACE_EVENT": true, "BOOTRACE_PATH": true, "BOOTRACE_OP": true, "BOOTRACE_MODE": true, "BOOTRACE_UID": true,
	"BOOTRACE_OTHERS": true, "BOOTRACE_VARS": true, "BOOTRACE_WHOLE": true, "BOOTRACE_SIZE": true, "BOOTRACE_MONO": true, "BOOTRACE_STEP": true,
}

// ErrNotALog is of a file in which nothing speaks of a boot.
var ErrNotALog = errors.New("no log of a boot: no line of systemd, of a kernel or of cloud-init")

// maxUnpacked bounds a packed file: a small one may unpack to anything.
const maxUnpacked = 8 << 30

// Read gives each entry of a log to f, in the file's order. name is for messages, and tells a
// .journal file, which journalctl must read. An error means that there is nothing to judge.
func Read(ctx context.Context, r io.Reader, name string, f func(Entry)) (Report, error) {
	rd := &reader{report: Report{Name: name, Forms: map[Form]int{}, Units: map[string]Unit{}, Described: map[string]string{}}, f: f}
	err := rd.unpack(ctx, r, 0)
	rd.report.Faults = append(rd.report.Faults, rd.faults()...)
	if err != nil {
		return rd.report, fmt.Errorf("%s: %w", name, err)
	}
	if rd.report.Entries == 0 && len(rd.report.Units) == 0 {
		return rd.report, fmt.Errorf("%s: %w", name, ErrNotALog)
	}
	return rd.report, nil
}

type reader struct {
	report Report
	f      func(Entry)
	bad    map[string]lines
	order  []string
}

// lines are those that a fault was found in.
type lines struct{ first, n int }

func (r *reader) emit(e Entry) {
	if !e.NewBoot {
		r.report.Entries++
		r.report.Forms[e.Form]++
	}
	r.f(e)
}

// fault notes what is wrong with a line; 0: with the file.
func (r *reader) fault(line int, what string) {
	if r.bad == nil {
		r.bad = map[string]lines{}
	}
	l, seen := r.bad[what]
	if !seen {
		if len(r.order) > 20 {
			return
		}
		r.order = append(r.order, what)
		l.first = line
	}
	l.n++
	r.bad[what] = l
}

func (r *reader) faults() []string {
	var out []string
	for _, what := range r.order {
		switch l := r.bad[what]; {
		case l.first == 0:
			out = append(out, what)
		case l.n == 1:
			out = append(out, fmt.Sprintf("line %d: %s", l.first, what))
		default:
			out = append(out, fmt.Sprintf("%d lines, the first is %d: %s", l.n, l.first, what))
		}
	}
	return out
}

// packings are how a file may be packed, by how such a file begins.
var packings = []struct {
	magic, name string
	unpack      func(io.Reader) (io.Reader, error)
}{
	{"\x1f\x8b", "gzip", func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }},
	{"\x28\xb5\x2f\xfd", "zstd", func(r io.Reader) (io.Reader, error) {
		return zstd.NewReader(r, zstd.WithDecoderMaxMemory(256<<20), zstd.WithDecoderConcurrency(1)) // 1: no goroutine that would have to be ended
	}},
	{"\xfd7zXZ\x00", "xz", func(r io.Reader) (io.Reader, error) { return xz.NewReader(r) }},
	{"BZh", "bzip2", func(r io.Reader) (io.Reader, error) { return bzip2.NewReader(r), nil }},
	// What PowerShell's > writes.
	{"\xff\xfe", "UTF-16", utf16}, {"\xfe\xff", "UTF-16", utf16},
}

func utf16(r io.Reader) (io.Reader, error) {
	return unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder().Reader(r), nil
}

const journalMagic = "LPKSHHRH"

// unpack takes off what the file is packed in.
func (r *reader) unpack(ctx context.Context, in io.Reader, depth int) error {
	br := bufio.NewReaderSize(in, 256<<10)
	head, err := br.Peek(8)
	if err != nil && len(head) == 0 {
		if errors.Is(err, io.EOF) {
			return errors.New("the file is empty")
		}
		return err
	}
	for _, p := range packings {
		if !strings.HasPrefix(string(head), p.magic) {
			continue
		}
		if depth > 2 {
			return errors.New("packed more than three times")
		}
		out, err := p.unpack(br)
		if err != nil {
			return fmt.Errorf("unpack %s: %w", p.name, err)
		}
		return r.unpack(ctx, io.LimitReader(out, maxUnpacked), depth+1)
	}
	if string(head) == journalMagic {
		return r.binary(ctx, br)
	}
	head, _ = br.Peek(4 << 10)
	if _, ok := plain64(string(head)); ok && depth <= 2 { // what EC2's GetConsoleOutput answers
		return r.unpack(ctx, base64.NewDecoder(base64.StdEncoding, br), depth+1)
	}
	return r.plain(br)
}

// byteOrderMark is how Excel and Windows begin a file of UTF-8.
const byteOrderMark = "\xef\xbb\xbf"

// headLen is how much of a file its kind is told by.
const headLen = 16 << 10

// plain reads what is not packed, by what it begins with.
func (r *reader) plain(br *bufio.Reader) error {
	if mark, _ := br.Peek(len(byteOrderMark)); string(mark) == byteOrderMark {
		_, _ = br.Discard(len(mark))
	}
	head, _ := br.Peek(headLen)
	t := &textReader{reader: r, widths: widths}
	switch {
	case isExport(head):
		return r.export(br)
	case isDump(head):
		return r.dump(br)
	case isPlot(head):
		return r.plot(br)
	case isEvents(head):
		return r.events(br)
	case isDocument(head):
		return t.inOrder(func() error { return t.document(br) })
	}
	if comma, ok := isTable(head); ok {
		return t.inOrder(func() error { return t.table(br, comma) })
	}
	return r.text(br)
}
