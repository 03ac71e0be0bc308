package axiom

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// Bounds of one request. Vector's batches are at most 10 MB before compression;
// Axiom takes events of up to 1 MB ("Limits and requirements").
const (
	maxSent   = 16 << 20
	maxPlain  = 32 << 20
	maxEvent  = 1 << 20
	maxWindow = 8 << 20 // RFC 8878, section 3.1.1.1.2: what decoders should support
)

// decoded returns a request's body without its content encoding.
func decoded(r *http.Request) (io.ReadCloser, error) {
	sent := &bounded{r: r.Body, left: maxSent}
	switch encoding := strings.ToLower(r.Header.Get("Content-Encoding")); encoding {
	case "", "identity":
		return io.NopCloser(sent), nil
	case "gzip":
		plain, err := gzip.NewReader(sent)
		if err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		return io.NopCloser(&bounded{r: plain, left: maxPlain}), nil
	case "zstd":
		// One request is decoded at a time on few cores: no read-ahead, small buffers.
		plain, err := zstd.NewReader(sent, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderMaxMemory(maxPlain))
		if err != nil {
			return nil, fmt.Errorf("zstd: %w", err)
		}
		return closing{Reader: &bounded{r: plain, left: maxPlain}, close: plain.Close}, nil
	default:
		return nil, &refusal{http.StatusBadRequest, fmt.Sprintf("unsupported content encoding %q", encoding)}
	}
}

type closing struct {
	io.Reader
	close func()
}

func (c closing) Close() error { c.close(); return nil }

// bounded is io.LimitedReader with an error of its own at the limit: a body that
// was cut must not be taken for a whole one.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, &refusal{http.StatusRequestEntityTooLarge, "payload too large"}
	}
	// One byte more than is left tells a body that ends there from a longer one.
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.r.Read(p)
	b.left -= int64(n)
	return n, err
}
