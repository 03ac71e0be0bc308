package axiom

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images/vector/config"
)

func TestRetryOrDropByStatus(t *testing.T) {
	t.Parallel()
	tests := []struct {
		status int
		retry  bool
		reason string
	}{
		{200, false, ""}, {201, false, ""}, {204, false, ""},
		{408, true, "Request Timeout"}, {429, true, "Too Many Requests"},
		{500, true, "Internal Server Error"}, {502, true, "Bad Gateway"}, {503, true, "Service Unavailable"}, {504, true, "Gateway Timeout"}, {507, true, "Insufficient Storage"},
		{400, false, "Bad Request"}, {401, false, "Unauthorized"},
		{403, false, "Forbidden"}, {404, false, "Not Found"},
		{501, false, "Not Implemented"}, {302, false, "Found"}, {413, false, "Payload Too Large"},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.status), func(t *testing.T) {
			t.Parallel()
			s := newService(t, tt.status)
			f := newFixture(t, config.Axiom{URL: s.URL})
			f.run(t, `{"n":1}`)

			success := tt.status < 300
			switch {
			case success:
				assert.Len(t, s.bodies, 1)
				assert.Empty(t, f.log.String())
			case tt.retry:
				assert.Equal(t, []string{"{\"n\":1}\n", "{\"n\":1}\n"}, s.bodies, "the very same batch is sent again")
				assert.Contains(t, f.log.String(), "Retrying after response. reason=Default retry strategy: "+tt.reason+"\n")
			default:
				assert.Len(t, s.bodies, 1, "it is not sent again")
				assert.Contains(t, f.log.String(), `Not retriable; dropping the request. reason="Default retry strategy: `+tt.reason+`"`)
				assert.Contains(t, f.log.String(), "Events dropped intentional=false count=1")
			}
			assert.Equal(t, []string{fmt.Sprint(success || tt.retry)}, *f.acks)
			assert.Zero(t, f.buffer.Len(), "delivered or dropped, it is gone from the buffer")
		})
	}
}

func TestABatchThatIsDroppedDoesNotStopTheNext(t *testing.T) {
	t.Parallel()
	s := newService(t, 401)
	f := newFixture(t, config.Axiom{URL: s.URL, BatchMaxEvents: 1})
	f.run(t, "1", "2")
	assert.Equal(t, []string{"1\n", "2\n"}, s.bodies)
	assert.Equal(t, []string{"false", "true"}, *f.acks)
	assert.EqualValues(t, 1, f.sink.sent.Value())
	assert.EqualValues(t, 1, f.sink.dropped.Value())
}

func TestItRetriesUntilTheServiceComes(t *testing.T) {
	t.Parallel()
	s := newService(t, 503, 503, 429, 500, 408, 503, 503)
	s.header.Set("Retry-After", "3600")
	f := newFixture(t, config.Axiom{URL: s.URL})
	f.run(t, "x")
	assert.Len(t, s.bodies, 8, "and Retry-After moved nothing")
}

func TestErrorsOfTheTransportAreRetried(t *testing.T) {
	t.Parallel()
	tlsServer := httptest.NewUnstartedServer(http.NotFoundHandler())
	tlsServer.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	tlsServer.StartTLS()
	t.Cleanup(tlsServer.Close)
	release := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(silent.Close)
	t.Cleanup(func() { close(release) })

	tests := []struct {
		name, url, want string
		timeout         time.Duration
	}{
		{"a refused connection", "http://127.0.0.1:1", "tcp connect error: Connection refused (os error 111)", 0},
		{"an unknown certificate", tlsServer.URL, "x509: certificate signed by unknown authority", 0},
		// RFC 1035, 2.3.4: a label has at most 63 bytes, so nobody is asked.
		{"a name that does not resolve", "http://" + strings.Repeat("n", 64) + ".invalid", "Name or service not known", 0},
		{"no answer", silent.URL, "Request timed out.", 100 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, config.Axiom{URL: tt.url, Token: rand.Text(), Dataset: rand.Text(), RequestTimeout: tt.timeout})
			require.NoError(t, f.buffer.Write(t.Context(), [][]byte{[]byte("x")}, nil))
			f.buffer.CloseWrite()
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			f.log.when(tt.want, cancel)
			require.ErrorIs(t, f.sink.Run(ctx, f.buffer), context.Canceled, f.log)
			assert.Contains(t, f.log.String(), "Retrying after error.")
			assert.Equal(t, 1, f.buffer.Len(), "it is still in the buffer")
			assert.NotContains(t, f.log.String(), f.sink.cfg.Token)
			assert.NotContains(t, f.log.String(), f.sink.cfg.Dataset)
		})
	}
}

