package vault_test

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bootrace/populator/vault"
)

// cloud is IMDS and Key Vault, as much of them as the client sees. Handlers
// that are set answer instead.
type cloud struct {
	t       *testing.T
	client  *vault.Client
	secrets map[string]string
	hosts   map[string]string // address asked for -> where it is

	mu       sync.Mutex
	token    string // the one the vault accepts
	requests []string

	imds   http.HandlerFunc
	secret map[string]http.HandlerFunc
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	c := &cloud{t: t, secrets: map[string]string{}, token: rand.Text(), secret: map[string]http.HandlerFunc{}}
	imds := httptest.NewServer(http.HandlerFunc(c.serveIMDS))
	t.Cleanup(imds.Close)
	vaults := httptest.NewUnstartedServer(http.HandlerFunc(c.serveVault))
	vaults.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes that are meant to fail
	vaults.StartTLS()
	t.Cleanup(vaults.Close)
	roots := x509.NewCertPool()
	roots.AddCert(vaults.Certificate())
	c.hosts = map[string]string{
		"169.254.169.254:80":          imds.Listener.Addr().String(),
		"example.vault.azure.net:443": vaults.Listener.Addr().String(),
	}
	c.client = c.newClient(roots, c.hosts)
	return c
}

func (c *cloud) newClient(roots *x509.CertPool, hosts map[string]string) *vault.Client {
	client, err := vault.New(vault.Options{Transport: rename{roots: roots, hosts: hosts}.transport(c.t)})
	require.NoError(c.t, err)
	c.t.Cleanup(client.Close)
	return client
}

// rename is the network: httptest's certificate is for example.com, which the
// vault's host name here is not, so the name to check is set.
type rename struct {
	roots *x509.CertPool
	hosts map[string]string
}

func (r rename) transport(t *testing.T) http.RoundTripper {
	t.Helper()
	tr := vault.NewTransport(vault.Options{Roots: r.roots, Dial: r.dial})
	tr.TLSClientConfig.ServerName = "example.com"
	return tr
}

func (r rename) dial(ctx context.Context, network, address string) (net.Conn, error) {
	to, ok := r.hosts[address]
	if !ok {
		host, _, _ := net.SplitHostPort(address)
		return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Name: host, Err: "no such host", IsNotFound: true}}
	}
	return (&net.Dialer{}).DialContext(ctx, network, to)
}

func (c *cloud) setIMDS(h http.HandlerFunc) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.imds = h
}

func (c *cloud) log(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests = append(c.requests, what)
}

func (c *cloud) count(prefix string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, r := range c.requests {
		if strings.HasPrefix(r, prefix) {
			n++
		}
	}
	return n
}

func (c *cloud) serveIMDS(w http.ResponseWriter, r *http.Request) {
	c.log("imds " + r.URL.Path)
	c.mu.Lock()
	instead := c.imds
	c.mu.Unlock()
	switch {
	case instead != nil:
		instead(w, r)
	case r.Header.Get("Metadata") != "true" || r.URL.Query().Get("resource") != "https://vault.azure.net":
		http.Error(w, `{"error":"bad_request_102"}`, http.StatusBadRequest)
	default:
		c.mu.Lock()
		defer c.mu.Unlock()
		writeToken(w, c.token, time.Hour)
	}
}

func writeToken(w http.ResponseWriter, token string, life time.Duration) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{
		"access_token": token, "token_type": "Bearer", "resource": "https://vault.azure.net",
		"expires_in": strconv.Itoa(int(life.Seconds())), "expires_on": strconv.FormatInt(time.Now().Add(life).Unix(), 10),
	})
}

const challenge = `Bearer authorization="https://login.microsoftonline.com/00000000-0000-4000-8000-000000000000", resource="https://vault.azure.net"`

func (c *cloud) serveVault(w http.ResponseWriter, r *http.Request) {
	name := strings.Trim(strings.TrimPrefix(r.URL.Path, "/secrets/"), "/")
	c.mu.Lock()
	token := c.token
	c.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if r.Header.Get("Authorization") != "Bearer "+token {
		c.log("challenge " + name)
		w.Header().Set("WWW-Authenticate", challenge)
		fail(w, http.StatusUnauthorized, "Unauthorized", "")
		return
	}
	c.log("get " + name)
	if h := c.secret[name]; h != nil {
		h(w, r)
		return
	}
	value, ok := c.secrets[name]
	if !ok {
		fail(w, http.StatusNotFound, "SecretNotFound", "")
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"value": value, "id": "https://example.vault.azure.net/secrets/" + name + "/0"})
}

func fail(w http.ResponseWriter, status int, code, inner string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	body := fmt.Sprintf(`{"error":{"code":%q,"message":"said at length"}}`, code)
	if inner != "" {
		body = fmt.Sprintf(`{"error":{"code":%q,"message":"said at length","innererror":{"code":%q}}}`, code, inner)
	}
	_, _ = w.Write([]byte(body))
}
