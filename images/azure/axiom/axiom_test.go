package axiom_test

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images/azure/axiom"
	"bootrace/images/azure/bearer"
	"bootrace/images/azure/requestlog"
)

const (
	ndjson = "application/x-ndjson"
	array  = "application/json"
	two    = "{\"source\":\"boot-logger\",\"seq\":1}\n{\"message\":\"{\\\"source\\\":\\\"boot-logger\\\",\\\"seq\\\":2}\"}\n"
)

// organisation has two tokens, each for one dataset.
type organisation struct {
	service        *axiom.Service
	logs, metrics  string
	contentType    string
	encoding       string
	authentication string
}

func newOrganisation() organisation {
	o := organisation{logs: "xaat-" + rand.Text(), metrics: "xaat-" + rand.Text()}
	o.service = axiom.New(map[string][]string{o.logs: {"logs"}, o.metrics: {"metrics"}},
		map[string]string{"platform-token": o.logs, "empty": ""}, map[string]string{"OPENCOMPUTER_CELL_ID": "cell-7", "OPENSANDBOX_REGION": ""})
	o.contentType, o.authentication = ndjson, "Bearer "+o.logs
	return o
}

func (o organisation) post(target string, body io.Reader) (*httptest.ResponseRecorder, requestlog.Record) {
	r := httptest.NewRequest(http.MethodPost, "https://api.axiom.co"+target, body)
	for name, value := range map[string]string{"Content-Type": o.contentType, "Content-Encoding": o.encoding, "Authorization": o.authentication} {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	var rec requestlog.Record
	w := httptest.NewRecorder()
	o.service.Identify(r, &rec)
	o.service.Serve(w, r, &rec)
	return w, rec
}

func TestABatchIsTakenInEveryEncoding(t *testing.T) {
	t.Parallel()
	asArray := "[" + strings.ReplaceAll(strings.TrimSpace(two), "\n", ",") + "]"
	tests := map[string]struct {
		contentType, encoding, body string
		compress                    func(io.Writer) io.WriteCloser
	}{
		"lines as they are":        {ndjson, "", two, nil},
		"lines called identity":    {ndjson, "identity", two, nil},
		"lines with zstd":          {ndjson, "zstd", two, newZstd},
		"lines with gzip":          {ndjson, "gzip", two, newGzip},
		"an array as it is":        {array, "", asArray, nil},
		"an array with a charset":  {array + "; charset=utf-8", "", asArray, nil},
		"an array with zstd":       {array, "zstd", asArray, newZstd},
		"an array with gzip":       {array, "gzip", asArray, newGzip},
		"lines between blank ones": {ndjson, "", "\n" + two + "\r\n\n", nil},
		"lines without a last end": {ndjson, "", strings.TrimSuffix(two, "\n"), nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOrganisation()
			o.contentType, o.encoding = tt.contentType, tt.encoding
			w, rec := o.post("/v1/datasets/logs/ingest", compressed(t, tt.body, tt.compress))

			require.Equal(t, http.StatusOK, w.Code, w.Body.String())
			var got map[string]any
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
			assert.Equal(t, 2.0, got["ingested"])
			assert.Equal(t, 0.0, got["failed"])
			assert.Equal(t, []any{}, got["failures"])
			assert.InDelta(t, len(tt.body), got["processedBytes"], 1, "of the body before compression")
			assert.Equal(t, "logs", rec.Dataset)
			assert.Equal(t, "ingest", rec.Op)
			assert.Equal(t, "platform-token", rec.TokenName)
			assert.Equal(t, bearer.OK, rec.Auth)
			assert.Equal(t, 2, rec.Events)
			assert.Equal(t, map[string]string{"boot-logger": "1-2"}, rec.Lines)
		})
	}
}

func TestABatchIsRefusedAndItsLinesAreStillNoted(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		target, authorization string
		status                int
		auth                  bearer.Auth
	}{
		"without a token":           {"/v1/datasets/logs/ingest", "none", 401, bearer.None},
		"with a stub's empty token": {"/v1/datasets/logs/ingest", "Bearer ", 401, bearer.Empty},
		"with a variable's name":    {"/v1/datasets/logs/ingest", "Bearer ${AXIOM_PLATFORM_TOKEN}", 403, bearer.Literal},
		"with a token of nobody":    {"/v1/datasets/logs/ingest", "Bearer " + rand.Text(), 403, bearer.Wrong},
		"with another scheme":       {"/v1/datasets/logs/ingest", "Basic " + rand.Text(), 403, bearer.Wrong},
		"into another's dataset":    {"/v1/datasets/metrics/ingest", "", 403, bearer.OK},
		"into no dataset":           {"/v1/datasets/nothing/ingest", "", 404, bearer.OK},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOrganisation()
			switch tt.authorization {
			case "":
			case "none":
				o.authentication = ""
			default:
				o.authentication = tt.authorization
			}
			w, rec := o.post(tt.target, strings.NewReader(two))
			assert.Equal(t, tt.status, w.Code)
			assert.Equal(t, tt.auth, rec.Auth)
			assert.Equal(t, map[string]string{"boot-logger": "1-2"}, rec.Lines)
			assert.Equal(t, 2, rec.Events)
			assertError(t, w)
		})
	}
}

