package cloud

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"bootrace/images/azure/fault"
	"bootrace/images/azure/requestlog"
)

// hangs bounds how long a request is left without an answer: clients have less
// patience.
const hangs = 10 * time.Minute

// executor carries out a fault of the answer. That a connection breaks it says to
// net/http by its own panic.
type executor func(w http.ResponseWriter, r *http.Request, rec *requestlog.Record, of service, f fault.Fault)

// executors are of the faults that are alike for all services.
var executors = map[fault.Kind]executor{
	fault.Status:    refuse,
	fault.Slow:      late,
	fault.Hang:      hang,
	fault.Reset:     half,
	fault.Truncated: half,
	fault.Empty:     empty,
}

// executorOf is nil where nobody carries out a kind of fault at a service.
func executorOf(of service, f fault.Fault) executor {
	if changes, ok := of.(stateful); ok {
		if serve := changes.In(f); serve != nil {
			return func(w http.ResponseWriter, r *http.Request, rec *requestlog.Record, _ service, _ fault.Fault) {
				serve(w, r, rec)
			}
		}
	}
	return executors[f.Kind]
}

// misbehave answers a request as a fault says.
func misbehave(w http.ResponseWriter, r *http.Request, rec *requestlog.Record, of service, f fault.Fault) {
	rec.Fault = f.Kind
	if !pause(r, f.Latency.Duration) {
		rec.Error = "client_went_away"
		panic(http.ErrAbortHandler)
	}
	carryOut := executorOf(of, f)
	if carryOut == nil {
		rec.Error = "nobody_carries_out_the_fault"
		panic(http.ErrAbortHandler)
	}
	carryOut(w, r, rec, of, f)
}

func late(w http.ResponseWriter, r *http.Request, rec *requestlog.Record, of service, _ fault.Fault) {
	of.Serve(w, r, rec)
}

func hang(_ http.ResponseWriter, r *http.Request, rec *requestlog.Record, _ service, _ fault.Fault) {
	_ = pause(r, hangs)
	rec.Error = "no_answer"
	panic(http.ErrAbortHandler)
}

func empty(w http.ResponseWriter, r *http.Request, _ *requestlog.Record, _ service, _ fault.Fault) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.WriteHeader(http.StatusOK)
}

// pause waits, and reports whether the client still does. The body is read
// first: only behind it does net/http notice that a client has gone.
func pause(r *http.Request, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return false
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

func refuse(w http.ResponseWriter, r *http.Request, rec *requestlog.Record, of service, f fault.Fault) {
	if wait := f.RetryAfter.Duration; wait > 0 {
		over := time.Now().Add(wait)
		value := strconv.Itoa(int((wait + time.Second - 1) / time.Second))
		if f.RetryAfterAs == fault.AsDate {
			// A date has whole seconds: the next one, so that it is not over too early.
			value = over.Add(time.Second - 1).UTC().Format(http.TimeFormat)
		}
		w.Header().Set("Retry-After", value)
		rec.RetryAfterS = int((wait + time.Second - 1) / time.Second)
	}
	if f.Body != "" {
		_, _ = io.Copy(io.Discard, r.Body)
		rec.Error = "fault"
		w.WriteHeader(f.Status)
		_, _ = io.WriteString(w, f.Body)
		return
	}
	of.Fail(w, r, rec, f)
}

// half sends the first half of the right answer, and ends the connection.
func half(w http.ResponseWriter, r *http.Request, rec *requestlog.Record, of service, f fault.Fault) {
	whole := held{header: w.Header()}
	of.Serve(&whole, r, rec)
	w.Header().Set("Content-Length", strconv.Itoa(max(whole.body.Len(), 2)))
	w.WriteHeader(max(whole.status, http.StatusOK))
	_, _ = w.Write(whole.body.Bytes()[:whole.body.Len()/2])
	_ = http.NewResponseController(w).Flush() // in a test's transport there may be nothing to flush
	if f.Kind == fault.Reset {
		resetConnection(r.Context())
	}
	panic(http.ErrAbortHandler)
}

// held keeps an answer.
type held struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (h *held) Header() http.Header         { return h.header }
func (h *held) WriteHeader(status int)      { h.status = status }
func (h *held) Write(p []byte) (int, error) { return h.body.Write(p) }

type connection struct{}

// withConnection is http.Server.ConnContext.
func withConnection(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connection{}, c)
}

// resetConnection ends the request's connection by a reset: with SO_LINGER of 0
// close(2) throws away what is queued and sends RST (socket(7)). It goes below
// TLS, whose own close says goodbye first.
func resetConnection(ctx context.Context) {
	c, _ := ctx.Value(connection{}).(net.Conn)
	if t, ok := c.(interface{ NetConn() net.Conn }); ok {
		c = t.NetConn()
	}
	if l, ok := c.(interface{ SetLinger(int) error }); ok {
		_ = l.SetLinger(0)
		_ = c.Close()
	}
}
