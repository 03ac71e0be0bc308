package scenarios

import (
	"maps"
	"slices"
)

// Way is how a role env is written. What each does, step by step, is the
// business of whoever makes the machine's script.
type Way string

// Ways.
const (
	Edited          Way = "edited"
	EmptyThenFilled Way = "empty-then-filled"
	LineByLine      Way = "line-by-line"
	FilledThenNamed Way = "filled-then-named"
	TruncatedAgain  Way = "truncated-again"
	Renamed         Way = "renamed"
	RemovedAgain    Way = "removed-again"
	Mode000         Way = "mode-000"
	Directory       Way = "directory"
	CRLF            Way = "crlf"
	WrongVault      Way = "wrong-vault"
	ServerEnv       Way = "server-env"
	BothEnvs        Way = "both-envs"
)

// Values are what a file may say.
func (Way) Values() []string { return names(slices.Sorted(maps.Keys(Ways()))) }

// Ways is every way there is, with what happens.
func Ways() map[Way]string {
	return map[Way]string{
		Edited:          "from base64, then edited in place twice, as production does; the default",
		EmptyThenFilled: "created empty, filled 6 s later",
		LineByLine:      "a line every 0.4 s",
		FilledThenNamed: "whole but for the vault's name, which is edited in 6 s later",
		TruncatedAgain:  "written, truncated after 50 ms, written again 2 s later",
		Renamed:         "written beside it and renamed",
		RemovedAgain:    "written, removed after 50 ms, written again 3 s later",
		Mode000:         "with no permission for anybody",
		Directory:       "a directory of its name, which makes room for the file 3 s later",
		CRLF:            "with DOS line ends",
		WrongVault:      "with the name of a vault that does not exist, corrected 5 s later",
		ServerEnv:       "server.env instead of worker.env",
		BothEnvs:        "server.env, and 2 s later worker.env as well",
	}
}
