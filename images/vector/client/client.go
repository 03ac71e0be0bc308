// Package client makes the HTTP clients of the components that have one: Vector's, as far as its tls and proxy options go.
package client

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"bootrace/images/vector/config"
)

// New returns a client that follows no redirect. A proxy section goes before HTTP_PROXY and its kin.
func New(t config.TLS, p config.Proxy) (*http.Client, error) {
	transport := &http.Transport{
		Proxy: proxy(p),
		// Vector speaks HTTP/1.1 here: its client offers no ALPN unless `tls.alpn_protocols` asks for it.
		Protocols:           new(http.Protocols),
		MaxIdleConnsPerHost: 1,
		WriteBufferSize:     4 << 10,
		ReadBufferSize:      4 << 10,
	}
	transport.Protocols.SetHTTP1(true)
	var err error
	if transport.TLSClientConfig, err = settings(t); err != nil {
		return nil, err
	}
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// settings are nil where nothing is asked for, so that the trusted certificates are read at the first connection only.
func settings(t config.TLS) (*tls.Config, error) {
	if t.VerifyCertificate && t.VerifyHostname && t.CAFile == "" && t.CertFile == "" && t.ServerName == "" {
		return nil, nil
	}
	c := &tls.Config{ServerName: t.ServerName}
	if t.CAFile != "" {
		pem, err := inlineOr(t.CAFile)
		if err != nil {
			//lint:ignore ST1005 Vector's words
			return nil, fmt.Errorf("Could not open ca_file: %w", err)
		}
		// In place of the system's: vector-core's tls/settings.rs makes a new store of it.
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			//lint:ignore ST1005 Vector's words
			return nil, errors.New("Could not parse the certificate of ca_file")
		}
	}
	if t.CertFile != "" {
		cert, err := inlineOr(t.CertFile)
		if err != nil {
			//lint:ignore ST1005 Vector's words
			return nil, fmt.Errorf("Could not open crt_file: %w", err)
		}
		key, err := inlineOr(t.KeyFile)
		if err != nil {
			//lint:ignore ST1005 Vector's words
			return nil, fmt.Errorf("Could not open key_file: %w", err)
		}
		pair, err := tls.X509KeyPair(cert, key)
		if err != nil {
			return nil, errors.New("crt_file and key_file are no pair")
		}
		c.Certificates = []tls.Certificate{pair}
	}
	if !t.VerifyCertificate || !t.VerifyHostname {
		c.InsecureSkipVerify = true
		if t.VerifyCertificate {
			c.VerifyConnection = func(state tls.ConnectionState) error { return chain(state, c.RootCAs) }
		}
	}
	return c, nil
}

// chain checks everything but the name.
func chain(state tls.ConnectionState, roots *x509.CertPool) error {
	if len(state.PeerCertificates) == 0 {
		return errors.New("no certificate")
	}
	rest := x509.NewCertPool()
	for _, c := range state.PeerCertificates[1:] {
		rest.AddCert(c)
	}
	_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: rest})
	return err
}

// inlineOr: a certificate may be given as text in the place of its file's name.
func inlineOr(s string) ([]byte, error) {
	if strings.HasPrefix(strings.TrimSpace(s), "-----BEGIN ") {
		return []byte(s), nil
	}
	return os.ReadFile(s)
}

func proxy(p config.Proxy) func(*http.Request) (*url.URL, error) {
	if !p.Enabled || p.HTTP == "" && p.HTTPS == "" {
		return http.ProxyFromEnvironment
	}
	return func(r *http.Request) (*url.URL, error) {
		host := r.URL.Hostname()
		if slices.ContainsFunc(p.NoProxy, func(s string) bool {
			s = strings.TrimPrefix(s, "*")
			return s == "" || host == s || strings.HasSuffix(host, "."+strings.TrimPrefix(s, "."))
		}) {
			return nil, nil
		}
		at := p.HTTP
		if r.URL.Scheme == "https" {
			at = p.HTTPS
		}
		if at == "" {
			return nil, nil
		}
		return url.Parse(at)
	}
}
