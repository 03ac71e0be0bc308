package uplink

import (
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWaysOutAreTheInterfacesThatCouldCarryAPacketAway(t *testing.T) {
	t.Parallel()
	lo := net.Interface{Name: "lo", Flags: net.FlagUp | net.FlagLoopback}
	tests := map[string]struct {
		interfaces []net.Interface
		want       []string
	}{
		"a namespace of its own has none":         {[]net.Interface{lo}, nil},
		"a host has its network card":             {[]net.Interface{lo, {Name: "eth0", Flags: net.FlagUp}}, []string{"eth0"}},
		"a card that is down counts":              {[]net.Interface{lo, {Name: "eth0"}}, []string{"eth0"}},
		"the kernel's own tunnel device does not": {[]net.Interface{lo, {Name: "sit0"}, {Name: "tunl0"}}, nil},
		"a tunnel in use counts":                  {[]net.Interface{lo, {Name: "sit0", Flags: net.FlagUp}}, []string{"sit0"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, ways(tt.interfaces))
		})
	}
}

func TestAnAddressThatIsLocalIsLeftAlone(t *testing.T) {
	t.Parallel()
	for _, ip := range []string{"127.0.0.1", "127.0.0.9", "0.0.0.0"} {
		come, err := Lay(netip.MustParseAddr(ip))
		require.NoError(t, err)
		assert.Nil(t, come)
	}
}

func TestTheMetadataAddressIsNeverPutOnAHost(t *testing.T) {
	t.Parallel()
	interfaces, err := net.Interfaces()
	require.NoError(t, err)
	if len(ways(interfaces)) == 0 {
		t.Skip("this test needs a namespace with a way out; here there is only lo")
	}
	before, err := net.InterfaceAddrs()
	require.NoError(t, err)
	imds := netip.MustParseAddr("169.254.169.254")
	if isLocal(imds, before) {
		t.Skip("169.254.169.254 is local here already")
	}

	_, err = Lay(imds)
	require.ErrorContains(t, err, "namespace of its own")
	after, err := net.InterfaceAddrs()
	require.NoError(t, err)
	assert.False(t, isLocal(imds, after))
}
