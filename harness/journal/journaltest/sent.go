// Package journaltest gives tests the journal of a recording as a host would have sent it.
package journaltest

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bootrace/harness/recording"
)

// Entry is one of journalctl -o json.
type Entry map[string]any

// Journal is the journal in a recording's directory, unpacked.
func Journal(t testing.TB, dir string) []byte {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, recording.JournalFile))
	require.NoError(t, err)
	defer f.Close()
	zr, err := gzip.NewReader(f)
	require.NoError(t, err)
	data, err := io.ReadAll(zr)
	require.NoError(t, err)
	return data
}

// Sent is that journal in a form: Export, ShortPrecise or ShortMonotonic.
func Sent(t testing.TB, dir string, form func(Entry) string) []byte {
	t.Helper()
	return written(t, dir, form, func(Entry) bool { return true })
}

// SentByAHost is Sent without what bootrace's own watchers say in it of files.
func SentByAHost(t testing.TB, dir string, form func(Entry) string) []byte {
	t.Helper()
	return written(t, dir, form, func(e Entry) bool { return e["BOOTRACE_EVENT"] == nil })
}

func written(t testing.TB, dir string, form func(Entry) string, keep func(Entry) bool) []byte {
	t.Helper()
	var out bytes.Buffer
	s := bufio.NewScanner(bytes.NewReader(Journal(t, dir)))
	s.Buffer(nil, 16<<20)
	for s.Scan() {
		var e Entry
		require.NoError(t, json.Unmarshal(s.Bytes(), &e))
		if keep(e) {
			out.WriteString(form(e))
		}
	}
	require.NoError(t, s.Err())
	return out.Bytes()
}

// Export is an entry as the Journal Export Format has it.
func Export(e Entry) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(e)) {
		s, binaries := e.value(name)
		if !binaries {
			fmt.Fprintf(&b, "%s=%s\n", name, s)
			continue
		}
		b.WriteString(name + "\n")
		b.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(s))))
		b.WriteString(s + "\n")
	}
	return b.String() + "\n"
}

// ShortPrecise is an entry as journalctl -o short-precise has it, in UTC.
func ShortPrecise(e Entry) string {
	return time.UnixMicro(e.micros("__REALTIME_TIMESTAMP")).UTC().Format("Jan 02 15:04:05.000000") + " " + e.line()
}

// ShortMonotonic is an entry as journalctl -o short-monotonic has it.
func ShortMonotonic(e Entry) string {
	us := e.micros("__MONOTONIC_TIMESTAMP")
	return fmt.Sprintf("[%5d.%06d] %s", us/1e6, us%1e6, e.line())
}

func (e Entry) line() string {
	ident, _ := e.value("SYSLOG_IDENTIFIER")
	if _, ok := e["_PID"]; ok && ident != "kernel" {
		pid, _ := e.value("_PID")
		ident += "[" + pid + "]"
	}
	msg, _ := e.value("MESSAGE")
	host, _ := e.value("_HOSTNAME")
	return fmt.Sprintf("%s %s: %s\n", host, ident, strings.ReplaceAll(msg, "\n", "\n    "))
}

func (e Entry) micros(name string) int64 {
	s, _ := e.value(name)
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}

// value is a field, which is a list of bytes where it is no text of one line.
func (e Entry) value(name string) (s string, binaries bool) {
	switch v := e[name].(type) {
	case nil:
		return "", false
	case string:
		return v, strings.ContainsAny(v, "\n")
	case []any:
		var b []byte
		for _, n := range v {
			if f, ok := n.(float64); ok {
				b = append(b, byte(f))
			}
		}
		return string(b), true
	default:
		return fmt.Sprint(v), false
	}
}
