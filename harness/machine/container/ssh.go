package container

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strings"
)

// dialStdio connects its standard streams to the engine of the host where it runs; each
// engine's own client has it for this.
const dialStdio = "if command -v docker >/dev/null; then exec docker system dial-stdio; else exec podman system dial-stdio; fi"

// overSSH serves the engine of an address such as ssh://user@host:22 on a socket of this
// host, which its libraries know how to use, as long as this process lives. The socket
// is an abstract one, unix(7): nothing is left of it; who is another user is sent away.
func overSSH(host string) (address string, err error) {
	u, err := url.Parse(host)
	if err != nil || u.Hostname() == "" {
		return "", fmt.Errorf("DOCKER_HOST=%s: expected such as ssh://user@host", host)
	}
	// Nobody is there to be asked for a password.
	argv := []string{"-T", "-o", "BatchMode=yes"}
	if u.User != nil {
		argv = append(argv, "-l", u.User.Username())
	}
	if u.Port() != "" {
		argv = append(argv, "-p", u.Port())
	}
	argv = append(argv, "--", u.Hostname(), dialStdio)
	tried := exec.Command("ssh", argv...)
	var said bytes.Buffer
	tried.Stderr = &said
	// With nothing to say to the engine it ends at once.
	if err := tried.Run(); err != nil {
		return "", NoEngineError{Where: "DOCKER_HOST=" + host, Err: errors.New(cmp.Or(strings.TrimSpace(said.String()), err.Error()))}
	}
	name := fmt.Sprintf("@bootrace-engine-%d", os.Getpid())
	l, err := net.Listen("unix", name)
	if err != nil {
		return "", fmt.Errorf("listen for DOCKER_HOST=%s: %w", host, err)
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				if own(conn) {
					_ = pipe(context.Background(), conn.(*net.UnixConn), argv)
				}
			}()
		}
	}()
	return "unix://" + name, nil
}

// own: who is at the other end is this process's user.
func own(conn net.Conn) bool {
	raw, err := conn.(*net.UnixConn).SyscallConn()
	if err != nil {
		return false
	}
	uid, peerErr := 0, error(nil)
	err = raw.Control(func(fd uintptr) { uid, peerErr = peerUID(int(fd)) })
	return err == nil && peerErr == nil && uid == os.Getuid()
}

// pipe is one connection: what comes is ssh's to send, until either side is done.
func pipe(ctx context.Context, conn *net.UnixConn, argv []string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, "ssh", argv...)
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(in, conn)
		_ = in.Close() // the engine answers what was asked nevertheless
	}()
	_, err = io.Copy(conn, out)
	cancel()
	return errors.Join(err, cmd.Wait())
}
