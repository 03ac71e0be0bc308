package cloud

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bootrace/images/azure/ca"
	"bootrace/images/azure/config"
	"bootrace/images/azure/fault"
	"bootrace/images/azure/keyvault"
	"bootrace/images/azure/requestlog"
)

// FuzzRequest sends whatever net/http can read as a request through a cloud's
// front. In every part of it VALUE stands for a secret's value, TOKEN for an
// access token and AXIOM for an ingest token: a client may put them anywhere.
func FuzzRequest(f *testing.F) {
	const vault, token = "kv-test.vault.azure.net", "Authorization: Bearer TOKEN"
	for _, seed := range []struct{ method, host, path, query, header, body string }{
		{"GET", vault, "/secrets/one/", "api-version=7.4", token, ""},
		{"GET", vault, "/secrets/one/0123456789abcdef0123456789abcdef", "api-version=2025-07-01", token, ""},
		{"GET", vault, "/secrets", "api-version=7.4&maxresults=1&$skiptoken=1", token, ""},
		{"GET", vault, "/secrets/one/versions", "api-version=7.4", token, ""},
		{"PUT", vault, "/secrets/two", "api-version=7.4", token, `{"value":"VALUE","tags":{"a":"b"},"attributes":{"enabled":false,"exp":1}}`},
		{"PUT", vault, "/secrets/VALUE", "api-version=7.4", token, `{"value":"another"}`},
		{"PATCH", vault, "/secrets/one", "api-version=7.4", token, `{"contentType":"x","attributes":{"nbf":1}}`},
		{"DELETE", vault, "/secrets/one", "api-version=7.4", token, ""},
		{"POST", vault, "/secrets/one/backup", "api-version=7.4", token, ""},
		{"POST", vault, "/secrets/restore", "api-version=7.4", token, `{"value":"AAAA"}`},
		{"GET", vault, "/deletedsecrets", "api-version=7.4", token, ""},
		{"POST", vault, "/deletedsecrets/gone/recover", "api-version=7.4", token, ""},
		{"DELETE", vault, "/deletedsecrets/gone", "api-version=7.4", token, ""},
		{"GET", "api.axiom.co", "/VALUE/TOKEN", "token=VALUE&resource=TOKEN", "User-Agent: VALUE", ""},
		{"POST", "api.axiom.co", "/v1/datasets/logs/ingest", "", "Authorization: Bearer AXIOM\r\nContent-Type: application/x-ndjson", `{"source":"VALUE","seq":1}`},
		{"POST", "api.axiom.co", "/v1/datasets/logs/ingest", "", "Authorization: Bearer AXIOM\r\nContent-Encoding: gzip", "\x1f\x8b"},
		{"POST", "control-plane.opensandbox.internal", "/v1/workers/register", "", "", `{"worker_id":"VALUE"}`},
		{"POST", "control-plane.opensandbox.internal", "/v1/workers/w/heartbeat", "", "", ""},
		{"POST", "login.microsoftonline.com", "/tenant/oauth2/v2.0/token", "", "", ""},
		{"GET", "169.254.169.254", "/metadata/identity/oauth2/token", "api-version=2018-02-01&resource=https://vault.azure.net&client_id=VALUE", "Metadata: true", ""},
		{"GET", "169.254.169.254", "/metadata/instance/network/interface/0", "api-version=2021-08-01&format=text&extended=true", "Metadata: true", ""},
		{"GET", "169.254.169.254", "/metadata/versions", "", "Metadata: true", ""},
		{"OPTIONS", "", "*", "", "", ""},
		{"VALUE", "VALUE", "/%2F/../%ff//VALUE", "%zz", "X: VALUE", "VALUE"},
	} {
		f.Add(seed.method, seed.host, seed.path, seed.query, seed.header, seed.body)
	}
	authority := newAuthority(f)
	f.Fuzz(func(t *testing.T, method, host, path, query, header, body string) {
		var out bytes.Buffer
		value, axiom := rand.Text(), rand.Text()
		cfg := config.Config{Vault: "kv-test", Tenant: tenant, Role: keyvault.Officer, Secrets: keyvault.Seeds{
			"one": keyvault.Text(value), "ingest": keyvault.Text(axiom), "gone": {Versions: keyvault.Text(value).Versions, Deleted: true},
		}}
		cfg.Axiom.Tokens = map[string][]string{axiom: {"logs"}}
		cfg.ControlPlane.PendingWorkerTTL = fault.Duration{Duration: time.Hour}
		cloud := New(cfg, authority, &out)
		token := issue(t, cloud)
		out.Reset()

		fill := strings.NewReplacer("VALUE", value, "TOKEN", token, "AXIOM", axiom)
		if query != "" {
			path += "?" + query
		}
		if header != "" {
			header += "\r\n"
		}
		body = fill.Replace(body)
		raw := fill.Replace(method+" "+path+" HTTP/1.1\r\nHost: "+host+"\r\n"+header) + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(raw)))
		if err != nil {
			t.Skip("net/http would not let it in")
		}
		handler := cloud.secure.Handler
		if canonical(r.Host) == "169.254.169.254" {
			handler = cloud.plain.Handler
		}
		handler.ServeHTTP(httptest.NewRecorder(), r)

		require.Equal(t, 1, strings.Count(out.String(), "\n"), "one line a request: %s", &out)
		var rec requestlog.Record
		require.NoError(t, json.Unmarshal(out.Bytes(), &rec))
		require.NotEmpty(t, rec.Op)
		require.GreaterOrEqual(t, rec.Status, 100)
		require.Less(t, rec.Status, 600)
		for _, secret := range []string{value, token, axiom} {
			require.NotContains(t, out.String(), secret)
		}
	})
}

func newAuthority(tb testing.TB) *ca.Authority {
	tb.Helper()
	cert, key, err := ca.New()
	require.NoError(tb, err)
	authority, err := ca.Load(cert, key)
	require.NoError(tb, err)
	return authority
}

// issue asks a cloud's metadata service for a token for vaults.
func issue(t *testing.T, c *Cloud) string {
	t.Helper()
	const tokenURL = "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net"
	r := httptest.NewRequest(http.MethodGet, tokenURL, nil)
	r.Header.Set("Metadata", "true")
	w := httptest.NewRecorder()
	c.plain.Handler.ServeHTTP(w, r)
	var got struct {
		Token string `json:"access_token"`
	}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
	require.NotEmpty(t, got.Token)
	return got.Token
}
