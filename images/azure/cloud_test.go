package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"bootrace/images/azure/ca"
	"bootrace/images/azure/requestlog"
)

const tenant = "0a1b2c3d-0000-4000-8000-00112233aabb"

// running is a cloud in this process, and a client that reaches it by the real names.
type running struct {
	cfg       config
	token     string // the platform token
	secret    string // another secret's value
	transport *http.Transport
	log       *lines
	plain     string // addresses of the listeners
	secure    string
	stop      func() error
}

// start runs a cloud until the test ends.
func start(t *testing.T) *running {
	t.Helper()
	r := &running{token: "xaat-" + uuid.NewString(), secret: rand.Text() + ` "'\$#=&<> é`, log: &lines{}}
	r.cfg = config{Vault: "kv-test", Tenant: tenant, Secrets: map[string]string{
		"platform-token": r.token, "platform-dataset": "the-logs-dataset", "another": r.secret,
	}}
	r.cfg.Axiom.Tokens = map[string][]string{r.token: {"the-logs-dataset"}}
	r.cfg.ControlPlane.PendingWorkerTTL = duration(time.Hour)
	r.cfg.Listen.IMDS, r.cfg.Listen.TLS = "127.0.0.1:0", "127.0.0.1:0"

	cert, key, err := ca.New()
	require.NoError(t, err)
	authority, err := ca.Load(cert, key)
	require.NoError(t, err)
	plain, err := listen(t.Context(), r.cfg.Listen.IMDS)
	require.NoError(t, err)
	secure, err := listen(t.Context(), r.cfg.Listen.TLS)
	require.NoError(t, err)
	r.plain, r.secure = plain.Addr().String(), secure.Addr().String()

	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(cert))
	r.transport = &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots},
		// What /etc/hosts and the address on lo do in a machine.
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			to := r.secure
			if address == "169.254.169.254:80" {
				to = r.plain
			}
			return new(net.Dialer).DialContext(ctx, network, to)
		},
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- newCloud(r.cfg, authority, r.log).serve(ctx, plain, secure) }()
	r.stop = sync.OnceValue(func() error {
		r.transport.CloseIdleConnections()
		cancel()
		return <-ended
	})
	t.Cleanup(func() { require.NoError(t, r.stop()) })
	return r
}

// records ends the cloud, so that each line is written, and returns its log.
func (r *running) records(t *testing.T) []requestlog.Record {
	t.Helper()
	require.NoError(t, r.stop())
	var records []requestlog.Record
	scanner := bufio.NewScanner(strings.NewReader(r.log.String()))
	for scanner.Scan() {
		var rec requestlog.Record
		require.NoError(t, json.Unmarshal(scanner.Bytes(), &rec), scanner.Text())
		records = append(records, rec)
	}
	return records
}

func (r *running) client() *http.Client {
	return &http.Client{Transport: r.transport, Timeout: 10 * time.Second}
}

// lines is a buffer that may be read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
