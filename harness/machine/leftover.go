package machine

import "strings"

// Leftover is a part of a machine of ours that no living run owns.
type Leftover struct {
	ID, Name, Run string
	Kept          bool // --keep asked for it
	Foreign       bool // another user's
	Worker        bool // the machine itself, not its cloud
}

// NotKept is what the next run removes unasked: of its own user alone.
func NotKept(l Leftover) bool { return !l.Kept && !l.Foreign }

// OfRun is everything that this user's runs whose id begins so left behind, kept
// machines too.
func OfRun(id string) func(Leftover) bool {
	return func(l Leftover) bool { return !l.Foreign && strings.HasPrefix(l.Run, id) }
}

// OfAnyonesRun is OfRun of all users.
func OfAnyonesRun(id string) func(Leftover) bool {
	return func(l Leftover) bool { return strings.HasPrefix(l.Run, id) }
}
