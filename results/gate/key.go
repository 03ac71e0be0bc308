package gate

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	"github.com/secure-systems-lab/go-securesystemslib/signerverifier"
)

// Key signs certificates or, where it is a public one, verifies them.
type Key = dsse.SignerVerifier

// PrivateKey reads the key that signs: PEM, PKCS#8, Ed25519 or ECDSA, as
//
//	openssl genpkey -algorithm ed25519 -out key.pem
//
// makes it. No error shows anything of it.
func PrivateKey(pem []byte) (Key, error) {
	key, err := signerverifier.LoadKey(pem)
	if err != nil || key.KeyVal.Private == "" {
		return nil, errors.New("no private key in PEM (PKCS#8, Ed25519 or ECDSA)")
	}
	return signer(key)
}

// PublicKey reads the key that a certificate is verified by: PEM, as
//
//	openssl pkey -in key.pem -pubout -out key.pub.pem
//
// writes it.
func PublicKey(pem []byte) (Key, error) {
	key, err := signerverifier.LoadKey(pem)
	if err != nil {
		return nil, fmt.Errorf("no public key in PEM (Ed25519 or ECDSA): %w", err)
	}
	if key.KeyVal.Private != "" {
		return nil, errors.New("this is a private key, which stays with the gate: expected its public half (openssl pkey -in key.pem -pubout)")
	}
	return signer(key)
}

// signer names the key by the SHA-256 of its public half, DER, in hex.
func signer(key *signerverifier.SSLibKey) (Key, error) {
	var s Key
	var err error
	load := func() (Key, error) {
		switch key.KeyType {
		case signerverifier.ED25519KeyType:
			return signerverifier.NewED25519SignerVerifierFromSSLibKey(key)
		case signerverifier.ECDSAKeyType:
			return signerverifier.NewECDSASignerVerifierFromSSLibKey(key)
		}
		return nil, fmt.Errorf("a key of type %s: expected Ed25519 or ECDSA", key.KeyType)
	}
	if s, err = load(); err != nil {
		return nil, err
	}
	if key.KeyID, err = keyID(s.Public()); err != nil {
		return nil, err
	}
	return load()
}

func keyID(public crypto.PublicKey) (string, error) {
	switch public.(type) {
	case ed25519.PublicKey, *ecdsa.PublicKey:
	default:
		return "", fmt.Errorf("a key of type %T: expected Ed25519 or ECDSA", public)
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:]), nil
}
