// Package hostip finds the address this machine is known by: the source
// address of its default route.
package hostip

import (
	"net"
)

// Source returns the address, or nothing when there is no default route.
//
// Connecting a UDP socket sends no packet: the kernel chooses the route and
// with it the source address (connect(2), ip-route(8)). The destinations are
// reserved for documentation (RFC 5737, RFC 3849), so that only a default
// route leads there.
func Source() string {
	for _, to := range []struct{ network, address string }{
		{"udp4", "192.0.2.1:9"},
		{"udp6", "[2001:db8::1]:9"},
	} {
		if ip := source(to.network, to.address); ip != "" {
			return ip
		}
	}
	return ""
}

func source(network, address string) string {
	conn, err := net.Dial(network, address)
	if err != nil {
		return ""
	}
	defer conn.Close()
	local, ok := conn.LocalAddr().(*net.UDPAddr)
	if !ok || local.IP.IsUnspecified() || local.IP.IsLoopback() || local.IP.IsLinkLocalUnicast() {
		return ""
	}
	return local.IP.String()
}
