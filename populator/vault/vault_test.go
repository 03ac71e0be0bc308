package vault_test

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/populator/vault"
)

var names = []string{"token", "dataset", "cell"}

func TestFetchGetsEverySecretWithOneTokenAndOneChallenge(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	for _, name := range names {
		c.secrets[name] = rand.Text()
	}
	for range 2 {
		got := c.client.Fetch(t.Context(), "example", names)
		for _, name := range names {
			require.Nil(t, got[name].Err)
			assert.Equal(t, c.secrets[name], got[name].Value)
		}
	}
	assert.Equal(t, 1, c.count("imds"))
	assert.Equal(t, 1, c.count("challenge"))
	assert.Equal(t, 6, c.count("get"))
}

func TestFetchAsksOnceWhateverTheAnswer(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 403, 404, 408, 409, 429, 500, 502, 503, 504} {
		c := newCloud(t)
		c.secret["token"] = func(w http.ResponseWriter, _ *http.Request) { fail(w, status, "Code", "") }
		got := c.client.Fetch(t.Context(), "example", []string{"token"})
		require.NotNil(t, got["token"].Err)
		assert.Equal(t, 1, c.count("get"), "status %d", status)
	}
}

func TestVaultErrors(t *testing.T) {
	t.Parallel()
	answer := func(status int, code, inner string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { fail(w, status, code, inner) }
	}
	type want struct {
		text      string
		permanent bool
		missing   bool
		wait      time.Duration
		others    int // requests for the other secrets
	}
	for _, tc := range []struct {
		name   string
		handle http.HandlerFunc
		want   want
	}{
		{"a secret that is not there", answer(404, "SecretNotFound", ""), want{text: "secret token: 404 SecretNotFound", permanent: true, missing: true, others: 2}},
		{"a disabled secret", answer(403, "Forbidden", "SecretDisabled"), want{text: "403 Forbidden/SecretDisabled", permanent: true, missing: true, others: 2}},
		{"no role", answer(403, "Forbidden", "ForbiddenByRbac"), want{text: "403 Forbidden/ForbiddenByRbac", permanent: true, others: 2}},
		{"no error and no answer", answer(204, "", ""), want{text: "secret token: 204"}},
		{"a request that it does not take", answer(400, "BadParameter", ""), want{text: "secret token: 400 BadParameter", permanent: true, others: 2}},
		{"an error of the vault's", answer(500, "InternalServerError", ""), want{text: "500 InternalServerError"}},
		{"a code that is none is not repeated", answer(500, "<script> of some kind", ""), want{text: "key vault example, secret token: 500"}},
		{"throttled, in seconds", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "90")
			answer(429, "Throttled", "")(w, r)
		}, want{text: "429 Throttled", wait: 90 * time.Second}},
		{"throttled, in milliseconds", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After-Ms", "1500")
			w.Header().Set("Retry-After", "2")
			answer(429, "Throttled", "")(w, r)
		}, want{text: "429", wait: 1500 * time.Millisecond}},
		{"an empty body", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200) }, want{text: "the answer has no value"}},
		{"no value", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{}`)) }, want{text: "the answer has no value"}},
		{"a body that ends early", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte(`{"value":"hunter2`))
		}, want{text: "the connection broke"}},
		{"a body that is not JSON", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hunter2")) }, want{text: "unusable answer"}},
		{"a connection that breaks", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, want{text: "the connection broke"}},
		{"a redirect is not followed", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://elsewhere.vault.azure.net/", http.StatusFound)
		}, want{text: "302 Found"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t)
			c.secret["token"] = tc.handle
			c.secrets["dataset"], c.secrets["cell"] = "d", "c"
			got := c.client.Fetch(t.Context(), "example", names)
			e := got["token"].Err
			require.NotNil(t, e)
			assert.Contains(t, e.Error(), tc.want.text)
			assert.NotContains(t, e.Error(), "hunter2")
			assert.NotContains(t, e.Error(), "at length")
			assert.Equal(t, tc.want.permanent, e.Permanent, "permanent")
			assert.Equal(t, tc.want.missing, e.Missing, "missing")
			assert.Equal(t, tc.want.wait, e.RetryAfter)
			assert.Equal(t, tc.want.others, c.count("get dataset")+c.count("get cell"))
			assert.Equal(t, tc.want.others == 0, got["dataset"].Err != nil, "the others share the error of the service")
		})
	}
}

