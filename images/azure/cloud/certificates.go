package cloud

import (
	"crypto/tls"
	"fmt"
	"strings"
	"sync"

	"bootrace/harness/recording"
	"bootrace/images/azure/ca"
	"bootrace/images/azure/fault"
	"bootrace/images/azure/requestlog"
)

// Operations of the cloud itself, as the request log names them.
const (
	opUnknownHost = "unknown-host"
	opTLSError    = "tls-error"
	opHandshake   = "handshake"
	opHTTPError   = "http-error"
)

// certificates mints a leaf for each known host when it is first asked for.
type certificates struct {
	authority *ca.Authority
	hosts     map[string]site
	log       *requestlog.Log
	faults    *fault.Schedule

	mu     sync.Mutex
	minted map[string]*tls.Certificate
}

// get is tls.Config.GetCertificate. For an unknown name, or none, it has no
// certificate: crypto/tls then sends the alert unrecognized_name, RFC 6066,
// section 3.
func (c *certificates) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	host := canonical(hello.ServerName)
	of, known := c.hosts[host]
	if !known {
		c.log.Write(requestlog.Record{Mono: recording.Monotonic(), Service: "azure", Op: opUnknownHost,
			Host: hello.ServerName, Error: "unrecognized_name"})
		return nil, nil
	}
	f, bad := c.faults.Next(fault.Handshake, fault.Target{Service: of.name})
	if bad {
		c.log.Write(requestlog.Record{Mono: recording.Monotonic(), Service: of.name, Op: opHandshake, Host: host, Fault: f.Kind})
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	key := string(f.Kind) + " " + host
	if leaf := c.minted[key]; leaf != nil {
		return leaf, nil
	}
	leaf, err := c.mint(host, f.Kind)
	if err != nil {
		return nil, err
	}
	c.minted[key] = leaf
	return leaf, nil
}

// mint makes a host's certificate, or one that is wrong as the fault says.
func (c *certificates) mint(host string, kind fault.Kind) (*tls.Certificate, error) {
	if leaf, ok := leaves[kind]; ok {
		return leaf(c.authority, host)
	}
	return nil, fmt.Errorf("the certificate of %s: nobody carries out the fault %s", host, kind)
}

// leaves make a host's certificate: by no fault, and by each of the handshake.
var leaves = map[fault.Kind]func(*ca.Authority, string) (*tls.Certificate, error){
	"":                (*ca.Authority).Leaf,
	fault.CertExpired: (*ca.Authority).Expired,
	fault.CertOtherHost: func(a *ca.Authority, host string) (*tls.Certificate, error) {
		return a.Leaf("another-" + host)
	},
	fault.CertUntrusted: func(_ *ca.Authority, host string) (*tls.Certificate, error) {
		cert, key, err := ca.New()
		if err != nil {
			return nil, err
		}
		stranger, err := ca.Load(cert, key)
		if err != nil {
			return nil, err
		}
		return stranger.Leaf(host)
	},
}

// serverErrors logs what net/http has to say of connections that never became a
// request: a client that does not trust the authority shows here alone.
type serverErrors struct{ log *requestlog.Log }

func (s serverErrors) Write(p []byte) (int, error) {
	text, _, _ := strings.Cut(string(p), "\n")
	rec := requestlog.Record{Mono: recording.Monotonic(), Service: "azure", Op: opHTTPError, Error: text}
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
