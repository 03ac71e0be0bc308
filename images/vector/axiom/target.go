package axiom

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"bootrace/images/vector/config"
	"bootrace/images/vector/tracing"
)

const defaultURL = "https://api.axiom.co"

// target is where requests go, and what they all carry.
type target struct {
	url    *url.URL
	header http.Header
}

func newTarget(cfg config.Axiom, userAgent string, log *slog.Logger) (target, error) {
	u, err := Endpoint(cfg)
	if err != nil {
		return target{}, err
	}
	header := http.Header{
		"Content-Type": {"application/x-ndjson"},
		"User-Agent":   {userAgent},
	}
	switch cfg.Compression {
	case "none":
	case "zlib":
		header.Set("Content-Encoding", "deflate")
	default:
		header.Set("Content-Encoding", cfg.Compression)
	}
	if cfg.OrgID != "" {
		header.Set("X-Axiom-Org-Id", cfg.OrgID)
	}
	for name, value := range cfg.Headers {
		if !headerValue(value) || !headerName(name) {
			return target{}, fmt.Errorf("invalid header %q in `request.headers`", name)
		}
		header.Set(name, value)
	}
	// A token that no header can hold is no error to Vector: it goes on without one, and is answered 401.
	if value := "Bearer " + cfg.Token; headerValue(value) {
		header.Set("Authorization", value)
	} else {
		log.Error("Invalid bearer token.", tracing.Target("vector::http"))
	}
	return target{url: u, header: header}, nil
}

// headerValue reports whether a header can hold the text (RFC 9110, 5.5). x/net/http/httpguts asks the same and brings
// a second copy of the IDNA tables into the program.
func headerValue(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) < 0
}

func headerName(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r) }) < 0
}

// Endpoint is the URL batches are sent to: a url with a path is used as it is, and nothing in the dataset is escaped,
// so that an empty one gives `/v1/datasets//ingest`.
func Endpoint(cfg config.Axiom) (*url.URL, error) {
	base := cfg.URL
	switch {
	case base != "" && cfg.Region != "":
		//lint:ignore ST1005 Vector's words
		return nil, errors.New("Cannot set both `url` and `region`. Please use only one.")
	case cfg.Region != "":
		return parse("https://" + strings.TrimRight(cfg.Region, "/") + "/v1/ingest/" + cfg.Dataset)
	case base == "":
		base = defaultURL
	}
	base = strings.TrimRight(base, "/")
	u, err := parse(base)
	if err != nil {
		return nil, err
	}
	if u.Path != "" {
		return u, nil
	}
	return parse(base + "/v1/datasets/" + cfg.Dataset + "/ingest")
}

// parse refuses what Vector's URI parser does. Its error says no more than Vector's, for the text may be a secret's.
func parse(text string) (*url.URL, error) {
	bad := strings.IndexFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f })
	u, err := url.Parse(text)
	if err != nil || bad >= 0 || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("invalid uri character")
	}
	return u, nil
}

func (s *Sink) send(ctx context.Context, body []byte) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.RequestTimeout)
	defer cancel()
	return s.do(ctx, http.MethodPost, s.target.url.String(), bytes.NewReader(body))
}

func (s *Sink) do(ctx context.Context, method, url string, body io.Reader) (int, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return 0, err
	}
	for name, values := range s.target.header {
		req.Header[name] = values
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	// Read to the end, within reason, so that the connection can be used again.
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	return resp.StatusCode, nil
}

// Healthcheck asks uri as Vector does; without one the axiom sink has no health check at all.
func (s *Sink) Healthcheck(ctx context.Context, uri string) error {
	if uri == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.RequestTimeout)
	defer cancel()
	status, err := s.do(ctx, http.MethodHead, uri, nil)
	if err != nil {
		return errors.New(describe(err))
	}
	if status != http.StatusOK {
		//lint:ignore ST1005 Vector's words
		return fmt.Errorf("Unexpected status: %d %s", status, http.StatusText(status))
	}
	return nil
}
