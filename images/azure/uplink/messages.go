package uplink

import (
	"bytes"
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"
)

// linkUp is a struct ifinfomsg, rtnetlink(7).
func linkUp(index int) []byte {
	var b bytes.Buffer
	put(&b, unix.IfInfomsg{Index: int32(index), Flags: unix.IFF_UP, Change: unix.IFF_UP})
	return b.Bytes()
}

// newLink is a veth(4) and its other end, by the kernel's if_link.h and veth.h. The
// kernel makes the peer first: eth0 has the lower index, and is the first of those
// that hostname -I goes through.
func newLink(kind string) []byte {
	const peerInfo = 1 // VETH_INFO_PEER
	header := func() *bytes.Buffer {
		var b bytes.Buffer
		put(&b, unix.IfInfomsg{})
		return &b
	}
	name := func(b *bytes.Buffer, name string) { attribute(b, unix.IFLA_IFNAME, append([]byte(name), 0)) }

	peer, b := header(), header()
	name(peer, link)
	var data, info bytes.Buffer
	attribute(&data, peerInfo, peer.Bytes())
	attribute(&info, unix.IFLA_INFO_KIND, []byte(kind))
	attribute(&info, unix.IFLA_INFO_DATA, data.Bytes())
	name(b, farEnd)
	attribute(b, unix.IFLA_LINKINFO, info.Bytes())
	return b.Bytes()
}

// newAddress is a struct ifaddrmsg and its two attributes, rtnetlink(7).
func newAddress(index int, at netip.Prefix, scope uint8) []byte {
	var b bytes.Buffer
	put(&b, unix.IfAddrmsg{Family: unix.AF_INET, Prefixlen: uint8(at.Bits()), Scope: scope, Index: uint32(index)})
	attribute(&b, unix.IFA_LOCAL, at.Addr().AsSlice())
	attribute(&b, unix.IFA_ADDRESS, at.Addr().AsSlice())
	return b.Bytes()
}

// defaultRoute is a struct rtmsg, rtnetlink(7), over an interface and with one
// address more.
func defaultRoute(index int, kind uint16, ip netip.Addr, scope uint8) []byte {
	var b bytes.Buffer
	put(&b, unix.RtMsg{Family: unix.AF_INET, Table: unix.RT_TABLE_MAIN, Protocol: unix.RTPROT_BOOT, Scope: scope, Type: unix.RTN_UNICAST})
	attribute(&b, unix.RTA_OIF, binary.NativeEndian.AppendUint32(nil, uint32(index)))
	attribute(&b, kind, ip.AsSlice())
	return b.Bytes()
}

// backTable has the way from the cloud to the machine, and nothing else.
const backTable = 4

func backRoute(index int) []byte {
	var b bytes.Buffer
	put(&b, unix.RtMsg{Family: unix.AF_INET, Table: backTable, Dst_len: uint8(Address.Bits()), Protocol: unix.RTPROT_BOOT, Scope: unix.RT_SCOPE_LINK, Type: unix.RTN_UNICAST})
	attribute(&b, unix.RTA_DST, Address.Masked().Addr().AsSlice())
	attribute(&b, unix.RTA_OIF, binary.NativeEndian.AppendUint32(nil, uint32(index)))
	return b.Bytes()
}

// rule says by which table a packet is routed, ip-rule(8).
type rule struct {
	priority uint32
	sent     bool // here, not arrived
	from, to netip.Addr
	table    uint8
	action   uint8 // 0: look the table up
	proto    uint8
}

// unreachable is FR_ACT_UNREACHABLE, the kernel's fib_rules.h.
const unreachable = 7

// message is a struct fib_rule_hdr with its attributes, the kernel's fib_rules.h.
func (r rule) message() []byte {
	const dst, src, iif, priority, proto, toTable = 1, 2, 3, 6, 22, 1
	header := struct {
		Family, DstLen, SrcLen, TOS, Table, _, _, Action uint8
		Flags                                            uint32
	}{Family: unix.AF_INET, Table: r.table, Action: r.action}
	if r.action == 0 {
		header.Action = toTable
	}
	var attributes bytes.Buffer
	attribute(&attributes, priority, binary.NativeEndian.AppendUint32(nil, r.priority))
	if r.to.IsValid() {
		header.DstLen = 32
		attribute(&attributes, dst, r.to.AsSlice())
	}
	if r.from.IsValid() {
		header.SrcLen = 32
		attribute(&attributes, src, r.from.AsSlice())
	}
	if r.sent {
		attribute(&attributes, iif, []byte("lo\x00"))
	}
	if r.proto != 0 {
		attribute(&attributes, proto, []byte{r.proto})
	}
	var b bytes.Buffer
	put(&b, header)
	b.Write(attributes.Bytes())
	return b.Bytes()
}
