package requestlog_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/recording"
	"bootrace/images/azure/accesstoken"
	"bootrace/images/azure/requestlog"
)

func TestNoSecretReachesALineWhereverAClientPutsIt(t *testing.T) {
	t.Parallel()
	short, token := rand.Text(), accesstoken.New().Issue("https://vault.azure.net", time.Now())
	long := short + rand.Text()
	var out bytes.Buffer
	log := requestlog.New(&out, map[string]string{"short": short, "long": long, "tiny": "/v1"})

	log.Write(requestlog.Record{
		Service: "axiom", Op: "ingest", Method: short, Host: long + ".example", Path: "/v1/" + short + "/" + token,
		Query: "q=" + long, Secret: short, Version: short, Error: short, Dataset: long, TokenName: "short", Worker: token,
		UserAgent: strings.Repeat("x", 500) + long, Lines: map[string]string{short: "1"},
	})

	assert.NotContains(t, out.String(), short)
	assert.NotContains(t, out.String(), token[:46])
	assert.NotContains(t, out.String(), short[:10], "no part of a value is left at a cut")
	var line map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &line))
	assert.Equal(t, "/v1/[secret:short]/[secret:imds-token]", line["path"])
	assert.Equal(t, "[secret:long].example", line["host"], "the longer of two values that begin alike")
	assert.Equal(t, "short", line["token_name"])
}

func TestAFieldIsBoundedAndAlwaysValidJSON(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	requestlog.New(&out, nil).Write(requestlog.Record{Service: "azure", Op: "unknown-host", Host: strings.Repeat("a", 1<<20), Path: "/\xff\n"})
	assert.Less(t, out.Len(), 1024)
	assert.True(t, json.Valid(out.Bytes()))
	assert.Equal(t, 1, strings.Count(out.String(), "\n"))
}

func TestAQueryShowsTheValuesOfKnownParametersOnly(t *testing.T) {
	t.Parallel()
	text := rand.Text()
	got := requestlog.Query(url.Values{"api-version": {"2018-02-01"}, "resource": {"https://vault.azure.net"}, "token": {text}})
	assert.Equal(t, "api-version=2018-02-01&resource=https://vault.azure.net&token=...", got)
}

func TestWhatIsAnsweredIsNoted(t *testing.T) {
	t.Parallel()
	var record requestlog.Record
	w := requestlog.Answer(httptest.NewRecorder(), &record)
	body := requestlog.Count(io.NopCloser(strings.NewReader("question")), &record)
	_, err := io.ReadAll(body)
	require.NoError(t, err)
	w.Header().Set("Retry-After", "7")
	w.WriteHeader(http.StatusTooManyRequests)
	_, err = w.Write([]byte("answer"))
	require.NoError(t, err)

	assert.Equal(t, requestlog.Record{Status: 429, RetryAfterS: 7, Bytes: 6, RequestBytes: 8}, record)
}

func TestMonotonicNeverGoesBack(t *testing.T) {
	t.Parallel()
	before := recording.Monotonic()
	assert.Positive(t, before)
	assert.GreaterOrEqual(t, recording.Monotonic(), before)
}

func TestAValueThatIsLearntLaterIsHiddenFromThenOn(t *testing.T) {
	t.Parallel()
	first, second := rand.Text(), rand.Text()
	var out bytes.Buffer
	log := requestlog.New(&out, map[string]string{"rotated": first})
	path := func(text string) any {
		out.Reset()
		log.Write(requestlog.Record{Path: "/" + text})
		var line map[string]any
		require.NoError(t, json.Unmarshal(out.Bytes(), &line))
		return line["path"]
	}
	require.Equal(t, "/"+second, path(second))

	log.Hide("rotated", second)
	assert.Equal(t, "/[secret:rotated]", path(second))
	assert.Equal(t, "/[secret:rotated]", path(first), "the earlier value is still one")
	log.Hide("other", second)
	assert.Equal(t, "/[secret:rotated]", path(second), "a value keeps its first name")
	log.Hide("tiny", "/v1")
	assert.Equal(t, "//v1", path("/v1"))
	third := rand.Text()
	log.Hide(first, third)
	assert.Equal(t, "/[secret:***]", path(third), "a name that is a value is not shown either")
}

func TestValuesAreLearntWhileLinesAreWritten(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := requestlog.New(&out, nil)
	var both sync.WaitGroup
	both.Go(func() {
		for range 100 {
			log.Hide("rotated", rand.Text())
		}
	})
	both.Go(func() {
		for range 100 {
			log.Write(requestlog.Record{Path: "/secrets/rotated"})
		}
	})
	both.Wait()
	assert.Equal(t, 100, strings.Count(out.String(), "\n"))
}
