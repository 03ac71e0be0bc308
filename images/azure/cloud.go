package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"bootrace/images/azure/accesstoken"
	"bootrace/images/azure/axiom"
	"bootrace/images/azure/ca"
	"bootrace/images/azure/controlplane"
	"bootrace/images/azure/fault"
	"bootrace/images/azure/imds"
	"bootrace/images/azure/keyvault"
	"bootrace/images/azure/requestlog"
	"bootrace/images/azure/resolver"
)

// drain bounds how long requests that are under way may take after SIGTERM.
const drain = 2 * time.Second

// cloud is all services of one machine.
type cloud struct {
	log     *requestlog.Log
	control *controlplane.Service
	plain   *http.Server // IMDS
	secure  *http.Server // everything else
	names   *resolver.Server
	faults  *fault.Schedule
}

func newCloud(cfg config, authority *ca.Authority, out io.Writer) *cloud {
	c := &cloud{
		log:     requestlog.New(out, hidden(cfg)),
		control: controlplane.New(time.Duration(cfg.ControlPlane.PendingWorkerTTL)),
	}
	// It listens within milliseconds from now.
	began := time.Now()
	c.faults = fault.NewSchedule(cfg.Faults, func() time.Duration { return time.Since(began) })
	tokens := accesstoken.New()
	secure := front{log: c.log, faults: c.faults, hosts: map[string]site{
		canonical(keyvault.Host(cfg.Vault)): {"keyvault", keyvault.New(keyvault.Vault{
			Name: cfg.Vault, Tenant: cfg.Tenant, Role: cfg.Role, Secrets: cfg.Secrets, Learn: c.log.Hide,
		}, tokens)},
		axiom.Host:        {"axiom", axiom.New(cfg.Axiom.Tokens, secrets(cfg))},
		controlplane.Host: {"controlplane", c.control},
		loginHost:         {"login", login{}},
	}}
	metadata := site{"imds", imds.New(cfg.Tenant, cfg.IMDS, tokens)}
	plain := front{log: c.log, faults: c.faults, hosts: map[string]site{
		"169.254.169.254":          metadata,
		canonical(cfg.Listen.IMDS): metadata,
	}}
	certificates := &certificates{authority: authority, hosts: secure.hosts, log: c.log, faults: c.faults, minted: make(map[string]*tls.Certificate)}
	c.plain = server(plain, nil, c.log)
	c.secure = server(secure, &tls.Config{
		MinVersion:     tls.VersionTLS12, // the lowest that Azure services accept
		GetCertificate: certificates.get,
		// A session that is taken up again shows no certificate.
		SessionTicketsDisabled: true,
	}, c.log)
	c.names = resolver.New(addresses(cfg, secure.hosts), c.faults, c.log.Write)
	return c
}

// addresses are what the hosts resolve to: one for each service, because a
// service can refuse connections while the others take them.
func addresses(cfg config, hosts map[string]site) map[string]resolver.Host {
	at, err := netip.ParseAddrPort(cfg.Listen.TLS)
	if err != nil {
		return nil // loadConfig has said so
	}
	out := map[string]resolver.Host{}
	ip := at.Addr()
	for _, host := range slices.SortedFunc(maps.Keys(hosts), func(a, b string) int { return cmp.Compare(hosts[a].name, hosts[b].name) }) {
		out[host] = resolver.Host{Service: hosts[host].name, Address: ip}
		if cfg.Listen.DNS != "" {
			ip = ip.Next()
		}
	}
	return out
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
	for name, value := range secrets(cfg) {
		if strings.HasSuffix(name, rotated) {
			maps.DeleteFunc(values, func(_, token string) bool { return token == value })
			values[name] = value
		}
	}
	// A token that a secret holds is called by the secret's name.
	for _, seed := range cfg.Secrets {
		maps.DeleteFunc(values, func(_, token string) bool { return slices.Contains(seed.Values(), token) })
	}
	return values
}

// secrets returns every value that a secret has or will have, by name.
func secrets(cfg config) map[string]string {
	values := cfg.Secrets.Current()
	for _, f := range cfg.Faults {
		if f.Kind == fault.SecretRotated {
			values[f.Secret+rotated] = f.Value
		}
	}
	return values
}

// rotated is what the log adds to a secret's name for its second value.
const rotated = "@2"

// server has one protocol: faults break off connections, which HTTP/2 would
// share among requests.
func server(f front, config *tls.Config, requests *requestlog.Log) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Server{
		Handler: f, TLSConfig: config, Protocols: protocols,
		ErrorLog:                     log.New(serverErrors{requests}, "", 0),
		DisableGeneralOptionsHandler: true, // OPTIONS * is a request to log as any
		ConnContext:                  withConnection,
		ReadHeaderTimeout:            10 * time.Second,
		ReadTimeout:                  time.Minute,
		IdleTimeout:                  2 * time.Minute,
		MaxHeaderBytes:               32 << 10,
	}
}

// listeners are where a cloud is reached.
type listeners struct {
	plain  net.Listener
	secure []net.Listener
	names  net.PacketConn // nil without a resolver
}

func (l *listeners) close() {
	for _, each := range append(l.secure, l.plain) {
		if each != nil {
			_ = each.Close() // closed by the servers already, but for an error
		}
	}
	if l.names != nil {
		_ = l.names.Close()
	}
}

// listen opens what the configuration says.
func (c *cloud) listen(ctx context.Context, cfg config) (_ *listeners, err error) {
	l := &listeners{}
	defer func() {
		if err != nil {
			l.close()
		}
	}()
	if l.plain, err = c.open(ctx, "imds", cfg.Listen.IMDS); err != nil {
		return nil, err
	}
	if cfg.Listen.DNS == "" {
		all, err := listen(ctx, cfg.Listen.TLS)
		if err != nil {
			return nil, err
		}
		l.secure = []net.Listener{all}
		return l, nil
	}
	at := netip.MustParseAddrPort(cfg.Listen.TLS) // loadConfig has tried
	for _, host := range addresses(cfg, c.secure.Handler.(front).hosts) {
		one, err := c.open(ctx, host.Service, netip.AddrPortFrom(host.Address, at.Port()).String())
		if err != nil {
			return nil, err
		}
		l.secure = append(l.secure, one)
	}
	if l.names, err = new(net.ListenConfig).ListenPacket(ctx, "udp", cfg.Listen.DNS); err != nil {
		return nil, fmt.Errorf("listen on %s: %w", cfg.Listen.DNS, err)
	}
	return l, nil
}

// open listens for a service; where it is to refuse connections, behind a door.
func (c *cloud) open(ctx context.Context, service, address string) (net.Listener, error) {
	l, err := listen(ctx, address)
	if err != nil {
		return nil, err
	}
	if open, lasts := c.faults.Listening(service); open && lasts == 0 {
		return l, nil
	}
	return newDoor(l, service, c.faults), nil
}

// serve serves until ctx ends, and lets requests finish.
func (c *cloud) serve(ctx context.Context, l *listeners) error {
	defer l.close()
	ended := make(chan error, 2+len(l.secure))
	go func() { ended <- c.plain.Serve(l.plain) }()
	for _, secure := range l.secure {
		go func() { ended <- c.secure.ServeTLS(secure, "", "") }()
	}
	if l.names != nil {
		go func() { ended <- c.names.Serve(l.names) }()
	}
	// All of them take connections since they were opened.
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
