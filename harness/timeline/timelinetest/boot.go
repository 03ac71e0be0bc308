// Package timelinetest writes recordings for tests: a directory in the formats
// that systemd, the cloud and the recorder really write, so that what reads it
// is tested together with what judges it. A test starts from Healthy, a whole
// boot in which everything went right, and breaks one thing.
//
//	b := timelinetest.Healthy()
//	b.Failed(3*time.Second, "cloud-config.service", "exit-code")
//	tl, err := timeline.Read(b.FS())
//
// It is not a model of systemd: it writes down what it is told.
package timelinetest

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing/fstest"
	"time"

	"bootrace/harness/recording"
)

// Zero is the boot clock's zero on CLOCK_MONOTONIC: a host up for a while.
const Zero = 1_454_432_578 * time.Microsecond

// Canary is the line by which leaks.txt shows that the search finds what is there.
const Canary = recording.Canary + "\t/run/.bootrace-canary-0a0a0a0a"

// Boot is a recording being written. Its fields are the files' contents before
// they are encoded; a test may change them.
type Boot struct {
	Case     string
	End      time.Duration
	Journal  []map[string]any // fields of an entry, in any order of time
	Vacuumed int              // that many entries, from the first, were removed
	Console  []string
	Cloud    []map[string]any
	Units    map[string]map[string]string
	Jobs     []string
	Files    []string
	Procs    []string
	Leaks    []string
	Host     []map[string]any
	Secrets  []string
	Exited   *int
	Cut      string
	Down     time.Duration // it is a second boot, and the first took that long to end
	Missing  map[string]string
	Versions map[string]string
	Extra    map[string][]byte // further files: expect.json
	Drop     []string          // files left out of the recording
	Replace  map[string][]byte // files as they lie on disk, after the manifest was made

	invocations int
	job         int
	ticks       int // of the boot logger
}

// New is a boot of which nothing is known.
func New() *Boot {
	return &Boot{Case: "test", End: 60 * time.Second, Units: map[string]map[string]string{}, Missing: map[string]string{},
		Versions: map[string]string{"systemd": "257", "vector": "stand-in 0.56"}, Extra: map[string][]byte{}, Replace: map[string][]byte{}}
}

// Mono writes a moment as CLOCK_MONOTONIC in nanoseconds.
func Mono(at time.Duration) int64 { return int64(Zero + at) }

// Entry adds a journal entry with the fields journald adds by itself.
func (b *Boot) Entry(at time.Duration, fields map[string]any) {
	e := map[string]any{
		"__MONOTONIC_TIMESTAMP": fmt.Sprint((Zero + at).Microseconds()),
		"__REALTIME_TIMESTAMP":  fmt.Sprint(int64(1_795_469_429_012_474) + at.Microseconds()),
		"_BOOT_ID":              "3ace50a34b1f48faaa68b34f2764544d", "_HOSTNAME": "worker", "PRIORITY": "6", "_UID": "0", "_GID": "0",
	}
	maps.Copy(e, fields)
	b.Journal = append(b.Journal, e)
}

// PID1 adds an entry of the manager.
func (b *Boot) PID1(at time.Duration, messageID, unit, message string, fields map[string]any) {
	e := map[string]any{"_PID": "1", "_COMM": "systemd", "_TRANSPORT": "journal", "_SYSTEMD_UNIT": "init.scope",
		"SYSLOG_IDENTIFIER": "systemd", "SYSLOG_FACILITY": "3", "CODE_FILE": "src/core/job.c", "MESSAGE": message}
	if messageID != "" {
		e["MESSAGE_ID"] = messageID
	}
	if unit != "" {
		e["UNIT"] = unit
	}
	maps.Copy(e, fields)
	b.Entry(at, e)
}

// Log adds a line a unit wrote to stdout.
func (b *Boot) Log(at time.Duration, unit, message string) {
	b.Entry(at, map[string]any{"_PID": "812", "_TRANSPORT": "stdout", "_SYSTEMD_UNIT": unit,
		"SYSLOG_IDENTIFIER": strings.TrimSuffix(unit, ".service"), "MESSAGE": message})
}

