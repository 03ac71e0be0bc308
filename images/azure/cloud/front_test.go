package cloud

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images/azure/fault"
)

const batch = `{"message":"{\"source\":\"boot-logger\",\"seq\":1}"}` + "\n"

func TestAMachinesWholeConversationIsLoggedWithoutASecret(t *testing.T) {
	t.Parallel()
	r := start(t)
	token := r.accessToken(t)

	assert.Equal(t, 200, r.get(t, "https://kv-test.vault.azure.net/secrets/platform-token?api-version=7.4", "Bearer "+token))
	assert.Equal(t, 200, r.post(t, "https://api.axiom.co/v1/datasets/the-logs-dataset/ingest", "application/x-ndjson", "Bearer "+r.token, batch))
	assert.Equal(t, 403, r.post(t, "https://api.axiom.co/v1/datasets/the-logs-dataset/ingest", "application/x-ndjson", "Bearer ${TOKEN}", batch))
	assert.Equal(t, 200, r.post(t, "https://control-plane.opensandbox.internal/v1/workers/register", "application/json", "", `{"worker_id":"w-1"}`))
	assert.Equal(t, 400, r.get(t, "https://login.microsoftonline.com/"+tenant+"/oauth2/v2.0/token", ""))
	// A client that puts secrets where they do not belong.
	assert.Equal(t, 404, r.get(t, "https://api.axiom.co/"+url.PathEscape(r.token)+"?token="+url.QueryEscape(r.secret)+"&resource="+token, "Bearer "+r.token))
	assert.Equal(t, 401, r.get(t, "https://kv-test.vault.azure.net/secrets/"+url.PathEscape(r.secret)+"/"+token+"?api-version=7.4", ""))

	records := r.records(t)
	log := r.log.String()
	for _, value := range []string{r.token, r.secret, "the-logs-dataset", "bootrace-imds-", `another":"`} {
		assert.NotContains(t, log, value)
	}
	var got []string
	for _, rec := range records {
		got = append(got, strings.Join(strings.Fields(fmt.Sprintf("%s %s %d %s %s %s %s %s",
			rec.Service, rec.Op, rec.Status, rec.Auth, rec.Secret, rec.TokenName, rec.Lines["boot-logger"], rec.Worker)), " "))
	}
	assert.Equal(t, []string{
		"azure ready 0",
		"imds token 200",
		"keyvault secrets.get 200 ok platform-token",
		"axiom ingest 200 ok platform-token 1",
		"axiom ingest 403 literal 1",
		"controlplane register 200 w-1",
		"azure login 400",
		"axiom unknown 404 wrong platform-token",
		"keyvault secrets.get 401 none [secret:another]",
	}, got)
}

func TestAHostThatIsNotTheCloudsIsRefusedAndLogged(t *testing.T) {
	t.Parallel()
	r := start(t)

	_, err := r.client().Get("https://other.vault.azure.net/secrets")
	require.ErrorContains(t, err, "unrecognized name", "no certificate is made for it")

	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.axiom.co/", nil)
	require.NoError(t, err)
	request.Host = "kv-test.vault.azure.net" // known, but not what the connection is for
	assert.Equal(t, http.StatusMisdirectedRequest, r.status(t, request))

	request, err = http.NewRequestWithContext(t.Context(), http.MethodGet, "http://169.254.169.254/metadata/instance", nil)
	require.NoError(t, err)
	request.Host = "metadata.google.internal"
	assert.Equal(t, http.StatusMisdirectedRequest, r.status(t, request))

	var hosts []string
	for _, rec := range r.records(t) {
		if rec.Op == opUnknownHost {
			hosts = append(hosts, rec.Host)
			assert.NotEmpty(t, rec.Error)
		}
	}
	assert.Equal(t, []string{"other.vault.azure.net", "kv-test.vault.azure.net", "metadata.google.internal"}, hosts)
}

func TestAClientThatDoesNotTrustTheAuthorityIsLogged(t *testing.T) {
	t.Parallel()
	r := start(t)
	distrusting := &http.Transport{DialContext: r.transport.DialContext, TLSClientConfig: &tls.Config{}}
	_, err := (&http.Client{Transport: distrusting}).Get("https://api.axiom.co/")
	require.ErrorContains(t, err, "certificate")
	require.Eventually(t, func() bool { return strings.Contains(r.log.String(), opTLSError) }, patience, 5*time.Millisecond)
	records := r.records(t)
	assert.Contains(t, records[1].Error, "tls: bad certificate")
}

func TestGarbageIsAnsweredAndLoggedAndNothingBreaks(t *testing.T) {
	t.Parallel()
	r := start(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	source := rand.New(rand.NewPCG(seed, 0))
	parts := []string{"/", "//", "..", "%2e", "%2F", "%00", "%ff", "secrets", "metadata", "identity/oauth2/token", "instance", "v1", "datasets", "ingest",
		"workers", "register", "heartbeat", "é", "*", "?", "&", "=", "resource", "api-version=", ";", "~", strings.Repeat("a", 300), "versions"}
	methods := []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "BREW"}
	hosts := []string{"kv-test.vault.azure.net", "api.axiom.co", "control-plane.opensandbox.internal", "login.microsoftonline.com", "169.254.169.254", "", "a b", "xn--"}
	authorizations := []string{"", "Authorization: Bearer\r\n", "Authorization: Bearer " + r.token + "\r\n", "Authorization: \x01\r\n", "Metadata: true\r\n"}
	pick := func(of []string) string { return of[source.IntN(len(of))] }

	for range 400 {
		path := "/"
		for range source.IntN(6) {
			path += pick(parts)
		}
		host := pick(hosts)
		raw := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\n%sConnection: close\r\nContent-Length: 2\r\n\r\n[]", pick(methods), path, host, pick(authorizations))
		answer := r.raw(t, host, raw)
		require.True(t, strings.HasPrefix(answer, "HTTP/1.1 "), "%q is answered, not %q", raw, answer)
		require.NotEqual(t, "500", answer[9:12], raw)
	}
	records := r.records(t)
	require.Greater(t, len(records), 100, "most of it is a request")
	for _, rec := range records[1:] {
		assert.NotEmpty(t, rec.Service)
		assert.NotEmpty(t, rec.Op)
		assert.NotEqual(t, opHTTPError, rec.Op, rec.Error)
		assert.NotZero(t, rec.Status)
	}
	assert.NotContains(t, r.log.String(), r.token)
}

