package main

import (
	"crypto/tls"
	"strings"
	"sync"

	"bootrace/images/azure/ca"
	"bootrace/images/azure/requestlog"
)

// Operations of the cloud itself, as the request log names them.
const (
	opUnknownHost = "unknown-host"
	opTLSError    = "tls-error"
	opHTTPError   = "http-error"
)

// certificates mints a leaf for each known host when it is first asked for.
type certificates struct {
	authority *ca.Authority
	hosts     map[string]service
	log       *requestlog.Log

	mu     sync.Mutex
	minted map[string]*tls.Certificate
}

// get is tls.Config.GetCertificate. For an unknown name, or none, it has no
// certificate: crypto/tls then sends the alert unrecognized_name, RFC 6066,
// section 3.
func (c *certificates) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	host := canonical(hello.ServerName)
	if _, known := c.hosts[host]; !known {
		c.log.Write(requestlog.Record{Mono: requestlog.Monotonic(), Service: "azure", Op: opUnknownHost,
			Host: hello.ServerName, Error: "unrecognized_name"})
		return nil, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if leaf := c.minted[host]; leaf != nil {
		return leaf, nil
	}
	leaf, err := c.authority.Leaf(host)
	if err != nil {
		return nil, err
	}
	c.minted[host] = leaf
	return leaf, nil
}

// serverErrors logs what net/http has to say of connections that never became a
// request: a client that does not trust the authority shows here alone.
type serverErrors struct{ log *requestlog.Log }

func (s serverErrors) Write(p []byte) (int, error) {
	text, _, _ := strings.Cut(string(p), "\n")
	rec := requestlog.Record{Mono: requestlog.Monotonic(), Service: "azure", Op: opHTTPError, Error: text}
	if rest, ok := strings.CutPrefix(text, "http: TLS handshake error from "); ok {
		_, cause, _ := strings.Cut(rest, ": ")
		if cause == "tls: no certificates configured" {
			return len(p), nil // get has logged it, with the name
		}
		rec.Op, rec.Error = opTLSError, cause
	}
	s.log.Write(rec)
	return len(p), nil
}
