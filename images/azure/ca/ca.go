// Package ca makes the authority that vouches for the emulated cloud: a new one
// for each image build, trusted by the worker images built beside it, and short
// leaf certificates for the hosts that the cloud plays.
//
//	cert, key, err := ca.New()            // at image build
//	authority, err := ca.Load(cert, key)  // in the cloud
//	leaf, err := authority.Leaf("api.axiom.co")
//
// It is no certificate manager: nothing is revoked, renewed or stored.
package ca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// A worker image is built on one clock and boots on another (a VM's clock starts
// where the scenario says), so both ends are generous.
const (
	skew     = 48 * time.Hour
	lifetime = 10 * 365 * 24 * time.Hour
)

// New makes an authority and returns its certificate and its key as PEM.
func New() (certPEM, keyPEM []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("make the authority's key: %w", err)
	}
	serial, err := serialNumber()
	if err != nil {
		return nil, nil, err
	}
	now := time.Now().UTC().Truncate(time.Second)
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{Organization: []string{"bootrace"}, CommonName: "bootrace cloud " + serial.Text(16)[:8]},
		NotBefore:             now.Add(-skew),
		NotAfter:              now.Add(lifetime),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, nil, fmt.Errorf("sign the authority's certificate: %w", err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, fmt.Errorf("encode the authority's key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), nil
}

// Authority signs leaf certificates.
type Authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// Load reads an authority that New made.
func Load(certPEM, keyPEM []byte) (*Authority, error) {
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, fmt.Errorf("read the authority: %w", err)
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("read the authority: its key is a %T, not an ECDSA key", pair.PrivateKey)
	}
	if !pair.Leaf.IsCA {
		return nil, errors.New("read the authority: its certificate may not sign others")
	}
	return &Authority{cert: pair.Leaf, key: key}, nil
}

// Leaf makes a server certificate for one host name, with a key of its own.
func (a *Authority) Leaf(host string) (*tls.Certificate, error) {
	return a.leaf(host, a.cert.NotAfter)
}

// Expired makes one that was good until a day ago.
func (a *Authority) Expired(host string) (*tls.Certificate, error) {
	return a.leaf(host, time.Now().Add(-24*time.Hour))
}

func (a *Authority) leaf(host string, notAfter time.Time) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key for %s: %w", host, err)
	}
	serial, err := serialNumber()
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: commonName(host)},
		DNSNames:     []string{host},
		NotBefore:    a.cert.NotBefore,
		NotAfter:     notAfter,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		return nil, fmt.Errorf("sign a certificate for %s: %w", host, err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read the certificate for %s: %w", host, err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}

// commonName shortens a name to what a certificate holds: RFC 5280 appendix A.1,
// ub-common-name is 64. Clients read the alternative names instead.
func commonName(host string) string {
	if len(host) <= 64 {
		return host
	}
	return fmt.Sprintf("%x", sha256.Sum256([]byte(host)))
}

// serialNumber is 127 random bits: positive and at most 20 octets, RFC 5280
// section 4.1.2.2. The top bit is set so that it always prints in full.
func serialNumber() (*big.Int, error) {
	limit := new(big.Int).Lsh(big.NewInt(1), 126)
	n, err := rand.Int(rand.Reader, limit)
	if err != nil {
		return nil, fmt.Errorf("make a serial number: %w", err)
	}
	return n.Add(n, limit), nil
}