func TestTheRequest(t *testing.T) {
	t.Parallel()
	s := newService(t)
	f := newFixture(t, config.Axiom{URL: s.URL + "/", OrgID: "org"})
	f.run(t, `{"a":1}`, `{"b":2}`)
	require.Len(t, s.bodies, 1)
	assert.Equal(t, "{\"a\":1}\n{\"b\":2}\n", s.bodies[0])
	assert.Equal(t, "/v1/datasets/set/ingest", s.paths[0])
	h := s.heads[0]
	assert.Equal(t, "Bearer token", h.Get("Authorization"))
	assert.Equal(t, "application/x-ndjson", h.Get("Content-Type"))
	assert.Equal(t, "zstd", h.Get("Content-Encoding"))
	assert.Equal(t, "org", h.Get("X-Axiom-Org-Id"))
	assert.Equal(t, "Vector/0.56.0 (test)", h.Get("User-Agent"))
}

func TestCompressions(t *testing.T) {
	t.Parallel()
	for _, compression := range []string{"none", "gzip", "zlib", "zstd"} {
		t.Run(compression, func(t *testing.T) {
			t.Parallel()
			s := newService(t)
			f := newFixture(t, config.Axiom{URL: s.URL, Compression: compression, BatchMaxEvents: 1})
			long := strings.Repeat("a line that is long, and ", 40_000)
			f.run(t, long, "short")
			assert.Equal(t, []string{long + "\n", "short\n"}, s.bodies, "the encoder is used again")
		})
	}
}

func TestATokenNoHeaderCanHoldIsLeftOut(t *testing.T) {
	t.Parallel()
	s := newService(t, 401)
	token := rand.Text() + "\n"
	f := newFixture(t, config.Axiom{URL: s.URL, Token: token})
	f.run(t, "x")
	assert.Empty(t, s.heads[0].Get("Authorization"))
	assert.Contains(t, f.log.String(), "Invalid bearer token.")
	assert.NotContains(t, f.log.String(), token[:10])
}

func TestBatches(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		cfg  config.Axiom
		want []string
	}{
		{"everything there goes in one", config.Axiom{}, []string{"aa\nbb\ncc\n"}},
		{"by events", config.Axiom{BatchMaxEvents: 2}, []string{"aa\nbb\n", "cc\n"}},
		{"by bytes, never above", config.Axiom{BatchMaxBytes: 8}, []string{"aa\nbb\n", "cc\n"}},
		{"by bytes, exactly", config.Axiom{BatchMaxBytes: 6}, []string{"aa\nbb\n", "cc\n"}},
		{"a line above the size goes alone", config.Axiom{BatchMaxBytes: 1}, []string{"aa\n", "bb\n", "cc\n"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newService(t)
			tt.cfg.URL = s.URL
			newFixture(t, tt.cfg).run(t, "aa", "bb", "cc")
			assert.Equal(t, tt.want, s.bodies)
		})
	}
}

func TestABatchIsSentWhenItsTimeIsUp(t *testing.T) {
	t.Parallel()
	s := newService(t)
	f := newFixture(t, config.Axiom{URL: s.URL, BatchTimeout: 50 * time.Millisecond})
	ran := make(chan error, 1)
	go func() { ran <- f.sink.Run(t.Context(), f.buffer) }()
	delivered := make(chan bool, 1)
	start := time.Now()
	require.NoError(t, f.buffer.Write(t.Context(), [][]byte{[]byte("x")}, func(ok bool) { delivered <- ok }))
	assert.True(t, <-delivered)
	assert.GreaterOrEqual(t, time.Since(start), 50*time.Millisecond)
	f.buffer.CloseWrite()
	require.NoError(t, <-ran)
}

func TestEndpoint(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, url, dataset, want string }{
		{"no url", "", "d", "https://api.axiom.co/v1/datasets/d/ingest"},
		{"a url without a path", "https://axiom.example", "d", "https://axiom.example/v1/datasets/d/ingest"},
		{"a slash is no path", "https://axiom.example/", "d", "https://axiom.example/v1/datasets/d/ingest"},
		{"a path is used as it is", "https://axiom.example/in/here", "d", "https://axiom.example/in/here"},
		{"an empty dataset leaves a hole", "", "", "https://api.axiom.co/v1/datasets//ingest"},
		{"the text of a variable as dataset passes", "", "${X}", "https://api.axiom.co/v1/datasets/$%7BX%7D/ingest"},
		{"the text of a variable as url does not", "${AXIOM_PLATFORM_URL:-https://api.axiom.co}", "d", ""},
		{"another scheme does not", "ftp://x", "d", ""},
		{"a space does not", "", "a b", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := Endpoint(config.Axiom{URL: tt.url, Dataset: tt.dataset})
			if tt.want == "" {
				require.EqualError(t, err, "invalid uri character")
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.want, got.String())
		})
	}
}

