package journal

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// isExport: the first line is NAME=value with a name of journald's, of the Journal Export
// Format.
//
// The reader of kola (coreos/mantle, network/journal) and go-systemd's sdjournal were looked
// at: the former is no module of its own, the latter wants libsystemd, and go-systemd has
// no reader of exported entries beside it.
func isExport(head []byte) bool {
	line, _, _ := bytes.Cut(bytes.TrimLeft(head, "\r\n"), []byte("\n"))
	name, _, ok := bytes.Cut(line, []byte("="))
	if !ok || !fieldName(name) {
		return false
	}
	return wanted[string(name)] || bytes.HasPrefix(name, []byte("__")) || bytes.Contains(head, []byte("\n__REALTIME_TIMESTAMP=")) || bytes.Contains(head, []byte("\n_BOOT_ID="))
}

func fieldName(b []byte) bool {
	if len(b) == 0 || len(b) > 64 {
		return false
	}
	for i, c := range b {
		if (c < 'A' || c > 'Z') && c != '_' && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// maxField bounds a binary field: journald takes 768 MB, nobody decides by it.
const maxField = 1 << 30

// export reads entries of NAME=value lines with an empty line between. A field with other
// bytes is its name alone, 64 bits of length, little endian, and that many bytes.
func (r *reader) export(br *bufio.Reader) error {
	fields, n, first := map[string]string{}, 1, 1
	done := func() {
		if len(fields) > 0 {
			r.emit(ofFields(first, Export, fields))
		}
		fields, first = map[string]string{}, n
	}
	var buf []byte
	for {
		line, whole, err := oneLine(br, buf[:0])
		buf = line
		r.report.Bytes += int64(len(line))
		if len(line) == 0 && err != nil {
			break
		}
		r.report.Lines = n
		text := trimEnd(line)
		name, value, ok := bytes.Cut(text, []byte("="))
		switch {
		case len(text) == 0:
			n++
			done()
			continue
		case err != nil && ok:
			r.fault(n, "the file ends within a field")
			if wanted[string(name)] {
				fields[string(name)] = string(value)
			}
		case ok && fieldName(name):
			if !whole {
				r.fault(n, fmt.Sprintf("a field longer than %d bytes", maxLine))
			}
			set(fields, string(name), value)
		case fieldName(text):
			if !r.binaryField(br, string(text), n, fields) {
				done()
				return nil
			}
		case bytes.HasPrefix(text, []byte("-- ")):
		default:
			r.fault(n, "not a field")
		}
		n++
		if err != nil {
			break
		}
	}
	done()
	return nil
}

// set keeps the first of a field that occurs more than once.
func set(fields map[string]string, name string, value []byte) {
	if _, has := fields[name]; wanted[name] && !has {
		fields[name] = string(value[:min(len(value), maxMessage)])
	}
}

func (r *reader) binaryField(br *bufio.Reader, name string, n int, fields map[string]string) bool {
	var size [8]byte
	if _, err := io.ReadFull(br, size[:]); err != nil {
		r.fault(n, "the file ends within a field")
		return false
	}
	length := binary.LittleEndian.Uint64(size[:])
	r.report.Bytes += 8
	if length > maxField {
		r.fault(n, fmt.Sprintf("a field that says to have %d bytes: what follows cannot be read", length))
		return false
	}
	value := make([]byte, min(length, maxMessage))
	read, err := io.ReadFull(br, value)
	if err == nil {
		var skipped int64
		skipped, err = io.CopyN(io.Discard, br, int64(length)-int64(read))
		read += int(skipped)
	}
	r.report.Bytes += int64(read)
	set(fields, name, value[:min(read, len(value))])
	if err != nil {
		r.fault(n, "the file ends within a field")
		return false
	}
	if c, err := br.ReadByte(); err != nil || c != '\n' {
		r.fault(n, "a field that is longer than it says")
		if err == nil {
			_ = br.UnreadByte()
		}
	}
	return true
}

// oneLine reads a line of any length, and keeps maxLine of it.
func oneLine(br *bufio.Reader, buf []byte) (line []byte, whole bool, err error) {
	whole = true
	for {
		part, err := br.ReadSlice('\n')
		if len(buf)+len(part) > maxLine {
			part, whole = part[:max(0, maxLine-len(buf))], false
		}
		buf = append(buf, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return buf, whole, err
		}
	}
}
