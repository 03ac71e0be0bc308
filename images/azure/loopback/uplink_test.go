package loopback

import (
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestAnUplinkIsMadeWithAndWithoutALinkOfItsOwn(t *testing.T) {
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
			require.NoError(t, uplink(lo.Index, tt.kind))

			conn, err := net.Dial("udp4", "8.8.8.8:53")
			require.NoError(t, err)
			defer conn.Close()
			assert.Equal(t, Address.Addr().String(), conn.LocalAddr().(*net.UDPAddr).IP.String())
			dev, err := net.InterfaceByName(tt.dev)
			require.NoError(t, err)
			addresses, err := dev.Addrs()
			require.NoError(t, err)
			var own []string
			for _, a := range addresses {
				own = append(own, a.String())
			}
			assert.Contains(t, own, Address.String())
			_, err = net.DialTimeout("tcp4", "8.8.8.8:53", time.Minute)
			require.ErrorIs(t, err, syscall.ENETUNREACH)

			// Nothing is given to a namespace that has a way out.
			if tt.dev != "lo" {
				require.NoError(t, Uplink())
			}
		})
	}
}
