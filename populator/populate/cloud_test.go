package populate_test

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"bootrace/harness/boot"
	"bootrace/harness/check"
	"bootrace/harness/timeline"
	"bootrace/images/azure/cloud"
	"bootrace/images/azure/config"
	"bootrace/images/azure/fault"
	"bootrace/images/azure/keyvault"
	"bootrace/images/azure/requestlog"
	"bootrace/populator/vault"
	"bootrace/populator/vectorenv"
)

const theVault = "kv-prod"

// emulated is the project's cloud in this process, without a network: the real
// clients' requests go to its handlers, on the time of a bubble. There are no
// certificates either; what a fault does to a connection is done here.
type emulated struct {
	began         time.Time
	faults        *fault.Schedule
	plain, secure http.Handler
	onRequest     func()

	mu    sync.Mutex
	calls []timeline.Event
	// said is what the vault last said of each secret.
	said map[string]said
}

// said is an answer of the vault about a secret: a value, that there is none,
// or a refusal after which either the value of before or none is right.
type said struct {
	value   string
	none    bool
	refused bool
}

// latency is what each connection and each answer takes.
const latency = 2 * time.Millisecond

func newEmulated(faults []fault.Fault) *emulated {
	e := &emulated{began: time.Now(), said: map[string]said{}, onRequest: func() {}}
	cfg := config.Config{Vault: theVault, Tenant: "0a1b2c3d-0000-4000-8000-00112233aabb", Secrets: keyvault.Seeds{}, Faults: faults}
	cfg.Listen.TLS = "127.0.0.1:443"
	for _, s := range vectorenv.Secrets() {
		cfg.Secrets[s.Name] = keyvault.Text("value of " + s.Name)
	}
	c := cloud.New(cfg, nil, e)
	e.plain, e.secure = c.Handlers()
	e.faults = c.Faults()
	return e
}

// client is a new process's.
func (e *emulated) client() (*vault.Client, error) {
	return vault.New(vault.Options{Transport: e})
}

// RoundTrip implements http.RoundTripper.
func (e *emulated) RoundTrip(r *http.Request) (*http.Response, error) {
	e.onRequest()
	service, op, handler := "imds", "token", e.plain
	if r.URL.Hostname() != "169.254.169.254" {
		service, op, handler = "keyvault", "secrets.get", e.secure
	}
	asked := time.Now()
	if err := e.connect(r.Context(), service, r.URL.Hostname()); err != nil {
		// The cloud's log has no line of it; it is asked all the same.
		e.note(timeline.Call{Service: service, Op: op, Duration: time.Since(asked)}, asked)
		return nil, err
	}
	return e.answer(r, handler)
}

// connect is the way to a service, with what can happen on it.
func (e *emulated) connect(ctx context.Context, service, host string) error {
	if err := pause(ctx, latency); err != nil {
		return err
	}
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	target := fault.Target{Service: service}
	if service == "keyvault" {
		unknown := host != keyvault.Host(theVault)
		f, bad := e.faults.Next(fault.Resolve, target)
		switch {
		case unknown || bad && f.Kind == fault.NoSuchHost:
			return dial(&net.DNSError{Name: host, Err: "no such host", IsNotFound: true})
		case bad && f.Kind == fault.ResolverSilent:
			// The dialer's patience, populator/vault.
			return cmp.Or(pause(ctx, 3*time.Second), dial(&net.DNSError{Name: host, Err: "i/o timeout", IsTimeout: true}))
		case bad:
			return dial(&net.DNSError{Name: host, Err: "server misbehaving", IsTemporary: true})
		}
	}
	if open, _ := e.faults.Listening(service); !open {
		return dial(syscall.ECONNREFUSED)
	}
	if service != "keyvault" {
		return nil
	}
	if f, bad := e.faults.Next(fault.Handshake, target); bad {
		reasons := map[fault.Kind]error{
			fault.CertExpired:   x509.CertificateInvalidError{Cert: &x509.Certificate{}, Reason: x509.Expired},
			fault.CertOtherHost: x509.HostnameError{Certificate: &x509.Certificate{}, Host: host},
			fault.CertUntrusted: x509.UnknownAuthorityError{Cert: &x509.Certificate{}},
		}
		return &tls.CertificateVerificationError{Err: reasons[f.Kind]}
	}
	return nil
}

// answer lets a handler answer, and does to the answer what net/http does when
// the handler panics with ErrAbortHandler.
func (e *emulated) answer(r *http.Request, handler http.Handler) (*http.Response, error) {
	in := r.Clone(r.Context())
	in.Host = r.URL.Host
	in.RequestURI = r.URL.RequestURI()
	if in.Body == nil {
		in.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	aborted := serve(handler, w, in)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if aborted && !w.Flushed {
		return nil, io.EOF
	}
	res := w.Result()
	res.Request = r
	if aborted {
		res.Body = io.NopCloser(io.MultiReader(w.Body, broken{}))
		return res, nil
	}
	if name, ok := strings.CutPrefix(r.URL.Path, "/secrets/"); ok {
		e.remember(strings.Trim(name, "/"), res.StatusCode, w.Body.Bytes())
	}
	return res, nil
}

func serve(h http.Handler, w http.ResponseWriter, r *http.Request) (aborted bool) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			aborted = true
		default:
			panic(p)
		}
	}()
	h.ServeHTTP(w, r)
	return false
}

// broken is a connection's end in the middle of a body.
type broken struct{}

func (broken) Read([]byte) (int, error) {
	return 0, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
}

func (e *emulated) remember(secret string, status int, body []byte) {
	var b struct {
		Value *string
		Error struct {
			Inner struct{ Code string } `json:"innererror"`
		}
	}
	_ = json.Unmarshal(body, &b) // a fault may have made it anything
	now, known := said{}, true
	switch {
	case status == http.StatusOK && b.Value != nil:
		now.value = *b.Value
	case status == http.StatusNotFound, status == http.StatusForbidden && b.Error.Inner.Code == "SecretDisabled":
		now.none = true
	case status >= 400 && status < 500 && status != 401 && status != 408 && status != 429:
		now.refused = true
	default:
		known = false
	}
	if known {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.said[secret] = now
	}
}

// Write is the cloud's request log. Its clock is the machine's, not the
// bubble's: a line is written at its request's end.
func (e *emulated) Write(line []byte) (int, error) {
	var rec requestlog.Record
	if err := json.Unmarshal(line, &rec); err != nil {
		return 0, err
	}
	e.note(timeline.Call{Service: rec.Service, Op: rec.Op, Secret: rec.Secret, Status: rec.Status, Duration: rec.Duration,
		RetryAfter: time.Duration(rec.RetryAfterS) * time.Second}, time.Now().Add(-rec.Duration))
	return len(line), nil
}

func (e *emulated) note(c timeline.Call, asked time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls = append(e.calls, timeline.Event{At: asked.Sub(e.began), Kind: timeline.Request, Call: &c})
}

// impolite judges all requests from the first-th on as the harness judges a
// recorded boot, and says what is wrong with them.
func (e *emulated) impolite(first int) string {
	e.mu.Lock()
	events := slices.Clone(e.calls[first:])
	e.mu.Unlock()
	slices.SortStableFunc(events, func(a, b timeline.Event) int { return cmp.Compare(a.At, b.At) })
	for _, c := range check.Table() {
		if c.Name != "cloud-politeness" {
			continue
		}
		for _, f := range c.Judge(boot.Of(timeline.Timeline{Events: events}), check.Expect{}).Findings {
			return f.Summary
		}
		return ""
	}
	return "there is no check cloud-politeness"
}

func (e *emulated) asked() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.calls)
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
