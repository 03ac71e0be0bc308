package process

import "golang.org/x/sys/unix"

// Calls that newer architectures do not have.
const (
	sysPoll      = unix.SYS_POLL
	sysEpollWait = unix.SYS_EPOLL_WAIT
	sysSelect    = unix.SYS_SELECT
)
