package report

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	collector "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"bootrace/results"
)

// receiver is an OTLP/HTTP receiver that answers as told, a try after the other;
// after the last answer it takes everything.
type receiver struct {
	t       *testing.T
	answers []http.HandlerFunc

	mu    sync.Mutex
	tries int
	spans map[string]map[string]int // by trace and span, how often
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tries++
	if r.tries <= len(r.answers) {
		r.answers[r.tries-1](w, req)
		return
	}
	assert.Equal(r.t, http.MethodPost, req.Method)
	assert.Equal(r.t, "/v1/traces", req.URL.Path)
	assert.Equal(r.t, "application/x-protobuf", req.Header.Get("Content-Type"))
	body, err := io.ReadAll(req.Body)
	assert.NoError(r.t, err)
	var in collector.ExportTraceServiceRequest
	assert.NoError(r.t, proto.Unmarshal(body, &in))
	for _, rs := range in.GetResourceSpans() {
		for _, s := range rs.GetScopeSpans()[0].GetSpans() {
			if r.spans[string(s.GetTraceId())] == nil {
				r.spans[string(s.GetTraceId())] = map[string]int{}
			}
			r.spans[string(s.GetTraceId())][string(s.GetSpanId())]++
		}
	}
	r.answer(w, &collector.ExportTraceServiceResponse{})
}

func (r *receiver) answer(w http.ResponseWriter, m proto.Message) {
	data, err := proto.Marshal(m)
	assert.NoError(r.t, err)
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, err = w.Write(data)
	assert.NoError(r.t, err)
}

func receiving(t *testing.T, answers ...http.HandlerFunc) (*receiver, Collector) {
	t.Helper()
	r := &receiver{t: t, answers: answers, spans: map[string]map[string]int{}}
	s := httptest.NewServer(r)
	t.Cleanup(s.Close)
	c, ok, err := CollectorAt(s.URL, func(string) string { return "" })
	require.NoError(t, err)
	require.True(t, ok)
	c.retry = time.Millisecond
	return r, c
}

func says(code int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		http.Error(w, "because", code)
	}
}

func TestBootsAreSentATraceACaseAndTwiceIsTheSame(t *testing.T) {
	r, c := receiving(t)
	for range 2 {
		sent, err := c.Send(t.Context(), booted())
		require.NoError(t, err)
		assert.Equal(t, Sent{Traces: 2, Spans: 12}, sent)
	}
	assert.Len(t, r.spans, 2)
	for _, spans := range r.spans {
		assert.Len(t, spans, 6)
		for _, n := range spans {
			assert.Equal(t, 2, n, "the same span again, and no other")
		}
	}
}

func TestWhatMayBeTriedAgainIs(t *testing.T) {
	hangUp := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	r, c := receiving(t, says(503), says(429, "Retry-After", "0"), hangUp, says(504))
	sent, err := c.Send(t.Context(), booted())
	require.NoError(t, err)
	assert.Equal(t, 2, sent.Traces)
	assert.Equal(t, 6, r.tries, "five for the first trace, one for the second")
}