func TestTheLogIsOneJSONObjectALineWithTheFieldsItPromises(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.get(t, "https://kv-test.vault.azure.net/secrets/nothing?api-version=7.4", "Bearer "+r.accessToken(t))
	require.NoError(t, r.stop())
	lines := strings.Split(strings.TrimSpace(r.log.String()), "\n")
	require.Len(t, lines, 3)
	var ready, last map[string]any
	require.NoError(t, json.Unmarshal([]byte(lines[0]), &ready))
	assert.Len(t, ready, 3, "mono, service, op")
	require.NoError(t, json.Unmarshal([]byte(lines[2]), &last))
	for _, field := range []string{"mono", "service", "op", "method", "host", "path", "status", "duration_ns", "bytes", "secret", "error", "auth", "user_agent"} {
		assert.Contains(t, last, field)
	}
	assert.Equal(t, "SecretNotFound", last["error"])
}

func TestTheCloudLetsARequestFinishWhenItIsToldToEnd(t *testing.T) {
	t.Parallel()
	r := start(t, fault.Fault{Service: "imds", Kind: fault.Hang})
	r.cloud.drain = patience
	body, writer := io.Pipe()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://api.axiom.co/v1/datasets/the-logs-dataset/ingest", body)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+r.token)
	request.Header.Set("Content-Type", "application/x-ndjson")
	// The body is asked for by the handler that reads it: when the first of it is
	// taken, the request is under way.
	r.transport.ExpectContinueTimeout = patience
	request.Header.Set("Expect", "100-continue")
	answered := make(chan int, 1)
	go func() {
		response, err := r.client().Do(request)
		if err != nil {
			answered <- 0
			return
		}
		response.Body.Close()
		answered <- response.StatusCode
	}()
	_, err = writer.Write([]byte(batch))
	require.NoError(t, err)
	slow, err := net.Dial("tcp", r.plain) // who takes the whole time elsewhere holds nobody up
	require.NoError(t, err)
	defer slow.Close()
	_, err = io.WriteString(slow, "POST /metadata/instance HTTP/1.1\r\nHost: 169.254.169.254\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n")
	require.NoError(t, err)
	line, err := bufio.NewReader(slow).ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, line, "100 Continue", "it is under way")
	ended := make(chan error, 1)
	go func() { ended <- r.stop() }()
	require.Eventually(t, func() bool {
		for _, address := range []string{r.plain, r.secure} {
			if c, err := net.Dial("tcp", address); err == nil {
				_ = c.Close()
				return false
			}
		}
		return true
	}, patience, 5*time.Millisecond, "nobody is let in any more")
	require.NoError(t, writer.Close())
	assert.Equal(t, http.StatusOK, <-answered)
	require.NoError(t, slow.Close())
	require.NoError(t, <-ended)
}

// accessToken asks IMDS as curl does.
func (r *running) accessToken(t *testing.T) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
		"http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://vault.azure.net", nil)
	require.NoError(t, err)
	request.Header.Set("Metadata", "true")
	response, err := r.client().Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	var got struct {
		Token string `json:"access_token"`
	}
	require.NoError(t, json.NewDecoder(response.Body).Decode(&got))
	require.NotEmpty(t, got.Token)
	return got.Token
}

func (r *running) get(t *testing.T, target, authorization string) int {
	t.Helper()
	return r.send(t, http.MethodGet, target, "", authorization, "")
}

func (r *running) post(t *testing.T, target, contentType, authorization, body string) int {
	t.Helper()
	return r.send(t, http.MethodPost, target, contentType, authorization, body)
}

func (r *running) send(t *testing.T, method, target, contentType, authorization, body string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("Authorization", authorization)
	return r.status(t, request)
}

func (r *running) status(t *testing.T, request *http.Request) int {
	t.Helper()
	response, err := r.client().Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	require.NoError(t, err)
	return response.StatusCode
}

// raw sends bytes that no client would, and returns the first line of the answer.
func (r *running) raw(t *testing.T, host, bytes string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var conn net.Conn
	var err error
	if host == "169.254.169.254" {
		conn, err = r.transport.DialContext(ctx, "tcp", "169.254.169.254:80")
	} else {
		config := r.transport.TLSClientConfig.Clone()
		config.ServerName = "api.axiom.co"
		if strings.Contains(host, ".") {
			config.ServerName = host
		}
		conn, err = (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", r.secure)
	}
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	_, err = io.WriteString(conn, bytes)
	require.NoError(t, err)
	line, err := bufio.NewReader(conn).ReadString('\n')
	require.NoError(t, err)
	return line
}
