package machine

// State is what a look at the host found.
type State string

const (
	OK   State = "ok"
	Warn State = "warn" // works, but within limits that the detail names
	Fail State = "fail" // no machine will boot before it is mended
)

// Finding is what one look at the host found. Fix is a command or a sentence; empty
// when there is nothing to do.
type Finding struct {
	Probe  string `json:"probe"`
	State  State  `json:"state"`
	Detail string `json:"detail"`
	Fix    string `json:"fix,omitempty"`
}
