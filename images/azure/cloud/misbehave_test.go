package cloud

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images/azure/fault"
)

const aSecret = "https://kv-test.vault.azure.net/secrets/another?api-version=7.4"

// ask sends one request on a connection of its own.
func (r *running) ask(t *testing.T, method, url, authorization, body string) (int, http.Header, string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Metadata", "true")
	req.Close = true
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/x-ndjson")
	}
	resp, err := r.client().Do(req)
	if err != nil {
		return 0, nil, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, resp.Header, string(text), err
}

// readSecret reads a secret with a good token.
func (r *running) readSecret(t *testing.T) (int, http.Header, string, error) {
	t.Helper()
	return r.ask(t, http.MethodGet, aSecret, "Bearer "+r.accessToken(t), "")
}

func code(t *testing.T, body string) (code, inner string) {
	t.Helper()
	var e struct {
		Error struct {
			Code  string
			Inner struct{ Code string } `json:"innererror"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(body), &e), body)
	return e.Error.Code, e.Error.Inner.Code
}

func TestEachServiceFailsInItsOwnForm(t *testing.T) {
	t.Parallel()
	status := func(service string, n int) fault.Fault {
		return fault.Fault{Service: service, Kind: fault.Status, Status: n, Requests: "1"}
	}
	r := start(t, fault.Fault{Service: "keyvault", Op: "secrets.get", Kind: fault.Status, Status: 429, RetryAfter: fault.Duration{Duration: 6500 * time.Millisecond}},
		status("imds", 500), status("axiom", 401), status("controlplane", 503))

	got, _, body, err := r.ask(t, http.MethodGet, "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://vault.azure.net", "", "")
	require.NoError(t, err)
	assert.Equal(t, 500, got)
	assert.Contains(t, body, `"error":"internal_server_error"`)

	got, header, body, err := r.readSecret(t)
	require.NoError(t, err)
	assert.Equal(t, 429, got)
	assert.Equal(t, "7", header.Get("Retry-After"), "whole seconds, never too few")
	what, _ := code(t, body)
	assert.Equal(t, "Throttled", what)

	got, _, body, err = r.ask(t, http.MethodPost, "https://api.axiom.co/v1/datasets/the-logs-dataset/ingest", "Bearer "+r.token, batch)
	require.NoError(t, err)
	assert.Equal(t, 401, got)
	assert.Contains(t, body, `"code":401`)

	got, _, body, err = r.ask(t, http.MethodPost, "https://control-plane.opensandbox.internal/v1/workers/register", "", `{"worker_id":"w-1"}`)
	require.NoError(t, err)
	assert.Equal(t, 503, got)
	assert.Contains(t, body, `"error":"internal"`)

	records := r.records(t)
	for _, rec := range records {
		if rec.Status >= 400 {
			assert.Equal(t, fault.Status, rec.Fault, "%s says in the log that it was meant", rec.Service)
		}
		if rec.Op == "ingest" {
			assert.Equal(t, "1", rec.Lines["boot-logger"], "the lines that were refused are known")
		}
		if rec.Service == "keyvault" {
			assert.Equal(t, 7, rec.RetryAfterS)
		}
	}
}

func TestRetryAfterAsADate(t *testing.T) {
	t.Parallel()
	r := start(t, fault.Fault{Service: "keyvault", Kind: fault.Status, Status: 503, RetryAfter: fault.Duration{Duration: 90 * time.Second}, RetryAfterAs: fault.AsDate})
	before := time.Now()
	_, header, _, err := r.readSecret(t)
	require.NoError(t, err)
	at, err := http.ParseTime(header.Get("Retry-After"))
	require.NoError(t, err)
	assert.WithinRange(t, at, before.Add(90*time.Second).Truncate(time.Second), time.Now().Add(91*time.Second))
	records := r.records(t)
	assert.Equal(t, 90, records[len(records)-1].RetryAfterS, "what judges the client's patience reads it there")
}

func TestAConnectionThatBreaksInTheMiddleOfAnAnswer(t *testing.T) {
	t.Parallel()
	for kind, want := range map[fault.Kind]error{fault.Reset: syscall.ECONNRESET, fault.Truncated: io.ErrUnexpectedEOF} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			r := start(t, fault.Fault{Service: "keyvault", Kind: kind, Requests: "1"})
			got, _, body, err := r.readSecret(t)
			require.ErrorIs(t, err, want)
			if kind == fault.Truncated {
				assert.Equal(t, 200, got)
				assert.NotEmpty(t, body)
			}
			assert.False(t, json.Valid([]byte(body)))
			got, _, body, err = r.readSecret(t)
			require.NoError(t, err)
			assert.Equal(t, 200, got)
			assert.True(t, json.Valid([]byte(body)), "the second request is answered")
		})
	}
}

func TestAnAnswerThatIsEmptyLateOrNone(t *testing.T) {
	t.Parallel()
	r := start(t, fault.Fault{Service: "keyvault", Kind: fault.Empty, Requests: "1"},
		fault.Fault{Service: "keyvault", Kind: fault.Slow, Latency: fault.Duration{Duration: 300 * time.Millisecond}, Requests: "2"},
		fault.Fault{Service: "keyvault", Kind: fault.Hang, Requests: "3"})
	token := "Bearer " + r.accessToken(t)
	got, _, body, err := r.ask(t, http.MethodGet, aSecret, token, "")
	require.NoError(t, err)
	assert.Equal(t, 200, got)
	assert.Empty(t, body)

	began := time.Now()
	got, _, body, err = r.ask(t, http.MethodGet, aSecret, token, "")
	require.NoError(t, err)
	assert.Equal(t, 200, got)
	assert.NotEmpty(t, body)
	assert.GreaterOrEqual(t, time.Since(began), 300*time.Millisecond)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	asked := &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { cancel() }}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, asked), http.MethodGet, aSecret, nil)
	require.NoError(t, err)
	_, err = r.client().Do(req)
	require.ErrorIs(t, err, context.Canceled)
	require.Eventually(t, func() bool { return strings.Contains(r.log.String(), "no_answer") }, patience, 5*time.Millisecond,
		"it lets go of a client that has gone")
}

func TestTheVaultsStateCanBeWrong(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		kind        fault.Kind
		status      int
		code, inner string
	}{
		{fault.NoRole, 403, "Forbidden", "ForbiddenByRbac"},
		{fault.SecretDisabled, 403, "Forbidden", "SecretDisabled"},
		{fault.SecretDeleted, 404, "SecretNotFound", ""},
		{fault.SecretEmpty, 200, "", ""},
	} {
		t.Run(string(tc.kind), func(t *testing.T) {
			t.Parallel()
			r := start(t, fault.Fault{Service: "keyvault", Kind: tc.kind, Requests: "1"})
			got, _, body, err := r.readSecret(t)
			require.NoError(t, err)
			assert.Equal(t, tc.status, got)
			if tc.status == 200 {
				assert.Contains(t, body, `"value":""`)
			} else {
				outer, inner := code(t, body)
				assert.Equal(t, [2]string{tc.code, tc.inner}, [2]string{outer, inner})
			}
			got, _, body, err = r.readSecret(t)
			require.NoError(t, err)
			assert.Equal(t, 200, got)
			assert.NotContains(t, body, `"value":""`)
		})
	}
}

func TestARotatedSecretHasANewVersionAndItsValueStaysOutOfTheLog(t *testing.T) {
	t.Parallel()
	const fresh = "the value after the rotation"
	r := start(t, fault.Fault{Service: "keyvault", Kind: fault.SecretRotated, Secret: "another", Requests: "2-", Value: fresh})
	var values, ids []string
	for range 3 {
		_, _, body, err := r.readSecret(t)
		require.NoError(t, err)
		var b struct{ Value, ID string }
		require.NoError(t, json.Unmarshal([]byte(body), &b))
		values, ids = append(values, b.Value), append(ids, b.ID)
	}
	assert.Equal(t, []string{r.secret, fresh, fresh}, values)
	assert.NotEqual(t, ids[0], ids[1])
	assert.Equal(t, ids[1], ids[2])
	r.get(t, "https://kv-test.vault.azure.net/secrets/another?api-version=7.4&x="+strings.ReplaceAll(fresh, " ", "%20"), "")
	assert.NotContains(t, r.log.String(), fresh)
}

func TestTokensThatAreOfNoUse(t *testing.T) {
	t.Parallel()
	for kind, want := range map[fault.Kind]string{fault.TokenExpired: "expired", fault.TokenForeign: "Invalid audience", fault.TokenEmpty: "missing"} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			r := start(t, fault.Fault{Service: "imds", Kind: kind, Requests: "1"})
			_, _, body, err := r.ask(t, http.MethodGet, "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://vault.azure.net", "", "")
			require.NoError(t, err)
			var token struct {
				Token string `json:"access_token"`
			}
			require.NoError(t, json.Unmarshal([]byte(body), &token))
			got, _, body, err := r.ask(t, http.MethodGet, aSecret, "Bearer "+token.Token, "")
			require.NoError(t, err)
			assert.Equal(t, 401, got)
			assert.Contains(t, body, want)
			got, _, _, err = r.readSecret(t) // with a second token
			require.NoError(t, err)
			assert.Equal(t, 200, got)
		})
	}
}

func TestCertificatesThatAreWrong(t *testing.T) {
	t.Parallel()
	for _, kind := range []fault.Kind{fault.CertExpired, fault.CertOtherHost, fault.CertUntrusted} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			r := start(t, fault.Fault{Service: "keyvault", Kind: kind, Requests: "1"})
			token := "Bearer " + r.accessToken(t)
			_, _, _, err := r.ask(t, http.MethodGet, aSecret, token, "")
			var verification *tls.CertificateVerificationError
			require.ErrorAs(t, err, &verification)
			var invalid x509.CertificateInvalidError
			var host x509.HostnameError
			var unknown x509.UnknownAuthorityError
			switch kind {
			case fault.CertExpired:
				require.ErrorAs(t, err, &invalid)
				assert.Equal(t, x509.Expired, invalid.Reason)
			case fault.CertOtherHost:
				require.ErrorAs(t, err, &host)
			case fault.CertUntrusted:
				require.ErrorAs(t, err, &unknown)
			}
			got, _, _, err := r.ask(t, http.MethodGet, aSecret, token, "")
			require.NoError(t, err)
			assert.Equal(t, 200, got)
			assert.Contains(t, r.log.String(), `"fault":"`+string(kind)+`"`)
		})
	}
}

func TestAServiceThatRefusesConnections(t *testing.T) {
	t.Parallel()
	r := start(t, fault.Fault{Service: "imds", Kind: fault.Refused})
	require.Eventually(t, func() bool {
		_, _, _, err := r.ask(t, http.MethodGet, "http://169.254.169.254/metadata/instance?api-version=2021-08-01", "", "")
		return errors.Is(err, syscall.ECONNREFUSED)
	}, patience, 5*time.Millisecond)
	got, _, _, err := r.ask(t, http.MethodGet, aSecret, "", "")
	require.NoError(t, err)
	assert.Equal(t, http.StatusUnauthorized, got, "the vault answers")
}

// The test alone moves the clock: what is to last for a millisecond is looked at
// again after one, and still goes on.
func TestAServiceThatRefusesConnectionsForAWhile(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	moment := func(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond }
	faults := fault.NewSchedule([]fault.Fault{{Service: "imds", Kind: fault.Refused, From: fault.Duration{Duration: moment(1)}, Until: fault.Duration{Duration: moment(2)}}},
		func() time.Duration { return moment(now.Load()) })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	d := newDoor(l, "imds", faults)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	enter := func() (net.Conn, error) { return net.Dial("tcp", d.Addr().String()) }

	early, err := enter()
	require.NoError(t, err)
	defer early.Close()
	_, err = d.Accept()
	require.NoError(t, err)

	now.Store(1)
	_, err = early.Read(make([]byte, 1))
	require.ErrorIs(t, err, syscall.ECONNRESET, "what was open breaks")
	require.Eventually(t, func() bool {
		c, err := enter()
		if err == nil {
			_ = c.Close()
		}
		return errors.Is(err, syscall.ECONNREFUSED)
	}, patience, time.Millisecond)

	now.Store(2)
	var late net.Conn
	require.Eventually(t, func() bool { late, err = enter(); return err == nil }, patience, time.Millisecond)
	defer late.Close()
	accepted, err := d.Accept()
	require.NoError(t, err)
	assert.Equal(t, late.LocalAddr(), accepted.RemoteAddr())
}
