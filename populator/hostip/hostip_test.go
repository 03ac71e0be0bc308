package hostip_test

import (
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/populator/hostip"
)

func TestSourceIsAnAddressOfThisMachineOrNothing(t *testing.T) {
	t.Parallel()
	got := hostip.Source()
	if got == "" {
		return // no default route here
	}
	addresses, err := net.InterfaceAddrs()
	require.NoError(t, err)
	var own []string
	for _, a := range addresses {
		own = append(own, a.(*net.IPNet).IP.String())
	}
	assert.Contains(t, own, got)
}