func TestWhatIsNotTakenIsAnErrorThatSaysWhy(t *testing.T) {
	partial := func(rejected int64, why string) func(*receiver) http.HandlerFunc {
		return func(r *receiver) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) {
				r.answer(w, &collector.ExportTraceServiceResponse{PartialSuccess: &collector.ExportTracePartialSuccess{RejectedSpans: rejected, ErrorMessage: why}})
			}
		}
	}
	plain := func(h http.HandlerFunc) func(*receiver) http.HandlerFunc {
		return func(*receiver) http.HandlerFunc { return h }
	}
	for _, tt := range []struct {
		name   string
		answer func(*receiver) http.HandlerFunc
		want   string
		tries  int
	}{
		{"a refusal is final", plain(says(401)), "answered 401 Unauthorized: because", 1},
		{"and so is a wrong path", plain(says(404)), "answered 404 Not Found", 1},
		{"a server that stays away", plain(says(503)), "given up after 5 tries: answered 503 Service Unavailable", 5},
		{"a wait longer than anybody has", plain(says(503, "Retry-After", "3600")), "retry after 1h0m0s", 1},
		{"a part of it", partial(2, "too old"), "took it in part: 2 spans rejected: too old", 1},
		{"another server's yes", plain(says(200)), "is it a collector's address?", 1},
		{"a yes that cannot be read", plain(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/x-protobuf")
			_, _ = w.Write([]byte{0xff, 0xff})
		}), "what is not OTLP", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, c := receiving(t)
			for range maxTries {
				r.answers = append(r.answers, tt.answer(r))
			}
			sent, err := c.Send(t.Context(), booted())
			require.ErrorContains(t, err, tt.want)
			assert.ErrorContains(t, err, "send the trace of good to "+c.URL)
			assert.Zero(t, sent.Traces)
			assert.Equal(t, tt.tries, r.tries)
		})
	}
	t.Run("a warning is none", func(t *testing.T) {
		r, c := receiving(t)
		r.answers = []http.HandlerFunc{partial(0, "a field is deprecated")(r)}
		sent, err := c.Send(t.Context(), booted())
		require.NoError(t, err)
		assert.Equal(t, "a field is deprecated", sent.Warning)
	})
	t.Run("nobody listens", func(t *testing.T) {
		_, err := Collector{URL: "http://127.0.0.1:1/v1/traces", retry: time.Millisecond}.Send(t.Context(), booted())
		require.ErrorContains(t, err, "connection refused")
	})
	t.Run("a run without a boot", func(t *testing.T) {
		r, c := receiving(t)
		_, err := c.Send(t.Context(), example())
		require.ErrorContains(t, err, "no boot to trace")
		assert.Zero(t, r.tries)
	})
}

func TestSendingEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, c := receiving(t, func(w http.ResponseWriter, req *http.Request) {
		cancel()
		says(503)(w, req)
	})
	c.retry = time.Hour
	_, err := c.Send(ctx, booted())
	require.ErrorIs(t, err, context.Canceled)
}

func TestTheCollectorIsWhereTheFlagOrTheEnvironmentSays(t *testing.T) {
	for _, tt := range []struct {
		name, flag string
		env        map[string]string
		url        string
		headers    map[string]string
		err        string
	}{
		{name: "nowhere"},
		{name: "a flag is a base", flag: "http://a:4318/", url: "http://a:4318/v1/traces"},
		{name: "so is the general variable", env: map[string]string{endpointVar: "https://a/otlp"}, url: "https://a/otlp/v1/traces"},
		{name: "that of traces is taken as it is", env: map[string]string{endpointVar: "https://a", tracesEndpointVar: "https://b/x"}, url: "https://b/x"},
		{name: "the flag comes first", flag: "http://a", env: map[string]string{endpointVar: "https://b", tracesEndpointVar: "https://c"}, url: "http://a/v1/traces"},
		{name: "headers, those of traces over the others", flag: "http://a", url: "http://a/v1/traces",
			env:     map[string]string{headersVar: "x-team=one, x-note=a%20b%3D,", tracesHeadersVar: "x-team=two"},
			headers: map[string]string{"x-team": "two", "x-note": "a b="}},
		{name: "a header that is none", flag: "http://a", env: map[string]string{headersVar: "x=1,hidden"}, err: headersVar + ": header 2 is no key=value"},
		{name: "no scheme", flag: "localhost:4318", err: `--endpoint "localhost:4318": expected a URL as http://localhost:4318`},
		{name: "a scheme of gRPC", env: map[string]string{tracesEndpointVar: "grpc://a:4317"}, err: tracesEndpointVar},
		{name: "no host", env: map[string]string{endpointVar: "http://"}, err: endpointVar},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, ok, err := CollectorAt(tt.flag, func(name string) string { return tt.env[name] })
			if tt.err != "" {
				require.ErrorContains(t, err, tt.err)
				assert.NotContains(t, err.Error(), "hidden")
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.url != "", ok)
			assert.Equal(t, tt.url, c.URL)
			if tt.headers != nil {
				assert.Equal(t, tt.headers, c.Headers)
			}
		})
	}
}

func TestHeadersAreSent(t *testing.T) {
	var got string
	_, c := receiving(t, func(w http.ResponseWriter, req *http.Request) {
		got = req.Header.Get("X-Team")
		says(400)(w, req)
	})
	c.Headers = map[string]string{"x-team": "two"}
	_, err := c.Send(t.Context(), results.Run{Cases: booted().Cases[:1]})
	require.Error(t, err)
	assert.Equal(t, "two", got)
}