func TestARegionIsAnEndpointOfItsOwn(t *testing.T) {
	t.Parallel()
	got, err := Endpoint(config.Axiom{Region: "edge.axiom.example", Dataset: "d"})
	require.NoError(t, err)
	assert.Equal(t, "https://edge.axiom.example/v1/ingest/d", got.String())
	_, err = Endpoint(config.Axiom{Region: "edge.axiom.example", URL: "https://x"})
	assert.EqualError(t, err, "Cannot set both `url` and `region`. Please use only one.")
}

func TestRetriesMayHaveAnEnd(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		cfg  config.Axiom
		want int
	}{
		{"after two", config.Axiom{RetryAttempts: 2}, 3},
		{"before the first", config.Axiom{NeverRetry: true}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newService(t, 503, 503, 503, 503, 503)
			tt.cfg.URL = s.URL
			f := newFixture(t, tt.cfg)
			f.run(t, "x")
			assert.Len(t, s.bodies, tt.want)
			assert.Equal(t, []string{"false"}, *f.acks)
		})
	}
}

func TestHeadersOfTheConfigurationAreSent(t *testing.T) {
	t.Parallel()
	s := newService(t)
	f := newFixture(t, config.Axiom{URL: s.URL, Headers: map[string]string{"X-Team": "infra"}})
	f.run(t, "x")
	assert.Equal(t, "infra", s.heads[0].Get("X-Team"))
	_, err := newTarget(config.Axiom{Headers: map[string]string{"a b": "c"}}, "", slog.New(slog.DiscardHandler))
	assert.ErrorContains(t, err, "invalid header")
}

func TestWhatTLSVerifies(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		tls  config.TLS
		want int
	}{
		{"everything", config.TLS{VerifyCertificate: true, VerifyHostname: true}, 0},
		{"the certificate but not its name", config.TLS{VerifyCertificate: true}, 0},
		{"nothing", config.TLS{VerifyHostname: true}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newService(t)
			s.Close()
			secure := httptest.NewUnstartedServer(s)
			secure.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
			secure.StartTLS()
			t.Cleanup(secure.Close)
			f := newFixture(t, config.Axiom{URL: secure.URL, TLS: tt.tls, NeverRetry: true})
			f.run(t, "x")
			assert.Len(t, s.bodies, tt.want)
		})
	}
}

func TestBackoffIsFibonacciUpToItsCap(t *testing.T) {
	t.Parallel()
	b := backoff{next: time.Second, max: 30 * time.Second}
	var got []int
	for range 11 {
		got = append(got, int(b.step().Seconds()))
	}
	assert.Equal(t, []int{1, 1, 2, 3, 5, 8, 13, 21, 30, 30, 30}, got)
}

func TestHealthcheckOnlyWithAURI(t *testing.T) {
	t.Parallel()
	s := newService(t, 403)
	f := newFixture(t, config.Axiom{URL: s.URL})
	require.NoError(t, f.sink.Healthcheck(t.Context(), ""))
	assert.Empty(t, s.paths)
	require.EqualError(t, f.sink.Healthcheck(t.Context(), s.URL+"/health"), "Unexpected status: 403 Forbidden")
	require.NoError(t, f.sink.Healthcheck(t.Context(), s.URL+"/health"))
}

func TestAForcedEndStopsARetryAtOnce(t *testing.T) {
	t.Parallel()
	s := newService(t, 503)
	f := newFixture(t, config.Axiom{URL: s.URL})
	f.sink.cfg.RetryInitial, f.sink.cfg.RetryMax = time.Hour, time.Hour
	require.NoError(t, f.buffer.Write(t.Context(), [][]byte{[]byte("x")}, nil))
	f.buffer.CloseWrite()
	ctx, cancel := context.WithCancelCause(t.Context())
	forced := errors.New("forced")
	f.log.when("Retrying after response.", func() { cancel(forced) })
	require.ErrorIs(t, f.sink.Run(ctx, f.buffer), forced)
	assert.Equal(t, 1, f.buffer.Len())
}
