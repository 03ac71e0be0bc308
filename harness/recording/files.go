package recording

// The files of a recording.
const (
	// ManifestFile makes a directory a recording. It is written last: a directory
	// without it is a recording that was cut off.
	ManifestFile = "manifest.json"

	ConsoleFile = "console.log" // of PID 1, as it came

	JournalFile   = "journal.json.gz" // journalctl -o json
	UnitsFile     = "units.txt"       // as systemctl show prints units
	JobsFile      = "jobs.txt"        // as systemctl list-jobs prints them
	ManagerFile   = "manager.txt"     // systemctl show, of the manager
	EnvFilesFile  = "files.txt"       // the files of /etc/opensandbox, without values
	ProcessesFile = "processes.txt"   // what ran at the end, without values
	RoomFile      = "room.txt"        // path and bytes free of some file systems at the end
	JournaldFile  = "journald.conf"   // journald's configuration, as systemd-analyze cat-config prints it
	LeaksFile     = "leaks.txt"       // where values of secrets were found, by the secrets' names
	VectorFile    = "vector.json"     // VectorConfig
	PendingFile   = "pending.jsonl"   // a Pending a line: what could still happen after delivery

	CloudFile  = "cloud.jsonl"   // a Request a line
	HostFile   = "host.jsonl"    // a HostSample a line
	ExpectFile = "expect.json"   // what the boot is held against (harness/check)
	CaseFile   = "scenario.yaml" // the scenario as it was read (package scenarios)
	ByHandFile = "by-hand.sh"    // boots the same again by the engine's own commands
)

// Of the collector's files three become part of the manifest, and the journal is
// kept compressed.
const (
	CollectedJournal  = "journal.json"
	CollectedVersions = "versions.json" // name -> version
	CollectedMissing  = "missing.json"  // file or source -> why
	CollectedClock    = "clock.json"    // a Clock, when all had been collected
)

// CPULostFile is what a machine answers to CollectRequest.CPULost: microseconds, as a
// number in text. It is no part of a recording.
const CPULostFile = "cpu-lost"

// What a manifest notes as missing beside files.
const (
	MissingClock      = "boot clock"
	MissingCloud      = "cloud" // the machine does not reach it
	MissingCollection = "collection"
	MissingControl    = "control boot"
	MissingSync       = "journal --sync" // entries that journald had not written yet
)

// versions are those of the files' forms, as they are written and the newest that
// is read. Whoever changes a form so that older readers misread it raises its
// number; what only adds to a form leaves it. Files without one are for people.
var versions = map[string]int{
	ConsoleFile: 1, JournalFile: 1, UnitsFile: 1, JobsFile: 1, ManagerFile: 1, EnvFilesFile: 1, ProcessesFile: 1,
	LeaksFile: 1, RoomFile: 1, JournaldFile: 1, VectorFile: 1, CloudFile: 1, HostFile: 1, ExpectFile: 1, PendingFile: 1,
}
