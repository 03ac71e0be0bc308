package container

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// programs are on PATH alone, with what a shell has.
func programs(t *testing.T, scripts map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range scripts {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755))
	}
	t.Setenv("PATH", dir+":/usr/bin:/bin")
}

func TestAnEngineIsReachedOverSSH(t *testing.T) {
	asked := filepath.Join(t.TempDir(), "asked")
	programs(t, map[string]string{
		// As the other host's shell: its last argument is the command.
		"ssh":    `echo "$@" >> ` + asked + `; for last; do :; done; exec sh -c "$last"`,
		"docker": `[ "$*" = "system dial-stdio" ] && exec cat`,
	})
	address, err := overSSH("ssh://me@there:2222")
	require.NoError(t, err)
	for _, said := range []string{"one connection", "another"} {
		conn, err := net.Dial("unix", strings.TrimPrefix(address, "unix://"))
		require.NoError(t, err)
		_, err = io.WriteString(conn, said)
		require.NoError(t, err)
		require.NoError(t, conn.(*net.UnixConn).CloseWrite())
		back, err := io.ReadAll(conn)
		require.NoError(t, err)
		assert.Equal(t, said, string(back))
		require.NoError(t, conn.Close())
	}
	argv, err := os.ReadFile(asked)
	require.NoError(t, err)
	assert.Equal(t, 3, strings.Count(string(argv), "-l me -p 2222 -- there "), "to see whether it is there, and for each connection")
}

func TestAHostThatSSHDoesNotReachIsNamedWithWhatItSaid(t *testing.T) {
	programs(t, map[string]string{"ssh": `echo "Permission denied (publickey)." >&2; exit 255`})
	_, err := overSSH("ssh://there")
	require.ErrorContains(t, err, "no container engine answers at DOCKER_HOST=ssh://there: Permission denied (publickey).")
	_, err = overSSH("ssh://")
	require.ErrorContains(t, err, "expected such as ssh://user@host")
}
