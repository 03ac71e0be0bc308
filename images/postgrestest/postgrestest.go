// Package postgrestest starts a real PostgreSQL for a test: an image built like
// the others, a container without any network, and a Unix socket in a directory
// that the test shares with it.
//
//	server := postgrestest.Start(t)
//	s, err := store.Open(ctx, server.Database(t))
//
// It goes with the test; what a killed test leaves behind, bootrace clean and the
// next run take.
package postgrestest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	_ "github.com/lib/pq" // the driver
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images"
)

// Server is a PostgreSQL that runs.
type Server struct {
	Run string // its label, as if it were a run's

	engine   *client.Client
	lock     *os.File // held for as long as the test lives
	id       string   // the container's
	socket   string   // the directory with the socket
	password string
}

// ready bounds the wait for a server: its database is made in some 3 s.
const ready = 2 * time.Minute

// Start builds the image where it is not there, starts a server, and waits until
// it answers. Under -short it skips the test.
func Start(t testing.TB) *Server {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a PostgreSQL")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	// Not t.TempDir: the name of a socket has at most 107 bytes (unix(7)).
	dir, err := os.MkdirTemp("", "bootrace-pg-")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	lock, err := os.Create(filepath.Join(dir, "lock"))
	require.NoError(t, err)
	require.NoError(t, syscall.Flock(int(lock.Fd()), syscall.LOCK_EX))
	t.Cleanup(func() { _ = lock.Close() })
	engine, err := client.New(client.FromEnv)
	require.NoError(t, err)
	t.Cleanup(func() { _ = engine.Close() })
	image, err := build(ctx, t, engine)
	require.NoError(t, err)

	s := &Server{Run: random(), lock: lock, engine: engine, socket: filepath.Join(dir, "socket"), password: random()}
	require.NoError(t, os.Mkdir(s.socket, 0o700))
	require.NoError(t, os.Chmod(s.socket, 0o777)) // the server is another user; dir lets nobody else in
	labels, err := images.Labels(s.Run, "postgres", lock.Name())
	require.NoError(t, err)
	c, err := engine.ContainerCreate(ctx, client.ContainerCreateOptions{
		Name:       "bootrace-" + s.Run + "-postgres",
		Config:     &container.Config{Image: image.ID, Labels: labels, Env: []string{"POSTGRES_PASSWORD=" + s.password}},
		HostConfig: &container.HostConfig{NetworkMode: "none", Binds: []string{s.socket + ":/run/postgresql"}},
	})
	require.NoError(t, err)
	s.id = c.ID
	t.Cleanup(func() { assert.NoError(t, s.remove()) })
	s.Again(t)
	s.Wait(t)
	return s
}

func build(ctx context.Context, t testing.TB, engine *client.Client) (images.Image, error) {
	root, err := images.FindRoot(".")
	if err != nil {
		return images.Image{}, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return images.Image{}, err
	}
	b := images.Builder{Engine: engine, Root: root, Cache: filepath.Join(cache, "bootrace"), Step: func(what string) { t.Log(what) }}
	return b.Postgres(ctx)
}

func random() string {
	b := make([]byte, 8)
	_, _ = rand.Read(b) // never fails: crypto/rand, Go 1.24
	return hex.EncodeToString(b)
}

// URL leads to a database of the server, which need not exist.
func (s *Server) URL(database string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword("postgres", s.password), Path: "/" + database,
		RawQuery: url.Values{"host": {s.socket}, "sslmode": {"disable"}}.Encode()}
	return u.String()
}

// Database makes an empty database and returns its URL.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := "test_" + random()
	s.Exec(t, "CREATE DATABASE "+name)
	return s.URL(name)
}

// Exec executes a statement as the server's administrator.
func (s *Server) Exec(t testing.TB, statement string) {
	t.Helper()
	db, err := sql.Open("postgres", s.URL("postgres"))
	require.NoError(t, err)
	defer db.Close()
	_, err = db.ExecContext(t.Context(), statement)
	require.NoError(t, err)
}

// Kill kills the server as kill -9 does, every process of it at once. Its data
// stays in the container's file system.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	_, err := s.engine.ContainerKill(t.Context(), s.id, client.ContainerKillOptions{Signal: "KILL"})
	require.NoError(t, err)
	wait := s.engine.ContainerWait(t.Context(), s.id, client.ContainerWaitOptions{Condition: container.WaitConditionNotRunning})
	select {
	case <-wait.Result:
	case err := <-wait.Error:
		require.NoError(t, err)
	}
}

// Again starts a server that was killed, without waiting until it answers.
func (s *Server) Again(t testing.TB) {
	t.Helper()
	_, err := s.engine.ContainerStart(t.Context(), s.id, client.ContainerStartOptions{})
	require.NoError(t, err)
}

// Freeze stops the server's processes where they are: connections are taken, by
// the kernel, and nothing answers. Thaw lets them go on.
func (s *Server) Freeze(t testing.TB) {
	t.Helper()
	_, err := s.engine.ContainerPause(t.Context(), s.id, client.ContainerPauseOptions{})
	require.NoError(t, err)
}

// Thaw ends Freeze.
func (s *Server) Thaw(t testing.TB) {
	t.Helper()
	_, err := s.engine.ContainerUnpause(t.Context(), s.id, client.ContainerUnpauseOptions{})
	require.NoError(t, err)
}

// Wait waits until the server answers.
func (s *Server) Wait(t testing.TB) {
	t.Helper()
	db, err := sql.Open("postgres", s.URL("postgres"))
	require.NoError(t, err)
	defer db.Close()
	ctx, cancel := context.WithTimeout(t.Context(), ready)
	defer cancel()
	for {
		if err = db.PingContext(ctx); err == nil {
			return
		}
		select {
		case <-ctx.Done():
			require.NoError(t, fmt.Errorf("PostgreSQL does not answer within %s: %w", ready, err))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Abandon lets go of what shows that the test lives, as the kernel does when it dies.
func (s *Server) Abandon(t testing.TB) {
	t.Helper()
	require.NoError(t, s.lock.Close())
}

func (s *Server) remove() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	_, err := s.engine.ContainerRemove(ctx, s.id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	if errdefs.IsNotFound(err) {
		return nil
	}
	return err
}
