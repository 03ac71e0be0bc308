package timeline

import (
	"slices"
	"time"

	"bootrace/harness/pipeline"
	"bootrace/harness/recording"
)

// The sources of a timeline are files of the recording; Missing is keyed by them.
const (
	Manifest  = recording.ManifestFile
	Journal   = recording.JournalFile
	Console   = recording.ConsoleFile
	Cloud     = recording.CloudFile
	Units     = recording.UnitsFile
	Jobs      = recording.JobsFile
	Manager   = recording.ManagerFile
	Files     = recording.EnvFilesFile
	Processes = recording.ProcessesFile
	Leaks     = recording.LeaksFile
	Room      = recording.RoomFile
	Journald  = recording.JournaldFile
	Config    = recording.VectorFile
	Host      = recording.HostFile
	Pendings  = recording.PendingFile
)

// Kind says what an event is.
type Kind string

// Kinds of events. The first group is PID 1 speaking of a unit, and is only
// ever taken from PID 1 itself: MESSAGE_ID is a field any process may set.
const (
	Starting    Kind = "starting"
	Started     Kind = "started" // reached, listening, finished: the start job is done
	StartFailed Kind = "start-failed"
	Stopping    Kind = "stopping"
	Stopped     Kind = "stopped"
	Failed      Kind = "failed"    // the unit entered the failed state; Change.Result says why
	Succeeded   Kind = "succeeded" // deactivated without an error
	Skipped     Kind = "skipped"   // a condition was not met: nothing was started
	Restart     Kind = "restart"   // automatic restart scheduled
	Exit        Kind = "exit"      // a process of the unit ended by itself
	Refused     Kind = "refused"   // a start was not granted
	Cycle       Kind = "cycle"     // ordering cycle found, or a job dropped for it
	Finished    Kind = "finished"  // PID 1: startup finished

	Log        Kind = "log"        // any other journal entry
	Line       Kind = "line"       // a numbered line of boot-logger or opensandbox-worker
	EnvFile    Kind = "env-file"   // boot-logger saw a file of /etc/opensandbox change
	Script     Kind = "script"     // a step of the scenario's script
	Suppressed Kind = "suppressed" // journald dropped messages of Unit; Change.Count of them
	OnConsole  Kind = "console"    // a line of PID 1's console
	Request    Kind = "request"    // the cloud answered a request
)

// Event is one thing that happened. The pointers are set for their kind only.
type Event struct {
	At      time.Duration // since the boot clock's zero
	Untimed bool          // the source has no clock: At means nothing
	Kind    Kind
	Manager bool   // PID 1 says it
	Unit    string // the unit spoken of, else the unit that speaks
	Text    string // the message, without colours

	Change Change      // Starting … Exit, Suppressed
	Line   *Numbered   // Line
	File   *FileChange // EnvFile
	Step   string      // Script
	Call   *Call       // Request
	Status string      // OnConsole: the word in brackets: OK, FAILED, SKIP, DEPEND, TIME

	// Secrets names the secrets whose value stood in this entry, in any of its
	// fields; the recorder replaced each by [secret:NAME].
	Secrets  []string
	Evidence Evidence
}

// Change is what PID 1 adds to a message on a unit (systemd.journal-fields(7)).
type Change struct {
	JobType, JobResult   string
	Result               string // UNIT_RESULT
	Invocation           string
	ExitCode, ExitStatus string
	Command              string // ExecStart, ExecStartPre, …
	Count                int    // N_RESTARTS of Restart, N_DROPPED of Suppressed
	Dropped              string // Cycle: the unit whose job was deleted
}

// Numbered is a log line that can be accounted for.
type Numbered struct {
	Source string
	Seq    int
	Late   time.Duration // by how much the writer's clock tick was late: scheduling delay
	// Lost is the total of PSI's full line for the CPU in the machine's own cgroup:
	// its tasks wanted to run and none did; HasLost: the kernel says so.
	Lost    time.Duration
	HasLost bool
}

