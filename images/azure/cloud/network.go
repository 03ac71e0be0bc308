package cloud

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"

	"bootrace/harness/recording"
	"bootrace/images/azure/requestlog"
	"bootrace/images/azure/uplink"
)

// lay gives the machine its network, or returns what does so later, where it is to
// come late.
func (c *Cloud) lay(cloud []netip.Addr) (come func() error, err error) {
	come, err = uplink.Lay(cloud...)
	switch late := c.cfg.Network.After.Duration > 0; {
	case err != nil:
		return nil, err
	case late && come == nil:
		return nil, errors.New("network.after: the cloud's addresses are local here already, so they cannot come late; leave it out, or run the cloud in a network namespace of its own")
	case late:
		return come, nil
	case come != nil:
		err = come()
	}
	close(c.network)
	return nil, err
}

// online has the network come that was late.
func (c *Cloud) online(come func() error) error {
	if err := come(); err != nil {
		return err
	}
	close(c.network)
	c.log.Write(requestlog.Record{Mono: recording.Monotonic(), Service: "azure", Op: recording.OpNetwork})
	return nil
}

// listen listens on an address that may be still to come, ip(7), IP_FREEBIND.
func (c *Cloud) listen(ctx context.Context, address string) (net.Listener, error) {
	var config net.ListenConfig
	if c.cfg.Network.After.Duration > 0 {
		config.Control = func(_, _ string, raw syscall.RawConn) error {
			var err error
			controlErr := raw.Control(func(fd uintptr) {
				err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_FREEBIND, 1)
			})
			return errors.Join(controlErr, err)
		}
	}
	l, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	return l, nil
}
