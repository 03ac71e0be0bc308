package axiom

import (
	"compress/gzip"
	"compress/zlib"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"bootrace/images/vector/buffer"
	"bootrace/images/vector/config"
	"bootrace/images/vector/metrics"
	"bootrace/images/vector/tracing"
)

// service is Axiom as the sink sees it: it answers with the statuses given, then with 200.
type service struct {
	*httptest.Server
	statuses []int
	header   http.Header

	mu     sync.Mutex
	bodies []string
	heads  []http.Header
	paths  []string
	times  []time.Time
}

func newService(t *testing.T, statuses ...int) *service {
	s := &service{statuses: statuses, header: http.Header{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := decompress(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		body = err.Error()
	}
	s.bodies = append(s.bodies, body)
	s.heads = append(s.heads, r.Header)
	s.paths = append(s.paths, r.URL.Path)
	s.times = append(s.times, time.Now())
	for k, v := range s.header {
		w.Header()[k] = v
	}
	if len(s.statuses) > 0 {
		w.WriteHeader(s.statuses[0])
		s.statuses = s.statuses[1:]
	}
}

func decompress(r *http.Request) (string, error) {
	var body io.Reader = r.Body
	switch r.Header.Get("Content-Encoding") {
	case "zstd":
		d, err := zstd.NewReader(r.Body)
		if err != nil {
			return "", err
		}
		defer d.Close()
		body = d
	case "deflate":
		d, err := zlib.NewReader(r.Body)
		if err != nil {
			return "", err
		}
		body = d
	case "gzip":
		d, err := gzip.NewReader(r.Body)
		if err != nil {
			return "", err
		}
		body = d
	}
	b, err := io.ReadAll(body)
	return string(b), err
}

type fixture struct {
	sink   *Sink
	buffer *buffer.Memory
	log    *watched
	acks   *[]string
}

// watched is a log that calls once a text is in it.
type watched struct {
	log  strings.Builder
	text string
	call func()
}

func (w *watched) when(text string, call func()) { w.text, w.call = text, call }

func (w *watched) Write(b []byte) (int, error) {
	w.log.Write(b)
	if w.call != nil && strings.Contains(w.String(), w.text) {
		w.call()
	}
	return len(b), nil
}

func (w *watched) String() string { return w.log.String() }

func newFixture(t *testing.T, cfg config.Axiom) fixture {
	t.Helper()
	full := config.Axiom{
		Token: "token", Dataset: "set", Compression: "zstd", BatchMaxBytes: 10_000_000,
		BatchTimeout: time.Hour, RequestTimeout: time.Hour, // for tests that are not about them
		RetryInitial: time.Millisecond, RetryMax: 3 * time.Millisecond,
		TLS:           config.TLS{VerifyCertificate: true, VerifyHostname: true},
		RetryAttempts: cfg.RetryAttempts, NeverRetry: cfg.NeverRetry, Headers: cfg.Headers,
	}
	full.URL, full.OrgID = cfg.URL, cfg.OrgID
	if cfg.TLS != (config.TLS{}) {
		full.TLS = cfg.TLS
	}
	if cfg.Token != "" {
		full.Token = cfg.Token
	}
	if cfg.Dataset != "" {
		full.Dataset = cfg.Dataset
	}
	if cfg.Compression != "" {
		full.Compression = cfg.Compression
	}
	if cfg.BatchMaxEvents > 0 {
		full.BatchMaxEvents = cfg.BatchMaxEvents
	}
	if cfg.BatchMaxBytes > 0 {
		full.BatchMaxBytes = cfg.BatchMaxBytes
	}
	if cfg.BatchTimeout > 0 {
		full.BatchTimeout = cfg.BatchTimeout
	}
	if cfg.RequestTimeout > 0 {
		full.RequestTimeout = cfg.RequestTimeout
	}
	f := fixture{buffer: buffer.NewMemory(1000, true, true), log: &watched{}, acks: &[]string{}}
	sink, err := New(config.Sink{ID: "platform", Type: "axiom", Axiom: full}, "Vector/0.56.0 (test)", metrics.New("", time.Now()), tracing.New(f.log, slog.LevelInfo, 0))
	require.NoError(t, err)
	f.sink = sink
	return f
}

// run writes the lines, ends the buffer and runs the sink to its end.
func (f fixture) run(t *testing.T, lines ...string) {
	t.Helper()
	for _, line := range lines {
		require.NoError(t, f.buffer.Write(t.Context(), [][]byte{[]byte(line)}, func(ok bool) {
			*f.acks = append(*f.acks, fmt.Sprint(ok))
		}))
	}
	f.buffer.CloseWrite()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	require.NoError(t, f.sink.Run(ctx, f.buffer))
}