// FileChange is one sight of a file below /etc/opensandbox.
type FileChange struct {
	Path string
	Op   string // present, create, modify, rename, close, remove, attrib
	Size int64  // -1: gone before it could be read, so nothing below is known
	Mode string // octal, as in 0600
	UID  string
	// Others beside root who may read or change it: user:NAME, group:NAME, others. Known
	// in recordings from November 2026 on.
	Others      []string
	KnownOthers bool
	Vars        map[string]string // NAME -> first 8 hex digits of sha256(value); "-" is empty
	Whole       bool              // the last byte is a newline
}

// Call is one request to the cloud. At of its event is the arrival.
type Call struct {
	Service, Op, Host             string
	Status                        int
	Duration                      time.Duration
	RetryAfter                    time.Duration
	Secret, Error, Auth           string
	Dataset, TokenName, UserAgent string
	Events                        int
	Lines                         map[string][]Range // by source
	Metrics                       int                // events that are the worker's metrics
	Numbered                      int                // events that have numbered lines
	Fault                         string             // what went wrong on purpose
	Identity                      map[string]int     // how many of them have each variable's value
}

// Range is a run of sequence numbers, both ends included.
type Range = recording.Range

// Evidence is where in the recording something stands.
type Evidence struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Text string `json:"text"`
}

// Timeline is one boot.
type Timeline struct {
	Case      string
	End       time.Duration // when the recording was taken
	Events    []Event       // by time; within the same instant by source and line
	Removed   int           // entries that the journal had and has no more
	Final     Final
	Host      []HostSample
	Missing   map[string]string // source -> what is not there, and why
	Versions  map[string]string
	Secrets   []string // names the recorder searched for
	Origin    *Origin  // what it was read from that is of no recording; nil: it is of one
	NoClock   string   // why the events' times are not to be believed; empty: they are
	Exited    *int     // status with which PID 1 ended before the recording was taken
	Cut       string   // why the recording was ended early, for the host's sake; empty: it was not
	StartedAt time.Time
	Before    Before
}

// Before is the end of the boot before this one, where the machine was told to reboot.
type Before struct {
	Down time.Duration // how long it took; 0: it is the first boot, or the power failed
	Held string        // the unit that took the longest to stop; empty: it is not known
	For  time.Duration // that long
	Evidence
}

// Final is the machine at End.
type Final struct {
	Units       map[string]Unit
	Jobs        []Job
	Files       []File
	Processes   []Process
	Leaks       []Leak
	Unwatched   string // why what did not last was not looked for; empty: it was
	SystemState string
	LogLevel    LogLevel // PID 1's own (systemd-system.conf(5))
	LogTarget   string   // where PID 1 logs to; empty: not recorded
	// Generators is how long PID 1 waited for them before it loaded any unit (systemd.generator(7)).
	Generators time.Duration
	// Room is how many bytes file systems have free, by path; older recordings have none.
	Room map[string]int64
	// Journald are the settings of journald.conf(5) that differ from what is built in, by
	// name; nil: not recorded.
	Journald map[string]Setting
	// Pipeline is the configuration that Vector was made to read, as far as it could be
	// read; nil in a recording that has none.
	Pipeline *pipeline.Pipeline
	// Unread says what of it could not be read.
	Unread string
	// Pending is what could still happen of the subject after it had delivered; Asked: that is known.
	Pending []Pending
	Asked   bool
}

// Pending is something that the subject could still do when the machine was asked, at Seen.
type Pending struct {
	Unit, How string
	Seen, Due time.Duration // Due 0: not by itself
	Waited    bool          // the case went on for it
	Process   int           // its number, where one goes on by itself
}

