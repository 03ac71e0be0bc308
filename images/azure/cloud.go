package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"

	"bootrace/images/azure/accesstoken"
	"bootrace/images/azure/axiom"
	"bootrace/images/azure/ca"
	"bootrace/images/azure/controlplane"
	"bootrace/images/azure/imds"
	"bootrace/images/azure/keyvault"
	"bootrace/images/azure/requestlog"
)

// drain bounds how long requests that are under way may take after SIGTERM.
const drain = 2 * time.Second

// cloud is all services of one machine behind two listeners.
type cloud struct {
	log     *requestlog.Log
	control *controlplane.Service
	plain   *http.Server // IMDS
	secure  *http.Server // everything else
}

func newCloud(cfg config, authority *ca.Authority, out io.Writer) *cloud {
	requests := requestlog.New(out, hidden(cfg))
	tokens := accesstoken.New()
	control := controlplane.New(time.Duration(cfg.ControlPlane.PendingWorkerTTL))
	secure := front{log: requests, hosts: map[string]service{
		canonical(keyvault.Host(cfg.Vault)): keyvault.New(keyvault.Vault{
			Name: cfg.Vault, Tenant: cfg.Tenant, Role: cfg.Role, Secrets: cfg.Secrets, Learn: requests.Hide,
		}, tokens),
		axiom.Host:        axiom.New(cfg.Axiom.Tokens, cfg.Secrets.Current()),
		controlplane.Host: control,
		loginHost:         login{},
	}}
	metadata := imds.New(cfg.Tenant, cfg.IMDS, tokens)
	plain := front{log: requests, hosts: map[string]service{
		"169.254.169.254":          metadata,
		canonical(cfg.Listen.IMDS): metadata,
	}}
	certificates := &certificates{authority: authority, hosts: secure.hosts, log: requests, minted: make(map[string]*tls.Certificate)}
	return &cloud{
		log:     requests,
		control: control,
		plain:   server(plain, nil, requests),
		secure: server(secure, &tls.Config{
			MinVersion:     tls.VersionTLS12, // the lowest that Azure services accept
			GetCertificate: certificates.get,
		}, requests),
	}
}

// hidden returns the values that must not be in the log, by name, but for those
// that a secret has: the vault tells the log of them as it gets them.
func hidden(cfg config) map[string]string {
	values := make(map[string]string)
	n := 0
	for token := range cfg.Axiom.Tokens {
		n++
		values["axiom-token-"+strconv.Itoa(n)] = token
	}
	// A token that a secret holds is called by the secret's name.
	for _, seed := range cfg.Secrets {
		maps.DeleteFunc(values, func(_, token string) bool { return slices.Contains(seed.Values(), token) })
	}
	return values
}

// server has one protocol: faults break off connections, which HTTP/2 would
// share among requests.
func server(f front, config *tls.Config, requests *requestlog.Log) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Server{
		Handler: f, TLSConfig: config, Protocols: protocols,
		ErrorLog:                     log.New(serverErrors{requests}, "", 0),
		DisableGeneralOptionsHandler: true, // OPTIONS * is a request to log as any
		ReadHeaderTimeout:            10 * time.Second,
		ReadTimeout:                  time.Minute,
		IdleTimeout:                  2 * time.Minute,
		MaxHeaderBytes:               32 << 10,
	}
}

// serve serves on both listeners until ctx ends, and lets requests finish.
func (c *cloud) serve(ctx context.Context, plain, secure net.Listener) error {
	ended := make(chan error, 2)
	go func() { ended <- c.plain.Serve(plain) }()
	go func() { ended <- c.secure.ServeTLS(secure, "", "") }()
	// Both listeners take connections since they were made.
	c.log.Write(requestlog.Record{Mono: requestlog.Monotonic(), Service: "azure", Op: "ready"})
	stop := c.control.Start(c.log.Write)
	defer stop()

	var err error
	select {
	case err = <-ended:
		err = fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	for _, s := range []*http.Server{c.plain, c.secure} {
		if s.Shutdown(bounded) != nil {
			// Who has not finished by now holds the whole machine's end up.
			err = errors.Join(err, s.Close())
		}
	}
	return err
}
