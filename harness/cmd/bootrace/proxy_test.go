package main

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// proxy is an engine's socket that can die or fall silent, in front of the real
// engine, which must not.
type proxy struct {
	listener net.Listener
	engine   string // path of the real socket

	mu     sync.Mutex
	conns  map[net.Conn]bool
	dead   bool
	silent chan struct{} // closed when nothing passes any more
}

// newProxy listens in front of the engine that the tests use.
func newProxy(t *testing.T) *proxy {
	t.Helper()
	engine, isUnix := strings.CutPrefix(os.Getenv("DOCKER_HOST"), "unix://")
	if os.Getenv("DOCKER_HOST") == "" {
		engine, isUnix = "/var/run/docker.sock", true
	}
	if !isUnix {
		t.Skip("the engine is not at a unix socket")
	}
	dir, err := os.MkdirTemp("", "bootrace") // t.TempDir may be longer than a socket's name can be, unix(7)
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, "engine.sock"))
	require.NoError(t, err)
	p := &proxy{listener: l, engine: engine, conns: map[net.Conn]bool{}, silent: make(chan struct{})}
	t.Cleanup(p.Die)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(c)
		}
	}()
	return p
}

func (p *proxy) Host() string { return "unix://" + p.listener.Addr().String() }

// Die is the end of the engine as its clients see it.
func (p *proxy) Die() {
	_ = p.listener.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dead = true
	for c := range p.conns {
		_ = c.Close()
	}
}

// FallSilent leaves all connections open and passes nothing on.
func (p *proxy) FallSilent() { close(p.silent) }

func (p *proxy) add(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead {
		_ = c.Close()
		return false
	}
	p.conns[c] = true
	return true
}

func (p *proxy) serve(client net.Conn) {
	server, err := net.Dial("unix", p.engine)
	if err != nil {
		_ = client.Close()
		return
	}
	if !p.add(client) || !p.add(server) {
		return
	}
	var wg sync.WaitGroup
	wg.Go(func() { p.pass(server, client) })
	wg.Go(func() { p.pass(client, server) })
	wg.Wait()
	_ = client.Close()
	_ = server.Close()
}

// pass copies one direction and its end: a hijacked connection is half closed.
func (p *proxy) pass(to, from net.Conn) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		select {
		case <-p.silent:
			select {} // until the test binary ends
		default:
		}
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			if err == io.EOF {
				_ = to.(*net.UnixConn).CloseWrite()
			}
			return
		}
	}
}
