// Package uplink gives the network namespace of a machine, which has no way out, what
// programs take for the network of one: eth0 with an address and a default route, and
// the addresses of the emulated cloud behind it, 169.254.169.254 among them, which
// clients have built in.
//
// It is no general network tool: it refuses wherever a real network could notice.
//
//	come, err := uplink.Lay(netip.MustParseAddr("169.254.169.254"), netip.MustParseAddr("203.0.113.1"))
//	err = come()
package uplink

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

var (
	// Address is a machine's own: in Azure's virtual networks the first four
	// addresses of a subnet are reserved, and the gateway is the first of them.
	Address = netip.MustParsePrefix("10.4.0.4/24")
	gateway = netip.MustParseAddr("10.4.0.1")
)

// The link's two ends, both in the machine's namespace. The cloud is at the far one.
const link, farEnd = "eth0", "azure0"

// Lay makes a link in a namespace that has loopback only: a card without a cable, as
// it were, down and without an address, so that nothing is reachable. come, which is
// called at most once, gives it Address, and behind its default route the cloud: what
// goes there goes over the link, as in production, although both ends are here; TCP
// to anywhere else is refused at once, as unreachable, and what else is sent ends at
// the far end. Where the cloud's addresses are local already there is nothing to make,
// and come is nil.
func Lay(cloud ...netip.Addr) (come func() error, err error) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list the network interfaces: %w", err)
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("list the local addresses: %w", err)
	}
	away := slices.IndexFunc(cloud, func(ip netip.Addr) bool { return !isLocal(ip, addresses) })
	if away < 0 {
		return nil, nil
	}
	behind := slices.Compact(slices.SortedFunc(slices.Values(slices.DeleteFunc(slices.Clone(cloud), netip.Addr.IsLoopback)), netip.Addr.Compare))
	if others := ways(interfaces); len(others) > 0 {
		// Outside, 169.254.169.254 is the metadata service of the host's own cloud.
		return nil, fmt.Errorf("%s is not an address of this machine, and is not made one: this network namespace also has %s; run the cloud in a namespace of its own (docker run --network none, unshare --net)",
			cloud[away], strings.Join(others, ", "))
	}
	lo := slices.IndexFunc(interfaces, func(i net.Interface) bool { return i.Flags&net.FlagLoopback != 0 })
	if lo < 0 {
		return nil, errors.New("this network namespace has no loopback interface")
	}
	l, err := lay(interfaces[lo].Index, "veth", behind)
	if err != nil {
		return nil, explained(err)
	}
	return func() error { return explained(l.come()) }, nil
}

func explained(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("give the machine a network: %w; it needs CAP_NET_ADMIN (docker run --cap-add NET_ADMIN)", err)
	}
	return fmt.Errorf("give the machine a network: %w", err)
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

// laid is a link whose ends are down, by their indexes, and what is to be behind it.
// Without one in this kernel, near is far: both are the loopback.
type laid struct {
	near, far int
	cloud     []netip.Addr
}

// lay takes lo, which has that index, up and makes the link.
func lay(lo int, kind string, cloud []netip.Addr) (laid, error) {
	fd, err := dial()
	if err != nil {
		return laid{}, err
	}
	defer unix.Close(fd)
	if err := request(fd, unix.RTM_NEWLINK, 0, linkUp(lo)); err != nil {
		return laid{}, fmt.Errorf("take lo up: %w", err)
	}
	l := laid{near: lo, far: lo, cloud: cloud}
	if err := request(fd, unix.RTM_NEWLINK, create, newLink(kind)); errors.Is(err, unix.EOPNOTSUPP) {
		return l, nil
	} else if err != nil {
		return laid{}, fmt.Errorf("make %s: %w", link, err)
	}
	for name, index := range map[string]*int{farEnd: &l.far, link: &l.near} {
		end, err := net.InterfaceByName(name)
		if err != nil {
			return laid{}, fmt.Errorf("find %s: %w", name, err)
		}
		*index = end.Index
	}
	return l, nil
}

