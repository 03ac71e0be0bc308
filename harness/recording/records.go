package recording

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"bootrace/images/azure/fault"
)

// Request is one request to the cloud, or one thing that the cloud has to tell: a
// line of cloud.jsonl. A service fills in what it learns of a request; the fields
// of the connection and of the answer are its caller's.
type Request struct {
	Mono    int64  `json:"mono"` // CLOCK_MONOTONIC in nanoseconds, at arrival
	Service string `json:"service"`
	Op      string `json:"op"`

	Method       string        `json:"method,omitempty"`
	Host         string        `json:"host,omitempty"`
	Path         string        `json:"path,omitempty"`
	Query        string        `json:"query,omitempty"`
	Status       int           `json:"status,omitempty"`
	Duration     time.Duration `json:"duration_ns,omitempty"`
	Bytes        int64         `json:"bytes,omitempty"`         // of the answer's body
	RequestBytes int64         `json:"request_bytes,omitempty"` // of the request's body, as sent

	Secret      string `json:"secret,omitempty"`
	Version     string `json:"version,omitempty"`
	Error       string `json:"error,omitempty"` // a code, or a handshake's error
	Auth        string `json:"auth,omitempty"`  // images/azure/bearer
	RetryAfterS int    `json:"retry_after_s,omitempty"`

	Dataset   string            `json:"dataset,omitempty"`
	TokenName string            `json:"token_name,omitempty"` // the secret whose value the bearer is
	Events    int               `json:"events,omitempty"`
	Lines     map[string]string `json:"lines,omitempty"` // source -> ranges of seq, see RangesText
	// Metrics is how many events are the worker's metrics, Identity how many of those
	// with numbered lines have each value that says who sent them, by its variable.
	Metrics   int            `json:"metrics,omitempty"`
	Numbered  int            `json:"numbered,omitempty"` // events with numbered lines
	Identity  map[string]int `json:"identity,omitempty"`
	Worker    string         `json:"worker,omitempty"`
	UserAgent string         `json:"user_agent,omitempty"`

	Fault fault.Kind `json:"fault,omitempty"` // what went wrong on purpose
}

// Rotated is what TokenName, and every other name of a secret, ends in for the value
// that the secret was rotated to.
const Rotated = "@2"

// Monotonic is CLOCK_MONOTONIC in nanoseconds, the clock of the journal's
// __MONOTONIC_TIMESTAMP and of all that says mono, which a container shares with its
// host. Go's own monotonic readings do not reveal it.
func Monotonic() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic(err) // clock_gettime(2): cannot fail for a clock that Linux always has
	}
	return ts.Nano()
}

// Clock is a moment by both clocks of a machine, which are its host's: not those of
// whoever talks to the engine, who may be elsewhere.
type Clock struct {
	Mono     int64 `json:"mono"` // CLOCK_MONOTONIC in nanoseconds
	Realtime int64 `json:"realtime_us"`
}

// Now is the moment by this host's clocks.
func Now() Clock { return Clock{Monotonic(), time.Now().UnixMicro()} }

// What the cloud says of itself: it answers from here on, its first line; and the
// machine's network, which was to come late, has come.
const (
	OpReady   = "ready"
	OpNetwork = "network"
)

// HostSample is the state of the host at one moment, a line of host.jsonl: what may
// have disturbed a boot that was not the boot's fault. Totals are since the host's
// boot, of /proc/pressure (the kernel's Documentation/accounting/psi.rst).
type HostSample struct {
	Clock
	CPUSomeUS int64 `json:"psi_cpu_some_us"`
	MemFullUS int64 `json:"psi_mem_full_us"`
	IOFullUS  int64 `json:"psi_io_full_us"`
	LateUS    int64 `json:"late_us"` // by how much this sample was late
}

// InotifyEnough is a limit on inotify instances that a hundred machines fit in and more.
const InotifyEnough = 8192

// HostFacts is what a host has for machines. What cannot be had is 0.
type HostFacts struct {
	FreeMB           int    `json:"free_mb"`           // memory, without what caches would give back
	FreeDiskMB       int    `json:"free_disk_mb"`      // where the engine keeps containers
	InotifyInstances int    `json:"inotify_instances"` // fs.inotify.max_user_instances
	InotifyInUse     int    `json:"inotify_in_use"`    // of root's, as far as they are seen
	Capabilities     uint64 `json:"capabilities"`      // of the bounding set, a bit each (capabilities(7))
	Cgroup2          bool   `json:"cgroup2"`           // the kernel has it
	Unified          bool   `json:"unified"`           // and nothing else is mounted
	Pressure         bool   `json:"pressure"`          // with the line full, of Linux 5.13
}

