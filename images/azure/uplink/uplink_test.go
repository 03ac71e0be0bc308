package uplink

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// received is how many bytes have come in over a link, proc_net(5).
func received(t *testing.T, name string) int {
	t.Helper()
	text, err := os.ReadFile("/proc/thread-self/net/dev")
	require.NoError(t, err)
	found := regexp.MustCompile(`(?m)^ *` + name + `: *(\d+)`).FindSubmatch(text)
	require.NotNil(t, found, name)
	n, err := strconv.Atoi(string(found[1]))
	require.NoError(t, err)
	return n
}

func TestTheCloudIsReachedOverALink(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("a network namespace needs root")
	}
	for name, tt := range map[string]struct{ kind, dev string }{
		"a pair of links":                      {"veth", link},
		"a kernel that has no links to be had": {"no-such-kind", "lo"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runtime.LockOSThread() // for good: the thread ends with the test, and the namespace with it
			if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
				t.Skipf("no network namespace of its own here: %v", err)
			}
			lo, err := net.InterfaceByName("lo")
			require.NoError(t, err)
			cloud := []netip.Addr{netip.MustParseAddr("169.254.169.254"), netip.MustParseAddr("203.0.113.1")}
			l, err := lay(lo.Index, tt.kind, cloud)
			require.NoError(t, err)
			_, err = net.Dial("udp4", "8.8.8.8:53")
			require.ErrorIs(t, err, syscall.ENETUNREACH)
			_, err = net.DialTimeout("tcp4", "169.254.169.254:80", time.Minute)
			require.ErrorIs(t, err, syscall.ENETUNREACH, "not refused, as by an address that is here")
			none, err := net.InterfaceAddrs()
			require.NoError(t, err)
			for _, a := range none {
				assert.True(t, a.(*net.IPNet).IP.IsLoopback(), "before it comes: %s", a)
			}

			require.NoError(t, l.come())
			again, err := Lay(cloud...)
			require.NoError(t, err)
			assert.Nil(t, again, "what is there is left alone")

			conn, err := net.Dial("udp4", "8.8.8.8:53")
			require.NoError(t, err)
			defer conn.Close()
			assert.Equal(t, Address.Addr().String(), conn.LocalAddr().(*net.UDPAddr).IP.String())
			dev, err := net.InterfaceByName(tt.dev)
			require.NoError(t, err)
			addresses, err := dev.Addrs()
			require.NoError(t, err)
			assert.Contains(t, fmt.Sprint(addresses), Address.String())
			if tt.dev != "lo" {
				all, err := net.InterfaceAddrs()
				require.NoError(t, err)
				first := slices.IndexFunc(all, func(a net.Addr) bool { return !a.(*net.IPNet).IP.IsLoopback() })
				assert.Equal(t, Address.String(), all[first].String(), "the first address is the machine's: hostname -I")
			}
			_, err = net.DialTimeout("tcp4", "8.8.8.8:53", time.Minute)
			require.ErrorIs(t, err, syscall.ENETUNREACH)

			const much = 100_000
			for _, ip := range append(cloud, Address.Addr()) {
				before := received(t, tt.dev)
				assert.Equal(t, much, exchange(t, ip, much), ip)
				if over := received(t, tt.dev) - before; ip == Address.Addr() && tt.dev != "lo" {
					assert.Less(t, over, much, "what is the machine's own stays on lo")
				} else {
					assert.Greater(t, over, much, "%s is beyond the link", ip)
				}
			}
		})
	}
}

// exchange has a server at the address send bytes to a client of the machine, and
// returns how many came.
func exchange(t *testing.T, ip netip.Addr, size int) int {
	t.Helper()
	l, err := net.Listen("tcp4", netip.AddrPortFrom(ip, 0).String())
	require.NoError(t, err)
	defer l.Close()
	// Accepted in the kernel's queue; a goroutine may be in another namespace.
	client, err := net.DialTimeout("tcp4", l.Addr().String(), time.Minute)
	require.NoError(t, err)
	defer client.Close()
	assert.Contains(t, []string{Address.Addr().String(), ip.String()}, client.LocalAddr().(*net.TCPAddr).IP.String())
	server, err := l.Accept()
	require.NoError(t, err)
	go func() {
		_, _ = server.Write(make([]byte, size))
		_ = server.Close()
	}()
	got, err := io.Copy(io.Discard, client)
	require.NoError(t, err)
	return int(got)
}