// Prop sets a property of a unit at the end.
func (b *Boot) Prop(unit string, pairs ...string) {
	u := b.Units[unit]
	if u == nil {
		u = map[string]string{"Id": unit, "LoadState": "loaded", "ActiveState": "inactive", "SubState": "dead", "Result": "success",
			"UnitFileState": "enabled", "NRestarts": "0", "MainPID": "0", "ActiveEnterTimestampMonotonic": "0",
			"InactiveExitTimestampMonotonic": "0", "StartLimitBurst": "5", "StartLimitIntervalUSec": "10s", "Job": "",
			"Before": "", "After": "", "Wants": "", "WantedBy": "", "RequiredBy": "", "ConditionResult": "no"}
		b.Units[unit] = u
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		u[pairs[i]] = pairs[i+1]
	}
}

// Up says that unit is active at the end, since the given times.
func (b *Boot) Up(unit string, began, active time.Duration) {
	b.Prop(unit, "ActiveState", "active", "SubState", "running", "ConditionResult", "yes",
		"InactiveExitTimestampMonotonic", Micros(began), "ActiveEnterTimestampMonotonic", Micros(active))
}

// Micros writes a moment as systemd's …TimestampMonotonic.
func Micros(at time.Duration) string { return fmt.Sprint((Zero + at).Microseconds()) }

// FS is the recording as a directory.
func (b *Boot) FS() fstest.MapFS {
	files := map[string][]byte{
		recording.JournalFile: b.journal(), recording.ConsoleFile: b.console(), recording.CloudFile: jsonl(b.Cloud), recording.HostFile: jsonl(b.Host),
		recording.UnitsFile: b.units(), recording.JobsFile: lines(b.Jobs), recording.ManagerFile: []byte("Version=257\nSystemState=running\n"),
		recording.EnvFilesFile: lines(b.Files), recording.ProcessesFile: lines(b.Procs), recording.LeaksFile: lines(slices.Concat([]string{Canary}, b.Leaks)),
	}
	maps.Copy(files, b.Extra)
	for _, name := range b.Drop {
		delete(files, name)
	}
	m := recording.Manifest{Format: recording.Format, Case: b.Case, BootZeroMono: Mono(0), EndMono: Mono(b.End), BootRealtime: 1_795_469_429_012_474,
		Files: map[string]recording.File{}, Missing: b.Missing, Versions: b.Versions, ContainerExit: b.Exited, Cut: b.Cut, Secrets: b.Secrets}
	if b.Down > 0 {
		m.Boot, m.StartMono, m.Down = 2, Mono(-time.Second), b.Down
	}
	for name, data := range files {
		sum := sha256.Sum256(data)
		m.Files[name] = recording.File{Size: int64(len(data)), SHA256: hex.EncodeToString(sum[:])}
	}
	files[recording.ManifestFile] = encode(m)
	maps.Copy(files, b.Replace)
	fsys := fstest.MapFS{}
	for name, data := range files {
		fsys[name] = &fstest.MapFile{Data: data, Mode: 0o644}
	}
	return fsys
}

func (b *Boot) journal() []byte {
	var buf bytes.Buffer
	zw := gzip.NewWriter(&buf)
	slices.SortStableFunc(b.Journal, func(x, y map[string]any) int {
		return strings.Compare(x["__MONOTONIC_TIMESTAMP"].(string), y["__MONOTONIC_TIMESTAMP"].(string))
	})
	// journald numbers what gets into the journal, without a gap.
	for i, e := range b.Journal {
		e["__CURSOR"] = fmt.Sprintf("s=2be26bd0829d4dcdaff89e19a33eda7d;i=%x", i+1)
	}
	if _, err := zw.Write(jsonl(b.Journal[b.Vacuumed:])); err != nil {
		panic(err)
	}
	if err := zw.Close(); err != nil {
		panic(err)
	}
	return buf.Bytes()
}

func (b *Boot) console() []byte {
	return []byte(strings.Join(b.Console, "\r\n") + "\r\n")
}

func (b *Boot) units() []byte {
	var buf bytes.Buffer
	for _, id := range slices.Sorted(maps.Keys(b.Units)) {
		for _, key := range slices.Sorted(maps.Keys(b.Units[id])) {
			fmt.Fprintf(&buf, "%s=%s\n", key, b.Units[id][key])
		}
		buf.WriteString("\n")
	}
	return buf.Bytes()
}

func lines(s []string) []byte {
	if len(s) == 0 {
		return nil
	}
	return []byte(strings.Join(s, "\n") + "\n")
}

func jsonl(rows []map[string]any) []byte {
	var buf bytes.Buffer
	for _, r := range rows {
		buf.Write(encode(r))
		buf.WriteByte('\n')
	}
	return buf.Bytes()
}

func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return data
}
