package loopback

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"
)

var (
	// Address is a machine's own: in Azure's virtual networks the first four
	// addresses of a subnet are reserved, and the gateway is the first of them.
	Address = netip.MustParsePrefix("10.4.0.4/24")
	gateway = netip.MustParseAddr("10.4.0.1")
)

// The link's two ends. Nobody is behind the other one.
const link, farEnd = "eth0", "azure0"

// Uplink gives the namespace what programs take for a machine's network: an
// interface eth0 with Address, and a default route. It leads nowhere: TCP connections
// to any address that is not local are refused at once, as unreachable, and what
// else is sent ends at the link's other end, in the same namespace. Where there is
// a way out already it does nothing.
func Uplink() error {
	interfaces, err := net.Interfaces()
	if err != nil {
		return fmt.Errorf("list the network interfaces: %w", err)
	}
	if len(ways(interfaces)) > 0 {
		return nil
	}
	lo := slices.IndexFunc(interfaces, func(i net.Interface) bool { return i.Flags&net.FlagLoopback != 0 })
	if lo < 0 {
		return errors.New("this network namespace has no loopback interface")
	}
	if err := uplink(interfaces[lo].Index, "veth"); errors.Is(err, unix.EPERM) {
		return fmt.Errorf("give the machine an address: %w; it needs CAP_NET_ADMIN (docker run --cap-add NET_ADMIN)", err)
	} else if err != nil {
		return fmt.Errorf("give the machine an address: %w", err)
	}
	return nil
}

func uplink(lo int, kind string) error {
	fd, err := dial()
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := request(fd, unix.RTM_NEWLINK, 0, linkUp(lo)); err != nil {
		return fmt.Errorf("take lo up: %w", err)
	}
	// Before the route, so that no connection ever waits for its time-out. A kernel
	// without policy routing lets them wait.
	if err := request(fd, unix.RTM_NEWRULE, create, noTCP()); err != nil && !errors.Is(err, unix.EOPNOTSUPP) && !errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("make a rule that refuses connections: %w", err)
	}
	at, route := lo, newRoute(lo, unix.RTA_PREFSRC, Address.Addr(), unix.RT_SCOPE_LINK)
	switch err := request(fd, unix.RTM_NEWLINK, create, newLink(kind)); {
	case errors.Is(err, unix.EOPNOTSUPP): // no such link in this kernel: the address is lo's
	case err != nil:
		return fmt.Errorf("make %s: %w", link, err)
	default:
		for _, name := range []string{farEnd, link} {
			end, err := net.InterfaceByName(name)
			if err != nil {
				return fmt.Errorf("find %s: %w", name, err)
			}
			if err := request(fd, unix.RTM_NEWLINK, 0, linkUp(end.Index)); err != nil {
				return fmt.Errorf("take %s up: %w", name, err)
			}
			at = end.Index
		}
		route = newRoute(at, unix.RTA_GATEWAY, gateway, unix.RT_SCOPE_UNIVERSE)
	}
	if err := request(fd, unix.RTM_NEWADDR, create, newAddress(at, Address, unix.RT_SCOPE_UNIVERSE)); err != nil {
		return fmt.Errorf("add %s: %w", Address, err)
	}
	if err := request(fd, unix.RTM_NEWROUTE, create, route); err != nil {
		return fmt.Errorf("add the default route: %w", err)
	}
	return nil
}

// newLink is a veth(4) and its other end, by the kernel's if_link.h and veth.h.
func newLink(kind string) []byte {
	const peerInfo = 1 // VETH_INFO_PEER
	header := func() *bytes.Buffer {
		var b bytes.Buffer
		put(&b, unix.IfInfomsg{})
		return &b
	}
	name := func(b *bytes.Buffer, name string) { attribute(b, unix.IFLA_IFNAME, append([]byte(name), 0)) }

	peer, b := header(), header()
	name(peer, farEnd)
	var data, info bytes.Buffer
	attribute(&data, peerInfo, peer.Bytes())
	attribute(&info, unix.IFLA_INFO_KIND, []byte(kind))
	attribute(&info, unix.IFLA_INFO_DATA, data.Bytes())
	name(b, link)
	attribute(b, unix.IFLA_LINKINFO, info.Bytes())
	return b.Bytes()
}

// newRoute is a struct rtmsg for the default route, rtnetlink(7), over an interface
// and with one address more.
func newRoute(index int, kind uint16, ip netip.Addr, scope uint8) []byte {
	var b bytes.Buffer
	put(&b, unix.RtMsg{Family: unix.AF_INET, Table: unix.RT_TABLE_MAIN, Protocol: unix.RTPROT_BOOT, Scope: scope, Type: unix.RTN_UNICAST})
	attribute(&b, unix.RTA_OIF, binary.NativeEndian.AppendUint32(nil, uint32(index)))
	attribute(&b, kind, ip.AsSlice())
	return b.Bytes()
}

// noTCP is a struct fib_rule_hdr, the kernel's fib_rules.h: after the table of local
// addresses, which has priority 0, and before all others no TCP goes anywhere. The
// choice of a source address, which is what a UDP socket is connected for, goes on
// to the default route.
func noTCP() []byte {
	const (
		unreachable     = 7 // FR_ACT_UNREACHABLE
		priority, proto = 6, 22
	)
	var b bytes.Buffer
	put(&b, struct {
		Family, DstLen, SrcLen, TOS, Table, _, _, Action uint8
		Flags                                            uint32
	}{Family: unix.AF_INET, Action: unreachable})
	attribute(&b, priority, binary.NativeEndian.AppendUint32(nil, 1))
	attribute(&b, proto, []byte{unix.IPPROTO_TCP})
	return b.Bytes()
}