// Line is one numbered log line of the worker's twin or the boot logger. Late and
// Lost are how a recording knows that its boot was disturbed: by how much the
// writer's tick was late, and for how long, in all, nothing of this machine ran that
// wanted to. A kernel without PSI has no Lost.
type Line struct {
	Source string `json:"source"`
	Seq    int    `json:"seq"` // from 1
	LateUS int64  `json:"late_us"`
	LostUS *int64 `json:"psi_cpu_full_us,omitempty"`
	Msg    string `json:"msg"`
	// Ref says source and seq in one word, by which a line is known wherever a
	// pipeline puts it: merged, nested, under another name, in a string.
	Ref string `json:"ref"`
}

// BootFile is a file of a machine that says which of its boots it is in, from the second
// on. The lines of each boot have numbers of their own: what a boot had still to ship, the
// next one ships.
const (
	BootFile     = "/usr/local/share/bootrace-boot"
	LinesPerBoot = 100_000
)

// FirstOfBoot is the first number of the lines of the boot that a line is of.
func FirstOfBoot(seq int) int { return seq - (seq-1)%LinesPerBoot }

// Ref is the word for a line.
func Ref(source string, seq int) string { return fmt.Sprintf("bootrace:%s#%d", source, seq) }

// RefPattern finds such words; its groups are source and seq.
var RefPattern = regexp.MustCompile(`bootrace:([a-z][a-z-]{0,63})#([0-9]{1,9})`)

// Range is lines with numbers from First to Last.
type Range struct{ First, Last int }

// MaxSeq bounds a range, so that a garbled one costs no memory downstream.
const MaxSeq = 1_000_000

// RangesText writes ranges as Request.Lines has them: "1-20,22".
func RangesText(ranges []Range) string {
	var parts []string
	for _, r := range ranges {
		if r.First == r.Last {
			parts = append(parts, strconv.Itoa(r.First))
		} else {
			parts = append(parts, fmt.Sprintf("%d-%d", r.First, r.Last))
		}
	}
	return strings.Join(parts, ",")
}

// ParseRanges reads what RangesText writes. With an error it returns those before.
func ParseRanges(s string) ([]Range, error) {
	var out []Range
	for _, part := range strings.Split(s, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		first, last, isRange := strings.Cut(part, "-")
		a, err := strconv.Atoi(first)
		b := a
		if err == nil && isRange {
			b, err = strconv.Atoi(last)
		}
		if err != nil || a < 1 || b < a || b > MaxSeq {
			return out, fmt.Errorf("%q is no range", part)
		}
		out = append(out, Range{a, b})
	}
	return out, nil
}

// VectorConfig is what the collector found of Vector's configuration, vector.json:
// the command line that named the files, and their text as it lies on disk,
// variables not put in.
type VectorConfig struct {
	From     string       `json:"from"` // the process, or the unit's ExecStart=
	Argv     []string     `json:"argv"`
	Files    []ConfigFile `json:"files"`
	Problems []string     `json:"problems,omitempty"` // what could not be read, and why
}

// ConfigFile is one file of a configuration.
type ConfigFile struct {
	Path   string `json:"path"`
	Format string `json:"format"` // yaml, toml or json
	// Section is that of a file below --config-dir, as `sinks`, whose name is the component's id; empty for a whole file.
	Section string `json:"section,omitempty"`
	Text    string `json:"text"`
}

// CollectRequest is what the collector is told on its stdin. The secrets come this
// way because arguments and files would put them where the search looks for them.
type CollectRequest struct {
	// Secrets are searched for, name -> value. Without any, processes are not listed either.
	Secrets map[string]string `json:"secrets"`
	// Pending: told is only what may still happen of the subject, whose units these are, in
	// a PendingFile.
	Pending bool     `json:"pending,omitempty"`
	Units   []string `json:"units,omitempty"`
	// CPULost: told is only for how long others have had the CPU, in a CPULostFile.
	CPULost bool `json:"cpu_lost,omitempty"`
	// Cloud is a host of its cloud, which the machine is to resolve and trust; empty: it is
	// not asked, for the cloud would hear of it.
	Cloud string `json:"cloud,omitempty"`
}

// Pending is something that the subject may still do though it has delivered, a line of
// pending.jsonl. Times are of CLOCK_MONOTONIC in nanoseconds.
type Pending struct {
	Unit string `json:"unit"`
	How  string `json:"how"`              // what it waits for, in words that follow the unit's name
	Due  int64  `json:"due_ns,omitempty"` // when it goes on at the latest; 0: not by itself
	Seen int64  `json:"seen_ns"`          // when that was so
	// Process is the number of the one that goes on; 0: it is no process, or an older recording.
	Process int `json:"process,omitempty"`
	// Waited: the case went on for it.
	Waited bool `json:"waited,omitempty"`
}

// Canary stands in leaks.txt where a secret's name would: the collector plants a
// value of its own, which its search must find as well. No secret's name in Key
// Vault has parentheses.
const Canary = "(canary)"

// Unwatched stands there where the engine does not let a machine see what does not last;
// why follows. fanotify(7) takes CAP_SYS_ADMIN of the host, which no rootless engine has.
const Unwatched = "(unwatched)"
