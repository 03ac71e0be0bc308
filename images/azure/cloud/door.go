package cloud

import (
	"context"
	"net"
	"sync"
	"time"

	"bootrace/images/azure/fault"
)

// door is the listener of a service that refuses connections at times: it is
// closed then, and what was open breaks.
type door struct {
	service string
	faults  *fault.Schedule
	address net.Addr
	conns   chan net.Conn
	closed  context.Context
	close   context.CancelFunc

	mu   sync.Mutex
	open map[*doorConn]bool
}

// newDoor takes over a listener of the service.
func newDoor(l net.Listener, service string, faults *fault.Schedule) *door {
	d := &door{service: service, faults: faults, address: l.Addr(), conns: make(chan net.Conn), open: make(map[*doorConn]bool)}
	d.closed, d.close = context.WithCancel(context.Background())
	go d.run(l)
	return d
}

// retry is the pause before an address that is still taken is listened on again.
const retry = 10 * time.Millisecond

// run opens and closes the listener as the faults say.
func (d *door) run(l net.Listener) {
	defer func() {
		if l != nil {
			_ = l.Close()
		}
	}()
	for taken := net.Listener(nil); ; {
		open, lasts := d.faults.Listening(d.service)
		switch {
		case open && l == nil:
			var err error
			if l, err = net.Listen("tcp", d.address.String()); err != nil {
				l, lasts = nil, retry
			}
		case !open && l != nil:
			_ = l.Close()
			l = nil
			d.breakAll()
		}
		if l != nil && l != taken {
			taken = l
			go d.accept(l)
		}
		var change <-chan time.Time
		if lasts > 0 {
			change = time.After(lasts)
		}
		select {
		case <-change:
		case <-d.closed.Done():
			return
		}
	}
}

func (d *door) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return // closed
		}
		dc := &doorConn{Conn: c, door: d}
		d.mu.Lock()
		d.open[dc] = true
		d.mu.Unlock()
		// It may have come in just before the listener was closed.
		if open, _ := d.faults.Listening(d.service); !open {
			d.breakAll()
			continue
		}
		select {
		case d.conns <- dc:
		case <-d.closed.Done():
			_ = dc.Close()
		}
	}
}

func (d *door) breakAll() {
	d.mu.Lock()
	conns := make([]*doorConn, 0, len(d.open))
	for c := range d.open {
		conns = append(conns, c)
	}
	d.mu.Unlock()
	for _, c := range conns {
		_ = c.SetLinger(0)
		_ = c.Close()
	}
}

func (d *door) Accept() (net.Conn, error) {
	select {
	case c := <-d.conns:
		return c, nil
	case <-d.closed.Done():
		return nil, net.ErrClosed
	}
}

func (d *door) Close() error   { d.close(); return nil }
func (d *door) Addr() net.Addr { return d.address }

type doorConn struct {
	net.Conn
	door *door
}

func (c *doorConn) SetLinger(sec int) error {
	if t, ok := c.Conn.(*net.TCPConn); ok {
		return t.SetLinger(sec)
	}
	return nil
}

func (c *doorConn) Close() error {
	c.door.mu.Lock()
	delete(c.door.open, c)
	c.door.mu.Unlock()
	return c.Conn.Close()
}
