package axiom

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// encoder joins lines by newlines and compresses them as they come. It is used again for every batch.
type encoder struct {
	out bytes.Buffer
	w   compressor
}

type compressor interface {
	io.WriteCloser
	Reset(io.Writer)
}

func newEncoder(compression string) (*encoder, error) {
	e := &encoder{}
	switch compression {
	case "zstd":
		// The library's defaults take 8 MB and a goroutine a core; a batch compresses well enough with a small window.
		w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true),
			zstd.WithWindowSize(128<<10), zstd.WithEncoderLevel(zstd.SpeedFastest))
		if err != nil {
			return nil, fmt.Errorf("zstd: %w", err)
		}
		e.w = w
	case "gzip":
		e.w = gzip.NewWriter(nil)
	case "zlib":
		e.w = zlib.NewWriter(nil)
	case "none":
		e.w = &plain{}
	default:
		return nil, fmt.Errorf("unknown compression")
	}
	return e, nil
}

func (e *encoder) reset() {
	if e.out.Cap() > 256<<10 {
		e.out = bytes.Buffer{} // a backlog's: not to be kept for the rest of the day
	}
	e.out.Reset()
	e.w.Reset(&e.out)
}

func (e *encoder) add(line []byte) error {
	if _, err := e.w.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("compress: %w", err)
	}
	return nil
}

// finish returns the body, which holds until the next reset.
func (e *encoder) finish() ([]byte, error) {
	if err := e.w.Close(); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	return e.out.Bytes(), nil
}

type plain struct{ io.Writer }

func (p *plain) Reset(w io.Writer) { p.Writer = w }
func (p *plain) Close() error      { return nil }