func TestABodyThatIsNoBatchIsRefused(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		contentType, encoding string
		body                  io.Reader
		status                int
	}{
		"broken JSON":                    {ndjson, "", strings.NewReader("{\"a\":1}\n{\"a\""), 400},
		"an array cut short":             {array, "", strings.NewReader(`[{"a":1}`), 400},
		"an object for an array":         {array, "", strings.NewReader(`{"a":1}`), 400},
		"two arrays":                     {array, "", strings.NewReader(`[{"a":1}][]`), 400},
		"nothing for an array":           {array, "", strings.NewReader(""), 400},
		"another type":                   {"text/csv", "", strings.NewReader("a,b"), 400},
		"no type":                        {"", "", strings.NewReader("{}"), 400},
		"another encoding":               {ndjson, "br", strings.NewReader("{}"), 400},
		"gzip that is none":              {ndjson, "gzip", strings.NewReader("{}"), 400},
		"zstd that is none":              {ndjson, "zstd", strings.NewReader("{}"), 400},
		"zstd cut short":                 {ndjson, "zstd", cut(compressed(t, two, newZstd)), 400},
		"an event larger than any":       {ndjson, "", io.LimitReader(zeros{}, 2<<20), 413},
		"a body larger than any":         {ndjson, "", io.LimitReader(blanks{}, 17<<20), 413},
		"a bomb in an array":             {array, "gzip", compressedStream(t, io.LimitReader(blanks{}, 33<<20), newGzip), 413},
		"a bomb":                         {ndjson, "gzip", compressedStream(t, io.LimitReader(blanks{}, 33<<20), newGzip), 413},
		"a bomb in zstd":                 {ndjson, "zstd", compressedStream(t, io.LimitReader(blanks{}, 33<<20), newZstd), 413},
		"JSON with nothing that ends it": {array, "", io.LimitReader(opens{}, 1<<20), 400},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o := newOrganisation()
			o.contentType, o.encoding = tt.contentType, tt.encoding
			w, rec := o.post("/v1/datasets/logs/ingest", tt.body)
			assert.Equal(t, tt.status, w.Code, w.Body.String())
			assert.NotEmpty(t, rec.Error)
			assertError(t, w)
		})
	}
}

func TestAnEventThatIsNoObjectFailsAlone(t *testing.T) {
	t.Parallel()
	w, rec := newOrganisation().post("/v1/datasets/logs/ingest", strings.NewReader("1\n{\"source\":\"s\",\"seq\":7}\n"+strings.Repeat("[]\n", 50)))
	require.Equal(t, http.StatusOK, w.Code)
	var got struct {
		Ingested, Failed int
		Failures         []struct{ Error, Timestamp string }
	}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
	assert.Equal(t, 1, got.Ingested)
	assert.Equal(t, 51, got.Failed)
	assert.Len(t, got.Failures, 10, "what is told is bounded")
	assert.NotEmpty(t, got.Failures[0].Error)
	assert.Equal(t, 52, rec.Events)
}

func TestWhatIsNoIngestIsNotFound(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"/", "/v1/datasets", "/v1/datasets//ingest", "/v1/datasets/a/b/ingest", "/v1/datasets/ingest", "/v2/datasets/logs/ingest"} {
		w, rec := newOrganisation().post(target, nil)
		assert.Equal(t, http.StatusNotFound, w.Code, target)
		assert.Equal(t, "unknown", rec.Op)
		assertError(t, w)
	}
}

func assertError(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	var got struct {
		Code    int
		Message string
	}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
	assert.Equal(t, w.Code, got.Code)
	assert.NotEmpty(t, got.Message)
	assert.NotEmpty(t, w.Header().Get("X-Axiom-Trace-Id"))
}

func newGzip(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }

func newZstd(w io.Writer) io.WriteCloser {
	encoder, err := zstd.NewWriter(w)
	if err != nil {
		panic(err) // no option was given that could be wrong
	}
	return encoder
}

func compressed(t *testing.T, body string, with func(io.Writer) io.WriteCloser) *bytes.Buffer {
	t.Helper()
	return compressedStream(t, strings.NewReader(body), with)
}

func compressedStream(t *testing.T, body io.Reader, with func(io.Writer) io.WriteCloser) *bytes.Buffer {
	t.Helper()
	var b bytes.Buffer
	if with == nil {
		_, err := io.Copy(&b, body)
		require.NoError(t, err)
		return &b
	}
	w := with(&b)
	_, err := io.Copy(w, body)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return &b
}

func cut(b *bytes.Buffer) io.Reader { b.Truncate(b.Len() - 3); return b }

// Endless bodies.
type (
	zeros  struct{}
	blanks struct{}
	opens  struct{}
)

func (zeros) Read(p []byte) (int, error) { return fill(p, '0') }
func (opens) Read(p []byte) (int, error) { return fill(p, '[') }

// Read fills p with one blank line.
func (blanks) Read(p []byte) (int, error) {
	n, err := fill(p, ' ')
	p[n-1] = '\n'
	return n, err
}

func fill(p []byte, b byte) (int, error) {
	for i := range p {
		p[i] = b
	}
	return len(p), nil
}
