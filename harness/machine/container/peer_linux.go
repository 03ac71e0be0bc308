package container

import "golang.org/x/sys/unix"

// peerUID is the user at the other end of a Unix socket, unix(7).
func peerUID(fd int) (int, error) {
	peer, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return 0, err
	}
	return int(peer.Uid), nil
}
