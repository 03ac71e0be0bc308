package timeline

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxLine bounds what one line may take in memory. journald caps a line of
// stdout at 48 kB (LineMax= in journald.conf(5)); a native field may be larger,
// and as an array of numbers takes four bytes a byte.
const maxLine = 8 << 20

// damage collects what is wrong with one source.
type damage struct {
	faults []string
	bad    map[string][]int // kind of fault -> line numbers
	cut    bool             // the source ends within a line
}

func (d *damage) at(line int, fault string) {
	if d.bad == nil {
		d.bad = map[string][]int{}
	}
	if _, seen := d.bad[fault]; !seen {
		d.faults = append(d.faults, fault)
	}
	d.bad[fault] = append(d.bad[fault], line)
}

func (d *damage) say(fault string) { d.faults = append(d.faults, fault) }

func (d *damage) String() string {
	var out []string
	for _, f := range d.faults {
		switch lines := d.bad[f]; len(lines) {
		case 0:
			out = append(out, f)
		case 1:
			out = append(out, fmt.Sprintf("line %d: %s", lines[0], f))
		default:
			out = append(out, fmt.Sprintf("%d lines, the first is %d: %s", len(lines), lines[0], f))
		}
	}
	return strings.Join(out, "; ")
}

// eachLine calls f for every line of r, without its line end. A line that is
// too long is left out and reported; an error in the middle ends the source and
// is reported, with what came before it kept.
func eachLine(r io.Reader, d *damage, f func(n int, line []byte)) {
	br := bufio.NewReaderSize(r, 64<<10)
	var buf []byte
	for n, long := 1, false; ; {
		part, err := br.ReadSlice('\n')
		if !long && len(buf)+len(part) > maxLine {
			long, buf = true, buf[:0]
			d.at(n, fmt.Sprintf("longer than %d bytes", maxLine))
		}
		if !long {
			buf = append(buf, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if line := bytes.TrimRight(buf, "\r\n"); !long && (len(line) > 0 || err == nil) {
			f(n, line)
		}
		if err != nil {
			switch {
			case !errors.Is(err, io.EOF):
				d.say(fmt.Sprintf("cut short after line %d: %v", n, err))
			case long || len(buf) > 0:
				d.cut = true
			}
			return
		}
		n, long, buf = n+1, false, buf[:0]
	}
}

// clip keeps evidence readable: a line of a terminal or four.
func clip(s string) string {
	const most = 400
	s = strings.ToValidUTF8(strings.TrimSpace(s), "\uFFFD")
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
