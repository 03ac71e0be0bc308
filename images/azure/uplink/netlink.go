package uplink

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"
)

// dial opens a socket for rtnetlink(7) messages. The cloud's image has no ip(8), and
// a netlink library would be ten times the code for a handful of requests.
func dial() (fd int, err error) {
	fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return -1, fmt.Errorf("open a netlink socket: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		_ = unix.Close(fd)
		return -1, fmt.Errorf("bind a netlink socket: %w", err)
	}
	// The kernel answers at once; without this a lost answer would hang the start.
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 2}); err != nil {
		_ = unix.Close(fd)
		return -1, fmt.Errorf("bound the wait for netlink's answer: %w", err)
	}
	return fd, nil
}

// create is for what is not there yet.
const create = uint16(unix.NLM_F_CREATE | unix.NLM_F_EXCL)

// attribute appends a struct rtattr with its value, filled up to four bytes.
func attribute(b *bytes.Buffer, kind uint16, value []byte) {
	put(b, unix.RtAttr{Len: uint16(unix.SizeofRtAttr + len(value)), Type: kind})
	b.Write(value)
	b.Write(make([]byte, -len(value)&3))
}

// request sends one message and waits for its acknowledgement, netlink(7).
func request(fd int, kind, flags uint16, body []byte) error {
	const seq = 1 // one at a time, and each is answered
	var b bytes.Buffer
	put(&b, unix.NlMsghdr{
		Len:   uint32(unix.SizeofNlMsghdr + len(body)),
		Type:  kind,
		Flags: unix.NLM_F_REQUEST | unix.NLM_F_ACK | flags,
		Seq:   seq,
	})
	b.Write(body)
	if err := unix.Sendto(fd, b.Bytes(), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	answer := make([]byte, 4096)
	n, _, err := unix.Recvfrom(fd, answer, 0)
	if err != nil {
		return fmt.Errorf("receive: %w", err)
	}
	// An acknowledgement is a struct nlmsgerr: a negated errno, 0 for success.
	if n < unix.SizeofNlMsghdr+4 || binary.NativeEndian.Uint16(answer[4:]) != unix.NLMSG_ERROR || binary.NativeEndian.Uint32(answer[8:]) != seq {
		return fmt.Errorf("answer of %d bytes is no acknowledgement", n)
	}
	if code := int32(binary.NativeEndian.Uint32(answer[unix.SizeofNlMsghdr:])); code != 0 {
		return unix.Errno(-code)
	}
	return nil
}

// put appends a fixed-size value as the kernel lays it out.
func put(b *bytes.Buffer, v any) {
	// Writing a fixed-size value to a Buffer has no way to go wrong.
	_ = binary.Write(b, binary.NativeEndian, v)
}