// come takes the link up and makes what leads over it.
func (l laid) come() error {
	fd, err := dial()
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if l.near == l.far {
		return errors.Join(addAddress(fd, l.near, Address), addAddresses(fd, l.near, l.cloud),
			addRoute(fd, defaultRoute(l.near, unix.RTA_PREFSRC, Address.Addr(), unix.RT_SCOPE_LINK)), refuse(fd, 1))
	}
	for _, index := range []int{l.far, l.near} {
		if err := request(fd, unix.RTM_NEWLINK, 0, linkUp(index)); err != nil {
			return fmt.Errorf("take the link up: %w", err)
		}
	}
	cloud := append(slices.Clone(l.cloud), gateway)
	if err := addAddresses(fd, l.far, cloud); err != nil {
		return err
	}
	if err := addAddress(fd, l.near, Address); err != nil {
		return err
	}
	if err := addRoute(fd, backRoute(l.far)); err != nil {
		return err
	}
	if err := overTheLink(fd, cloud); err != nil {
		return err
	}
	// Last: who sees the route finds the cloud behind it.
	return addRoute(fd, defaultRoute(l.near, unix.RTA_GATEWAY, gateway, unix.RT_SCOPE_UNIVERSE))
}

func addAddress(fd, index int, own netip.Prefix) error {
	if err := request(fd, unix.RTM_NEWADDR, create, newAddress(index, own, unix.RT_SCOPE_UNIVERSE)); err != nil {
		return fmt.Errorf("add %s: %w", own, err)
	}
	return nil
}

// addAddresses adds the cloud's. Who asks for the machine's, ip address show scope
// global, does not see them.
func addAddresses(fd, index int, cloud []netip.Addr) error {
	for _, ip := range cloud {
		if err := request(fd, unix.RTM_NEWADDR, create, newAddress(index, netip.PrefixFrom(ip, 32), unix.RT_SCOPE_HOST)); err != nil && !errors.Is(err, unix.EEXIST) {
			return fmt.Errorf("add %s: %w", ip, err)
		}
	}
	return nil
}

func addRoute(fd int, route []byte) error {
	if err := request(fd, unix.RTM_NEWROUTE, create, route); err != nil {
		return fmt.Errorf("add a route: %w", err)
	}
	return nil
}

// overTheLink has what is sent from here go to the cloud's addresses over the link,
// and their answers back over it. The kernel would take the short way, over lo, for
// its first rule is that what is local is local: that rule comes after these, and is
// reached by what has arrived.
func overTheLink(fd int, cloud []netip.Addr) error {
	const local = 2 // the priority; ours come before, the refusal after
	if err := request(fd, unix.RTM_NEWRULE, create, rule{priority: local, table: unix.RT_TABLE_LOCAL}.message()); noRules(err) {
		return nil // where there are no rules connections wait for their time-out, and the cloud's addresses are as lo's
	} else if err != nil {
		return fmt.Errorf("make a rule: %w", err)
	}
	rules := make([]rule, 0, 2*len(cloud))
	for _, ip := range cloud {
		rules = append(rules, rule{priority: 1, sent: true, to: ip, table: unix.RT_TABLE_MAIN}, rule{priority: 1, sent: true, from: ip, table: backTable})
	}
	for _, r := range rules {
		if err := request(fd, unix.RTM_NEWRULE, create, r.message()); err != nil {
			return fmt.Errorf("make a rule to %s from %s: %w", r.to, r.from, err)
		}
	}
	if err := refuse(fd, local+1); err != nil {
		return err
	}
	if err := request(fd, unix.RTM_DELRULE, 0, rule{table: unix.RT_TABLE_LOCAL}.message()); err != nil {
		return fmt.Errorf("take the first rule away: %w", err)
	}
	return nil
}

// refuse makes the rule that refuses TCP which leads out, so that no connection ever
// waits for its time-out. The choice of a source address, which is what a UDP socket
// is connected for, goes on to the default route.
func refuse(fd int, priority uint32) error {
	err := request(fd, unix.RTM_NEWRULE, create, rule{priority: priority, action: unreachable, proto: unix.IPPROTO_TCP}.message())
	if err != nil && !noRules(err) {
		return fmt.Errorf("make a rule that refuses connections: %w", err)
	}
	return nil
}

// noRules: a kernel without policy routing.
func noRules(err error) bool { return errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EINVAL) }
