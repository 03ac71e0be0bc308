package gate_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"testing"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/results/gate"
	"bootrace/results/gate/gatetest"
)

// pair is a new key, and its two halves as PEM.
func pair(t *testing.T, private any, public any) (key, verifier gate.Key) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	key, err = gate.PrivateKey(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	require.NoError(t, err)
	der, err = x509.MarshalPKIXPublicKey(public)
	require.NoError(t, err)
	verifier, err = gate.PublicKey(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	require.NoError(t, err)
	return key, verifier
}

func edwards(t *testing.T) (key, verifier gate.Key) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	return pair(t, private, public)
}

func TestOnlyTheKeyThatSignedVerifies(t *testing.T) {
	t.Parallel()
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	type half struct{ key, public gate.Key }
	var halves []half
	for range 2 {
		key, public := edwards(t)
		halves = append(halves, half{key, public})
	}
	for _, k := range []*ecdsa.PrivateKey{p256, p384} {
		key, public := pair(t, k, k.Public())
		halves = append(halves, half{key, public})
	}
	s := gatetest.Passing()
	for i, signs := range halves {
		file := sign(t, s, signs.key)
		for j, reads := range halves {
			_, err := gate.Verify(t.Context(), file, []gate.Key{reads.public}, gate.Wanted{}, s.Now)
			assert.Equal(t, i == j, err == nil, "signed by %d, read with %d: %v", i, j, err)
		}
	}
	_, err = gate.Verify(t.Context(), sign(t, s, halves[2].key), []gate.Key{halves[0].public, halves[2].public}, gate.Wanted{}, s.Now)
	assert.NoError(t, err, "one of several keys will do")
	_, err = gate.Verify(t.Context(), sign(t, s, halves[2].key), nil, gate.Wanted{}, s.Now)
	assert.Error(t, err, "no key will not")
	// The id is not believed: a file that names the key and is signed by another.
	file := sign(t, s, liar{halves[0].key, halves[1].public})
	_, err = gate.Verify(t.Context(), file, []gate.Key{halves[1].public}, gate.Wanted{}, s.Now)
	assert.ErrorContains(t, err, "its signature is not by key")
}

// liar signs with one key and says it was the other.
type liar struct {
	dsse.Signer
	named dsse.Verifier
}

func (l liar) KeyID() (string, error) { return l.named.KeyID() }

func TestAKeyThatIsNoneIsRefusedAndNotShown(t *testing.T) {
	t.Parallel()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	pkix, err := x509.MarshalPKIXPublicKey(public)
	require.NoError(t, err)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	rsaDER, err := x509.MarshalPKCS8PrivateKey(rsaKey)
	require.NoError(t, err)
	block := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	damaged := bytes.Replace(block("PRIVATE KEY", pkcs8), []byte("MC4C"), []byte("MC4D"), 1)
	for name, text := range map[string][]byte{
		"nothing": nil, "text": []byte("a key"), "a public one": block("PUBLIC KEY", pkix), "one of RSA": block("PRIVATE KEY", rsaDER), "a damaged one": damaged,
	} {
		_, err := gate.PrivateKey(text)
		require.Error(t, err, name)
		assert.NotContains(t, err.Error(), "MC4", name)
	}
	for name, text := range map[string][]byte{"nothing": nil, "text": []byte("a key"), "a private one": block("PRIVATE KEY", pkcs8)} {
		_, err := gate.PublicKey(text)
		assert.Error(t, err, name)
	}
}