func TestIdentityErrors(t *testing.T) {
	t.Parallel()
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			http.Error(w, `{"error":"invalid_request","error_description":"Identity not found"}`, code)
		}
	}
	for _, tc := range []struct {
		name      string
		handle    http.HandlerFunc
		text      string
		permanent bool
		wait      time.Duration
	}{
		{"no identity", status(400), "managed identity: 400 Bad Request, the machine has no identity", true, 7 * time.Second},
		{"not up yet", status(404), "managed identity: 404 Not Found", false, 7 * time.Second},
		{"being updated", status(410), "managed identity: 410 Gone", false, 7 * time.Second},
		{"throttled", status(429), "managed identity: 429 Too Many Requests", false, 7 * time.Second},
		{"broken", status(500), "managed identity: 500", false, 7 * time.Second},
		{"forbidden", status(403), "managed identity: 403 Forbidden", true, 7 * time.Second},
		{"a redirect, which is not the service's", status(302), "managed identity: 302 Found", false, 7 * time.Second},
		{"an empty token", func(w http.ResponseWriter, _ *http.Request) { writeToken(w, "", time.Hour) }, "the token is empty", false, 0},
		{"an expired token", func(w http.ResponseWriter, _ *http.Request) { writeToken(w, "x", -time.Hour) }, "expired already", false, 0},
		{"not JSON", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>hunter2")) }, "the answer is not a token", false, 0},
		{"null", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(" null\n")) }, "the answer is not a token", false, 0},
		{"nothing", func(http.ResponseWriter, *http.Request) {}, "the answer is not a token", false, 0},
		{"half a token", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte(`{"access_token":"hunter2`))
		}, "managed identity: the connection broke", false, 0},
		{"a broken connection", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "managed identity: the connection broke", false, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t)
			c.secrets["token"] = rand.Text()
			c.setIMDS(tc.handle)
			e := c.client.Fetch(t.Context(), "example", []string{"token"})["token"].Err
			require.NotNil(t, e)
			assert.Contains(t, e.Error(), tc.text)
			assert.NotContains(t, e.Error(), "hunter2")
			assert.Equal(t, tc.permanent, e.Permanent)
			assert.Equal(t, tc.wait, e.RetryAfter)
			assert.Equal(t, 1, c.count("imds"), "one try")
			assert.Zero(t, c.count("get"))

			c.setIMDS(nil)
			got := c.client.Fetch(t.Context(), "example", []string{"token"})
			require.Nil(t, got["token"].Err, "the next try starts afresh")
		})
	}
}

func TestAnIdentityThatIsRefusedIsAskedForOnceAndNotForEachSecret(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.setIMDS(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	got := c.client.Fetch(t.Context(), "example", names)
	for _, name := range names {
		require.NotNil(t, got[name].Err)
		assert.True(t, got[name].Err.OfIdentity())
	}
	assert.Equal(t, 1, c.count("imds"))
}

func TestAFetchAsksForOneToken(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		imds   func(w http.ResponseWriter)
		vaults int // requests to the vault, at most
	}{
		{"that cannot be had", func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) }, 3},
		{"that the vault refuses", func(w http.ResponseWriter) { writeToken(w, rand.Text(), time.Hour) }, 4},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			vaults, tokens := 0, 0
			var mu sync.Mutex
			client, err := vault.New(vault.Options{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
				mu.Lock()
				defer mu.Unlock()
				w := httptest.NewRecorder()
				if r.URL.Host == "169.254.169.254" {
					tokens++
					tc.imds(w)
				} else if vaults++; vaults == 1 {
					fail(w, http.StatusNotFound, "SecretNotFound", "") // before it has asked who asks
				} else {
					w.Header().Set("WWW-Authenticate", challenge)
					fail(w, http.StatusUnauthorized, "Unauthorized", "")
				}
				res := w.Result()
				res.Request = r
				return res, nil
			})})
			require.NoError(t, err)
			got := client.Fetch(t.Context(), "example", names)
			assert.True(t, got[names[0]].Err.Missing)
			for _, name := range names[1:] {
				require.NotNil(t, got[name].Err)
				assert.False(t, got[name].Err.Permanent)
			}
			assert.Equal(t, 1, tokens)
			assert.LessOrEqual(t, vaults, tc.vaults, "side by side, one may learn from the other")
		})
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestARefusedTokenIsNotUsedAgain(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.secrets["token"] = rand.Text()
	require.Nil(t, c.client.Fetch(t.Context(), "example", []string{"token"})["token"].Err)
	c.mu.Lock()
	c.token = rand.Text() // the old one is revoked
	c.mu.Unlock()
	got := c.client.Fetch(t.Context(), "example", []string{"token"})
	require.Nil(t, got["token"].Err)
	assert.Equal(t, 2, c.count("imds"))
}

func TestAVaultThatDoesNotExistIsTransient(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	e := c.client.Fetch(t.Context(), "nosuch", names)["cell"].Err
	require.NotNil(t, e)
	assert.False(t, e.Permanent)
	assert.Equal(t, "key vault nosuch, secret token: nosuch.vault.azure.net does not resolve (a vault that does not exist looks the same)", e.Error())
	assert.Zero(t, c.count("imds"))
}

func TestAnUnknownAuthorityIsRefused(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.secrets["token"] = rand.Text()
	client := c.newClient(x509.NewCertPool(), c.hosts)
	e := client.Fetch(t.Context(), "example", names)["token"].Err
	require.NotNil(t, e)
	assert.Contains(t, e.Error(), "unknown authority")
	assert.False(t, e.Permanent)
}

func TestNoProxyIsEverAsked(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	assert.Nil(t, vault.NewTransport(vault.Options{}).Proxy)
}

func TestFetchEndsWithItsContext(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	ctx, cancel := context.WithCancel(t.Context())
	c.setIMDS(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	e := c.client.Fetch(ctx, "example", names)["token"].Err
	require.NotNil(t, e)
	assert.Contains(t, e.Error(), "given up")
}
