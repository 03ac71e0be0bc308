package report

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	collector "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	trace "go.opentelemetry.io/proto/slim/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"bootrace/results"
)

// Collector is where traces are sent to: an OTLP/HTTP receiver.
type Collector struct {
	URL     string            // with its path
	Headers map[string]string // of each request: what the receiver wants of who sends
	Client  *http.Client      // nil: the default one

	retry time.Duration // the first pause between tries; 0: a second
}

// The variables by which OpenTelemetry's programs are told where to send
// (OpenTelemetry specification, "OpenTelemetry Protocol Exporter").
const (
	endpointVar       = "OTEL_EXPORTER_OTLP_ENDPOINT"
	tracesEndpointVar = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
	headersVar        = "OTEL_EXPORTER_OTLP_HEADERS"
	tracesHeadersVar  = "OTEL_EXPORTER_OTLP_TRACES_HEADERS"
)

// CollectorAt finds the collector: at endpoint, a base to which v1/traces is
// added, or else where the environment says. ok is false where neither does.
func CollectorAt(endpoint string, getenv func(string) string) (c Collector, ok bool, err error) {
	from, base := "--endpoint", cmp.Or(endpoint, getenv(endpointVar))
	var target string
	switch exact := getenv(tracesEndpointVar); {
	case endpoint == "" && exact != "": // taken as it is, as the specification has it
		from, target = tracesEndpointVar, exact
	case base == "":
		return Collector{}, false, nil
	default:
		if endpoint == "" {
			from = endpointVar
		}
		target = strings.TrimRight(base, "/") + "/v1/traces"
	}
	u, err := url.Parse(target)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return Collector{}, false, fmt.Errorf("%s %q: expected a URL as http://localhost:4318", from, cmp.Or(endpoint, target))
	}
	c = Collector{URL: target, Headers: map[string]string{}}
	for _, name := range []string{headersVar, tracesHeadersVar} {
		if err := addHeaders(c.Headers, getenv(name)); err != nil {
			return Collector{}, false, fmt.Errorf("%s: %w", name, err)
		}
	}
	return c, true, nil
}

// addHeaders reads key=value,key=value, the values percent-encoded. Its error
// does not repeat them: they may be secret.
func addHeaders(to map[string]string, list string) error {
	for i, pair := range strings.Split(list, ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		key, value, ok := strings.Cut(pair, "=")
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if key = strings.TrimSpace(key); !ok || key == "" || err != nil {
			return fmt.Errorf("header %d is no key=value with the value percent-encoded", i+1)
		}
		to[key] = value
	}
	return nil
}

// Sent is what a collector took.
type Sent struct {
	Traces, Spans int
	Warning       string // what it had to say although it took all
}

// Bounds of sending: of one try, as the specification has it by default, and of
// all tries of one trace.
const (
	tryTimeout = 10 * time.Second
	maxTries   = 5
	maxSending = time.Minute
	maxAnswer  = 1 << 20
)

// Send sends the boots of a run, a request and a trace a case. It tries again
// where OTLP says so, at most five times within a minute. An error says what the
// collector answered; what Sent counts was taken before it. Sending a run twice
// makes no second trace.
func (c Collector) Send(ctx context.Context, r results.Run) (Sent, error) {
	var sent Sent
	for _, one := range r.Cases {
		spans := caseTrace(r, one)
		if spans == nil {
			continue
		}
		warning, err := c.export(ctx, spans)
		if err != nil {
			return sent, fmt.Errorf("send the trace of %s to %s (%d traces of the run were sent): %w", one.ID, c.URL, sent.Traces, err)
		}
		sent.Traces++
		sent.Spans += len(spans.GetScopeSpans()[0].GetSpans())
		sent.Warning = cmp.Or(warning, sent.Warning)
	}
	if sent.Traces == 0 {
		return sent, noTraces(r)
	}
	return sent, nil
}

func (c Collector) export(ctx context.Context, spans *trace.ResourceSpans) (warning string, err error) {
	body, err := proto.Marshal(&collector.ExportTraceServiceRequest{ResourceSpans: []*trace.ResourceSpans{spans}})
	if err != nil {
		return "", err
	}
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval = cmp.Or(c.retry, time.Second)
	tries := 0
	var last error
	warning, err = backoff.Retry(ctx, func() (string, error) {
		tries++
		var warning string
		warning, last = c.try(ctx, body)
		return warning, last
	}, backoff.WithBackOff(pauses), backoff.WithMaxTries(maxTries), backoff.WithMaxElapsedTime(maxSending))
	switch {
	case err == nil:
		return warning, nil
	case ctx.Err() != nil:
		return "", fmt.Errorf("%w; the last of %d tries: %w", err, tries, last)
	case tries > 1:
		return "", fmt.Errorf("given up after %d tries: %w", tries, err)
	}
	return "", err
}

// try is one request. An error that is not permanent may be tried again.
func (c Collector) try(ctx context.Context, body []byte) (warning string, err error) {
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader(body))
	if err != nil {
		return "", backoff.Permanent(err)
	}
	for key, value := range c.Headers {
		req.Header.Set(key, value)
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	req.Header.Set("User-Agent", "bootrace")
	resp, err := cmp.Or(c.Client, http.DefaultClient).Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return "", fmt.Errorf("answered %s, then: %w", resp.Status, err)
	}
	if resp.StatusCode/100 != 2 {
		return "", refusal(resp, answer)
	}
	return taken(resp, answer)
}

// taken reads an answer that says yes, which a proxy or another server can give as well.
func taken(resp *http.Response, answer []byte) (warning string, err error) {
	kind := resp.Header.Get("Content-Type")
	if len(answer) > 0 && !strings.HasPrefix(kind, "application/x-protobuf") {
		return "", backoff.Permanent(fmt.Errorf("answered %s with %q, which is not OTLP: is it a collector's address? (OTLP/HTTP listens on port 4318)", resp.Status, kind))
	}
	var out collector.ExportTraceServiceResponse
	if err := proto.Unmarshal(answer, &out); err != nil {
		return "", backoff.Permanent(fmt.Errorf("answered %s with what is not OTLP: %w", resp.Status, err))
	}
	partial := out.GetPartialSuccess()
	if n := partial.GetRejectedSpans(); n > 0 {
		return "", backoff.Permanent(fmt.Errorf("took it in part: %d spans rejected: %s", n, cmp.Or(partial.GetErrorMessage(), "no reason given")))
	}
	return partial.GetErrorMessage(), nil
}

// refusal is an answer that says no. Which may be tried again: OTLP
// specification, "Retryable Response Codes".
func refusal(resp *http.Response, answer []byte) error {
	err := fmt.Errorf("answered %s", resp.Status)
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/") && len(answer) > 0 {
		err = fmt.Errorf("%w: %.200s", err, printable(strings.TrimSpace(string(answer))))
	}
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		if seconds, parseErr := strconv.Atoi(resp.Header.Get("Retry-After")); parseErr == nil && seconds >= 0 {
			return fmt.Errorf("%w, %w", err, backoff.RetryAfter(seconds))
		}
		return err
	}
	return backoff.Permanent(err)
}
