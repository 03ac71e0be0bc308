// Package loopback gives the instance metadata address to the loopback interface
// of a network namespace that has no way out, so that clients which have
// 169.254.169.254 built in find the emulated cloud there.
//
// It also gives the namespace an address and a default route that lead nowhere, for
// programs that ask by which address their machine is known.
//
// It is no general address tool: it refuses wherever a real network could notice.
//
//	err := loopback.Ensure(netip.MustParseAddr("169.254.169.254"))
//	err = loopback.Uplink()
package loopback

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Ensure makes ip local: it does nothing where ip is local already, and adds it
// to lo in a namespace that has no other interface.
func Ensure(ip netip.Addr) error {
	interfaces, err := net.Interfaces()
	if err != nil {
		return fmt.Errorf("list the network interfaces: %w", err)
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return fmt.Errorf("list the local addresses: %w", err)
	}
	if isLocal(ip, addresses) {
		return nil
	}
	if !ip.Is4() || !ip.IsLinkLocalUnicast() {
		return fmt.Errorf("%s is not an address of this machine, and only a link-local IPv4 address is added to lo", ip)
	}
	if others := ways(interfaces); len(others) > 0 {
		// Outside, 169.254.169.254 is the metadata service of the host's own cloud.
		return fmt.Errorf("%s is not added to lo: this network namespace also has %s; run the cloud in a namespace of its own (docker run --network none, unshare --net)",
			ip, strings.Join(others, ", "))
	}
	lo := slices.IndexFunc(interfaces, func(i net.Interface) bool { return i.Flags&net.FlagLoopback != 0 })
	if lo < 0 {
		return errors.New("this network namespace has no loopback interface")
	}
	if err := add(interfaces[lo], ip); errors.Is(err, unix.EPERM) {
		return fmt.Errorf("add %s to lo: %w; it needs CAP_NET_ADMIN (docker run --cap-add NET_ADMIN)", ip, err)
	} else if err != nil {
		return fmt.Errorf("add %s to lo: %w", ip, err)
	}
	return nil
}

func isLocal(ip netip.Addr, addresses []net.Addr) bool {
	// All of 127.0.0.0/8 is local as soon as lo is up, listed or not.
	if ip.IsLoopback() || ip.IsUnspecified() {
		return true
	}
	return slices.ContainsFunc(addresses, func(a net.Addr) bool {
		p, err := netip.ParsePrefix(a.String())
		return err == nil && p.Addr().Unmap() == ip.Unmap()
	})
}

// ways names the interfaces through which packets could leave the namespace.
func ways(interfaces []net.Interface) []string {
	// The kernel's tunnel modules put a device into each new namespace:
	// Documentation/admin-guide/sysctl/net.rst, fb_tunnels_only_for_init_net.
	// Such a one is down and has no address; it leads nowhere.
	fallback := []string{"tunl0", "gre0", "gretap0", "erspan0", "ip_vti0", "ip6_vti0", "sit0", "ip6tnl0", "ip6gre0"}
	var names []string
	for _, i := range interfaces {
		switch {
		case i.Flags&net.FlagLoopback != 0:
		case i.Flags&net.FlagUp == 0 && slices.Contains(fallback, i.Name):
		default:
			names = append(names, i.Name)
		}
	}
	return names
}
