package cloud

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"

	"bootrace/harness/recording"
	"bootrace/images/azure/requestlog"
)

// Listeners are where a cloud is reached.
type Listeners struct {
	plain  net.Listener
	secure []net.Listener
	names  net.PacketConn // nil without a resolver
	// come gives the machine its network, if that is still to come.
	come func() error
}

func (l *Listeners) close() {
	for _, each := range append(l.secure, l.plain) {
		if each != nil {
			_ = each.Close() // closed by the servers already, but for an error
		}
	}
	if l.names != nil {
		_ = l.names.Close()
	}
}

// Listen opens what the configuration says.
func (c *Cloud) Listen(ctx context.Context) (_ *Listeners, err error) {
	cfg := c.cfg
	l := &Listeners{}
	defer func() {
		if err != nil {
			l.close()
		}
	}()
	imds, at := netip.MustParseAddrPort(cfg.Listen.IMDS), netip.MustParseAddrPort(cfg.Listen.TLS) // Load has tried
	hosts := addresses(cfg, c.secure.Handler.(front).hosts)
	local := []netip.Addr{imds.Addr(), at.Addr()}
	for _, host := range hosts {
		local = append(local, host.Address)
	}
	if l.come, err = c.lay(local); err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	if l.plain, err = c.open(ctx, "imds", cfg.Listen.IMDS); err != nil {
		return nil, err
	}
	if cfg.Listen.DNS == "" {
		all, err := c.listen(ctx, cfg.Listen.TLS)
		if err != nil {
			return nil, err
		}
		l.secure = []net.Listener{all}
		return l, nil
	}
	for _, host := range hosts {
		one, err := c.open(ctx, host.Service, netip.AddrPortFrom(host.Address, at.Port()).String())
		if err != nil {
			return nil, err
		}
		l.secure = append(l.secure, one)
	}
	if l.names, err = new(net.ListenConfig).ListenPacket(ctx, "udp", cfg.Listen.DNS); err != nil {
		return nil, fmt.Errorf("listen on %s: %w", cfg.Listen.DNS, err)
	}
	return l, nil
}

// open listens for a service; where it is to refuse connections, behind a door.
func (c *Cloud) open(ctx context.Context, service, address string) (net.Listener, error) {
	l, err := c.listen(ctx, address)
	if err != nil {
		return nil, err
	}
	if open, lasts := c.faults.Listening(service); open && lasts == 0 {
		return l, nil
	}
	return newDoor(l, service, c.faults), nil
}

// Serve serves until ctx ends, and lets requests finish.
func (c *Cloud) Serve(ctx context.Context, l *Listeners) error {
	defer l.close()
	ended := make(chan error, 3+len(l.secure))
	go func() { ended <- c.plain.Serve(l.plain) }()
	for _, secure := range l.secure {
		go func() { ended <- c.secure.ServeTLS(secure, "", "") }()
	}
	if l.names != nil {
		go func() { ended <- c.names.Serve(l.names) }()
	}
	// All of them take connections since they were opened.
	c.log.Write(requestlog.Record{Mono: recording.Monotonic(), Service: "azure", Op: recording.OpReady})
	stop := c.control.Start(c.log.Write)
	defer stop()
	if l.come != nil {
		late := time.AfterFunc(c.cfg.Network.After.Duration, func() {
			if err := c.online(l.come); err != nil {
				ended <- err
			}
		})
		defer late.Stop()
	}

	var err error
	select {
	case err = <-ended:
		err = fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.drain)
	defer cancel()
	// Both at once: who holds up the one takes nothing of the other's time.
	closed := make(chan error, 2)
	for _, s := range []*http.Server{c.plain, c.secure} {
		go func() {
			if s.Shutdown(bounded) == nil {
				closed <- nil
				return
			}
			closed <- s.Close() // who has not finished by now holds the whole machine's end up
		}()
	}
	return errors.Join(err, <-closed, <-closed)
}
