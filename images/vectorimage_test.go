package images

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// These tests fetch Vector from a registry of their own on the loopback, which an
// engine talks to without TLS. What they push is test data: an image whose
// /usr/bin/vector is the stand-in, built here.

// engineBuilder is a builder on a real engine, with a cache of its own, that keeps
// what it was told.
func engineBuilder(t *testing.T) (b *Builder, told func() string) {
	t.Helper()
	if testing.Short() {
		t.Skip("wants an engine")
	}
	engine, err := client.New(client.FromEnv)
	require.NoError(t, err)
	t.Cleanup(func() { _ = engine.Close() })
	root, err := FindRoot(".")
	require.NoError(t, err)
	var lines []string
	b = &Builder{Engine: engine, Root: root, Cache: t.TempDir(), Step: func(what string) { lines = append(lines, what) }}
	return b, func() string { return strings.Join(lines, "\n") }
}

// registry runs docker-registry on a port of its own until stop is called.
func registry(t *testing.T) (addr string, stop func()) {
	t.Helper()
	program, err := exec.LookPath("docker-registry")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%v: .ci/run installs it", err)
		}
		t.Skip("wants docker-registry (apt-get install docker-registry)")
	}
	addr = freePort(t)
	dir := t.TempDir()
	config := filepath.Join(dir, "config.yml")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil,
		"version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: %s}\n", dir, addr), 0o600))
	cmd := exec.Command(program, "serve", config)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	require.NoError(t, cmd.Start())
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	stop = func() {
		_ = cmd.Process.Signal(syscall.SIGKILL)
		<-ended
	}
	t.Cleanup(stop)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", addr); err == nil {
			_ = c.Close()
			return addr, stop
		}
		select {
		case <-ended:
			t.Fatalf("docker-registry ended: %s", said.String())
		default:
		}
		require.True(t, time.Now().Before(deadline), "docker-registry does not listen on %s", addr)
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// imageOf makes an image with one file, of the name that a registry has it by.
func imageOf(t *testing.T, b *Builder, ref, path string, program []byte) {
	t.Helper()
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	require.NoError(t, w.WriteHeader(&tar.Header{Name: path, Mode: 0o755, Size: int64(len(program)), Typeflag: tar.TypeReg}))
	_, err := w.Write(program)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.NoError(t, b.importTar(t.Context(), &layer, ref, "test"))
	t.Cleanup(func() { remove(b, ref) })
}

func remove(b *Builder, ref string) {
	_, _ = b.Engine.ImageRemove(context.Background(), ref, client.ImageRemoveOptions{Force: true})
}

func push(t *testing.T, b *Builder, ref string) {
	t.Helper()
	res, err := b.Engine.ImagePush(t.Context(), ref, client.ImagePushOptions{RegistryAuth: "e30="}) // {}, base64: the API wants the header
	require.NoError(t, err)
	require.NoError(t, res.Wait(t.Context()))
}

func standInProgram(t *testing.T, b *Builder) []byte {
	t.Helper()
	file, err := b.Program(t.Context(), "images/vector")
	require.NoError(t, err)
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	return data
}

func TestARealVectorIsPulledOnceAndThenHadWithoutTheRegistry(t *testing.T) {
	b, told := engineBuilder(t)
	program := standInProgram(t, b)
	addr, stop := registry(t)
	ref := addr + "/vector:0.56.0"
	imageOf(t, b, ref, "usr/bin/vector", program)
	push(t, b, ref)
	remove(b, ref)
	_, ok, err := b.lookup(t.Context(), ref)
	require.NoError(t, err)
	require.False(t, ok, "the engine is to pull it")

	v, err := ParseVector(ref)
	require.NoError(t, err)
	first, err := b.Vector(t.Context(), v)
	require.NoError(t, err)
	assert.Contains(t, told(), "pulling "+ref)
	assert.True(t, bytes.Equal(program, first.files[vectorProgram].Data))
	assert.Contains(t, first.files, vectorUnit)
	assert.NotContains(t, first.files, standInFile, "a real one is told nothing")
	img, ok, err := b.lookup(t.Context(), ref)
	require.NoError(t, err)
	require.True(t, ok)
	require.Len(t, img.digests, 1, "the registry's name of it")
	assert.Equal(t, realName(ref, img.digests[0]), first.Name)

	stop()
	for name, v := range map[string]Vector{"asked for": v, "auto": {autoVector, ref}} {
		began := time.Now()
		again, err := b.Vector(t.Context(), v)
		require.NoError(t, err, name)
		assert.Equal(t, first.Name, again.Name, name)
		assert.Equal(t, name == "asked for", again.insists, "what auto found leaves a given image's Vector alone")
		t.Logf("%s: had in %s without the registry", name, time.Since(began))
	}
	assert.Equal(t, 1, strings.Count(told(), "pulling"), told())
}