// Unit is a unit as `systemctl show` prints it; times are on the boot clock,
// and zero where systemd has none.
type Unit struct {
	ID, Load, Active, Sub, Result string
	Names                         []string // what PID 1 calls it, where that is not its ID
	FileState                     string
	Type                          string // of a service: when its start is over (systemd.service(5))
	Generated                     bool   // its file was made at this boot, by a generator (systemd.generator(7))
	Outdated                      bool   // of Vector's: a file of it is newer than what PID 1 has read (NeedDaemonReload=)
	MainPID, Restarts             int
	ActiveEnter, InactiveExit     time.Duration
	StartLimitBurst               int
	StartLimitInterval            time.Duration
	Before, After                 []string
	WantedBy, RequiredBy          []string
	Restart                       string // Restart= of a service
	OnFailure, UpheldBy           []string
	// Condition and Assert are when the last start found one that does not hold; 0: none did.
	Condition, Assert time.Duration
	// Unmet are the conditions and asserts that did not hold then, MetLater those of them that do at the end.
	Unmet, MetLater []string
	Held            []string // ConditionVirtualization= that held
	BoundBy         []string
	Unread          []string // its EnvironmentFile= that are not there at the end, of Vector and the image's own services
	EnvFiles        []string // those of the same that it does not start without
	StopsWith       []string // of Vector: units that have PropagatesStopTo= it (StopPropagatedFrom)
	RequisiteOf     []string
	MountsFor       []string // RequiresMountsFor=
	Output          []string // of the worker: what keeps its words from the journal, as in its file
	// User is a service's own, empty for root; Bounding are the capabilities that it may
	// have (capabilities(7), by number), all where it is not recorded.
	User        string
	Bounding    uint64
	Forgoes     []string      // what it gives up by settings of its own: PrivateDevices, ProtectClock, …
	Elapses     time.Duration // of a timer: when it does next, by the monotonic clock; 0: it does not
	TriggeredBy []string      // of services, and of other units that are inactive at the end
	OnSuccessOf []string      // of the same; systemd before 249 does not say
	LogLevelMax LogLevel      // the unit's own; Debug where it has none
	// MemoryLimited: the unit may not have all of the host's memory (MemoryMax=). Slice
	// is what it is in, which may have a limit as well.
	MemoryLimited bool
	Slice         string
	// MemoryMax is the unit's own limit, MemoryUncounted what its processes had at the end
	// where nobody holds them to it, both in bytes, 0 where there is none.
	MemoryMax, MemoryUncounted int
	Evidence                   Evidence
}

// LogLevel is how loud somebody may be: only what is at least as severe is logged.
type LogLevel int

// Levels of syslog(3).
const (
	Err     LogLevel = 3
	Warning LogLevel = 4
	Info    LogLevel = 6
	Debug   LogLevel = 7
)

// Setting is a line of a configuration file.
type Setting struct {
	Value, Path string
	Evidence    Evidence
}

// Job is a queued job.
type Job struct {
	Unit, Type, State string
	Evidence          Evidence
}

// File is a file of /etc/opensandbox at End.
type File struct {
	Path, Mode, UID, GID string
	Others               []string // as of FileChange
	KnownOthers          bool
	Size                 int64
	Vars                 map[string]string
	Evidence             Evidence
}

// Process is a running process at End.
type Process struct {
	PID      int
	Unit     string
	Start    time.Duration
	Vars     map[string]string // of its environment, as in FileChange
	Cmdline  string
	Exe      string // the program's file; empty in older recordings
	Secrets  []string
	Evidence Evidence
}

// Leak is a place at which a secret's value was found on the machine.
type Leak struct {
	Secret, Where string
	Evidence      Evidence
}

// HostSample is one look at the host's pressure; the stalls are totals.
type HostSample struct {
	At                       time.Duration
	CPUSome, MemFull, IOFull time.Duration
	Late                     time.Duration
}

// Of returns the events of the given kinds, in order.
func (t Timeline) Of(kinds ...Kind) []Event {
	var out []Event
	for _, e := range t.Events {
		if slices.Contains(kinds, e.Kind) {
			out = append(out, e)
		}
	}
	return out
}
