//go:build !amd64

package process

// Calls that this architecture does not have: no number is theirs.
const (
	sysPoll      = -1
	sysEpollWait = -2
	sysSelect    = -3
)
