package recording

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// How many characters of an encoding are looked for at once. base64(1) and xxd(1)
// break their lines, at 76 and 60 characters, and in a journal each line is an entry:
// of two pieces one is whole. So many stand for 15 bytes, which no other text has by chance.
const (
	base64Piece = 20
	hexPiece    = 30
)

// shortest is how many characters of an encoding are enough to be no chance.
const shortest = 12

// forms are the ways in which a value may have been written: as it is, as JSON, a URL
// and systemd-escape(1) write it, in hex, and in base64 wherever in the encoded text
// it stood.
func forms(value string) [][]byte {
	out := []string{value, url.QueryEscape(value), url.PathEscape(value), strings.ReplaceAll(value, "-", `\x2d`)}
	if quoted, err := json.Marshal(value); err == nil { // a string always marshals
		out = append(out, string(quoted[1:len(quoted)-1]))
	}
	digits := hex.EncodeToString([]byte(value))
	out = append(out, pieces(digits, hexPiece)...)
	out = append(out, pieces(strings.ToUpper(digits), hexPiece)...)
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		for before := range 3 {
			text := encoding.EncodeToString(append(make([]byte, before), value...))
			// RFC 4648: 6 bits a character; the first and the last may hold those of others.
			out = append(out, pieces(text[(before*8+5)/6:(before+len(value))*8/6], base64Piece)...)
		}
	}
	slices.Sort(out)
	var texts [][]byte
	for _, text := range slices.Compact(out) {
		texts = append(texts, []byte(text))
	}
	return texts
}

// pieces cuts an encoding into parts of a length or somewhat more.
func pieces(text string, size int) []string {
	if len(text) < shortest {
		return nil
	}
	n := max(1, len(text)/size)
	var out []string
	for i := range n {
		out = append(out, text[i*len(text)/n:(i+1)*len(text)/n])
	}
	return out
}

// content is what was compressed in a stretch of data.
type content struct {
	from, to int
	content  []byte
}

const (
	maxDepth    = 2        // compressed within compressed
	maxStreams  = 16       // looked into, of one file or line
	maxUnpacked = 16 << 20 // bytes of each
)

var (
	gzipMagic = []byte{0x1f, 0x8b, 8}          // RFC 1952, section 2.3.1; 8 is the one method
	zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd} // RFC 8878, section 3.1.1
	// Both as base64 begins with them.
	gzipText, zstdText = []byte("H4sI"), []byte("KLUv/")
)

// shortestStream is how many characters of base64 a compressed stream has at least.
const shortestStream = 20

// packed finds what is compressed in data, by gzip or zstd, as it is or in base64.
func packed(data []byte, depth int) []content {
	var out []content
	add := func(from, to int, stream []byte) {
		plain := unpack(stream)
		if len(plain) == 0 {
			return
		}
		out = append(out, content{from, to, plain})
		if depth > 1 {
			for _, inner := range packed(plain, depth-1) {
				out = append(out, content{from, to, inner.content})
			}
		}
	}
	for _, magic := range [][]byte{gzipMagic, zstdMagic} {
		for at, n := 0, 0; n < maxStreams; n++ {
			i := bytes.Index(data[at:], magic)
			if i < 0 {
				break
			}
			add(at+i, len(data), data[at+i:])
			at += i + len(magic)
		}
	}
	for _, begin := range [][]byte{gzipText, zstdText} {
		for at, n := 0, 0; n < maxStreams; n++ {
			i := bytes.Index(data[at:], begin)
			if i < 0 {
				break
			}
			from := at + i
			to := from + base64Length(data[from:])
			at = to
			if to-from < shortestStream {
				continue
			}
			text := strings.TrimRight(strings.NewReplacer("\r", "", "\n", "").Replace(string(data[from:to])), "=")
			if stream, err := base64.RawStdEncoding.DecodeString(text); err == nil {
				add(from, to, stream)
			}
		}
	}
	return out
}

// base64Length is how far base64 goes, broken into lines or not.
func base64Length(data []byte) int {
	for i, c := range data {
		switch {
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '+', c == '/', c == '=', c == '\r', c == '\n':
		default:
			return i
		}
	}
	return len(data)
}

// unpack returns as much of a compressed stream as can be had: it may be cut off.
func unpack(stream []byte) []byte {
	var r io.Reader
	if bytes.HasPrefix(stream, gzipMagic) {
		zr, err := gzip.NewReader(bytes.NewReader(stream))
		if err != nil {
			return nil
		}
		r = zr
	} else {
		zr, err := zstd.NewReader(bytes.NewReader(stream), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxUnpacked))
		if err != nil {
			return nil
		}
		defer zr.Close()
		r = zr
	}
	plain, _ := io.ReadAll(io.LimitReader(r, maxUnpacked))
	return plain
}
