package recording

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.String()
}

func zstandard(t *testing.T, text string) string {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	return string(w.EncodeAll([]byte(text), nil))
}

// wrapped breaks text into lines, as base64(1) and xxd(1) do.
func wrapped(text string, width int) string {
	var b strings.Builder
	for ; len(text) > width; text = text[width:] {
		b.WriteString(text[:width] + "\n")
	}
	return b.String() + text + "\n"
}

func TestASecretIsFoundInWhateverForm(t *testing.T) {
	t.Parallel()
	value := "xaat-" + newSecret()
	whole := "# vector.env\nAXIOM_PLATFORM_TOKEN=" + value + "\nOPENCOMPUTER_CELL_ID=cell-1\n"
	b64 := base64.StdEncoding.EncodeToString
	spoken := map[string]string{
		"as it is":                       "token " + value,
		"in JSON":                        `{"token":"` + value + `"}`,
		"in hex":                         hex.EncodeToString([]byte(whole)),
		"in HEX":                         strings.ToUpper(hex.EncodeToString([]byte(whole))),
		"in hex, broken into lines":      wrapped(hex.EncodeToString([]byte(whole)), 60),
		"as systemd escapes it":          "vk@" + strings.ReplaceAll(value, "-", `\x2d`) + ".service",
		"the whole file in base64":       b64([]byte(whole)),
		"the same, broken into lines":    wrapped(b64([]byte(whole)), 76),
		"the whole file in base64url":    base64.RawURLEncoding.EncodeToString([]byte(whole)),
		"the file in gzip":               gzipped(t, whole),
		"twice in gzip":                  gzipped(t, whole) + " and " + gzipped(t, whole),
		"in gzip and before in base64":   b64([]byte(gzipped(t, whole))) + " and " + gzipped(t, whole),
		"the file in zstd":               zstandard(t, whole),
		"the file in gzip within others": "tar header\x00" + gzipped(t, whole) + "trailer",
		"gzip in base64":                 b64([]byte(gzipped(t, whole))),
		"gzip in base64, in lines":       wrapped(b64([]byte(gzipped(t, whole))), 76),
		"zstd in base64":                 b64([]byte(zstandard(t, whole))),
		"zstd in gzip":                   gzipped(t, zstandard(t, whole)),
	}
	for before := range 6 {
		spoken[fmt.Sprintf("in base64 after %d bytes", before)] = b64([]byte(strings.Repeat("<", before) + value + ">>"))
	}
	r := NewRedactor(map[string]string{"token": value, "other": "xaat-" + newSecret()})
	for name, text := range spoken {
		assert.Equal(t, []string{"token"}, r.Find([]byte(text)), name)
		clean := string(r.Bytes([]byte(text)))
		assert.Contains(t, clean, "[secret:token]", name)
		assert.Empty(t, r.Find([]byte(clean)), name)
	}
}

func TestAnIdentitysTokenIsFoundThoughNobodyNamedIt(t *testing.T) {
	t.Parallel()
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	token := imdsPrefix + hex.EncodeToString(b) + "-MTc2NTg4.abc"
	r := NewRedactor(nil)
	for name, text := range map[string]string{
		"as it is": `{"access_token":"` + token + `"}`, "in base64": base64.StdEncoding.EncodeToString([]byte("Bearer " + token)),
		"in hex": hex.EncodeToString([]byte(token)), "in gzip": gzipped(t, token),
	} {
		assert.Equal(t, []string{IdentityToken}, r.Find([]byte(text)), name)
		assert.NotContains(t, string(r.Bytes([]byte(text))), hex.EncodeToString(b), name)
	}
}

func TestWhatIsNoSecretIsLeftAlone(t *testing.T) {
	t.Parallel()
	r := NewRedactor(map[string]string{"token": "xaat-" + newSecret(), "short": "a", "empty": ""})
	noise := make([]byte, 1<<20)
	_, _ = rand.Read(noise)
	for name, text := range map[string]string{
		"gzip of something else": gzipped(t, "nothng of it, twice: nothng"), "what only begins like gzip": "\x1f\x8b\x08 no",
		"base64 that only begins like it": "H4sIx3Rvd2VyIG9m", "a JWT's head": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9",
		"another token's form": "xaat-[token]",
	} {
		if name != "another token's form" {
			assert.NotContains(t, r.Find([]byte(text)), "token", name)
		}
		assert.NotContains(t, string(r.Bytes([]byte(text))), "[secret:token]", name)
	}
	assert.NotContains(t, r.Find(noise), "token")
}