// Bounds of the time that a missing Vector may cost are above what is promised, for
// hosts that are busy; autoAnswer itself is below it.
func TestAVectorThatCannotBeHadIsAnErrorOrTheStandInAtOnce(t *testing.T) {
	b, told := engineBuilder(t)
	standInProgram(t, b) // built before time counts
	addr, _ := registry(t)
	silent, err := net.Listen("tcp", "127.0.0.1:0") // its backlog takes connections, and nobody answers
	require.NoError(t, err)
	t.Cleanup(func() { _ = silent.Close() })
	require.Less(t, autoAnswer, time.Second)
	for _, tt := range []struct {
		name, ref, says string
	}{
		{"a registry that has no such image", addr + "/vector:0.0.0", "manifest unknown"},
		{"no registry", freePort(t) + "/vector:0.56.0", "connection refused"},
		{"a registry that does not answer", silent.Addr().String() + "/vector:0.56.0", "no answer within 800ms"},
		{"the same again", silent.Addr().String() + "/vector:0.56.0", "no registry answered at"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := len(told())
			began := time.Now()
			p, err := b.Vector(t.Context(), Vector{autoVector, tt.ref})
			took := time.Since(began)
			require.NoError(t, err)
			said := strings.TrimSpace(told()[before:])
			t.Logf("%s: %s", took, said)
			assert.Equal(t, "stand-in 0.58.0", p.Name)
			assert.Equal(t, "0.58.0\n", string(p.files[standInFile].Data))
			assert.NotContains(t, said, "\n", "one line")
			assert.Contains(t, said, "the stand-in 0.58.0 runs, not the real "+PinnedVector)
			assert.Contains(t, said, tt.says)
			assert.Less(t, took, 3*time.Second)
			if strings.HasPrefix(tt.says, "no ") {
				return // who insists waits for half a minute
			}
			_, err = b.Vector(t.Context(), Vector{realVector, tt.ref})
			require.ErrorContains(t, err, tt.says)
			assert.ErrorContains(t, err, tt.ref)
		})
	}
}

func TestWhatIsSaidOfAPullIsItsEnds(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "pull vector:1: network is unreachable",
		ends(errors.New("pull vector:1: Error response from daemon: Get \"https://r/v2/\": dial tcp:\nlookup r: network is unreachable")))
	assert.Equal(t, "no registry answered", ends(errors.New("no registry answered")))
}

func TestAVectorThatTheEngineCannotRunIsRefusedByName(t *testing.T) {
	b, _ := engineBuilder(t)
	foreign := "arm64"
	if v, err := b.Engine.ServerVersion(t.Context(), client.ServerVersionOptions{}); err != nil || v.Arch == foreign {
		require.NoError(t, err)
		foreign = "amd64"
	}
	dir := t.TempDir()
	source, program := filepath.Join(dir, "main.go"), filepath.Join(dir, "vector")
	require.NoError(t, os.WriteFile(source, []byte("package main\n\nfunc main() {}\n"), 0o600))
	cmd := exec.Command("go", "build", "-o", program, source)
	cmd.Env = append(os.Environ(), "GOOS=linux", "CGO_ENABLED=0", "GOARCH="+foreign)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	text := filepath.Join(dir, "text")
	require.NoError(t, os.WriteFile(text, []byte("#!/bin/sh\n"), 0o700))
	data, err := os.ReadFile(program)
	require.NoError(t, err)
	imageOf(t, b, "bootrace-test/vector:foreign", "usr/bin/vector", data)
	imageOf(t, b, "bootrace-test/vector:none", "usr/bin/other", data)
	for from, says := range map[string]string{
		program:                        "a program for " + foreign + ", and the engine runs ",
		text:                           "neither a .deb nor a Linux program",
		dir:                            "a directory",
		"bootrace-test/vector:foreign": "a program for " + foreign + ", and the engine runs ",
		"bootrace-test/vector:none":    "it has no /usr/bin/vector or /usr/local/bin/vector",
	} {
		_, err := b.Vector(t.Context(), Vector{realVector, from})
		require.ErrorContains(t, err, says)
		assert.ErrorContains(t, err, from)
	}
}

func TestTheStandInPlaysTheVersionThatIsAskedFor(t *testing.T) {
	b, _ := engineBuilder(t)
	for text, version := range map[string]string{"stand-in": "0.58.0", "stand-in:0.56": "0.56.0", "stand-in:0.58": "0.58.0"} {
		v, err := ParseVector(text)
		require.NoError(t, err)
		p, err := b.Vector(t.Context(), v)
		require.NoError(t, err)
		assert.Equal(t, "stand-in "+version, p.Name)
		assert.Equal(t, version+"\n", string(p.files[standInFile].Data))
	}
}
