// Package cloud is the cloud of one machine as a value: the instance metadata
// service, one key vault, Axiom's ingest and the control plane, with what goes
// wrong in them. The program serves it at the real addresses; a test may also
// ask its handlers in the same process, without a socket or a certificate.
//
//	c := cloud.New(cfg, authority, os.Stdout)
//	l, err := c.Listen(ctx)
//	err = c.Serve(ctx, l)
package cloud

import (
	"cmp"
	"crypto/tls"
	"io"
	"log"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"bootrace/harness/recording"
	"bootrace/images/azure/accesstoken"
	"bootrace/images/azure/axiom"
	"bootrace/images/azure/ca"
	"bootrace/images/azure/config"
	"bootrace/images/azure/controlplane"
	"bootrace/images/azure/fault"
	"bootrace/images/azure/imds"
	"bootrace/images/azure/keyvault"
	"bootrace/images/azure/requestlog"
	"bootrace/images/azure/resolver"
)

// Cloud is all services of one machine.
type Cloud struct {
	cfg     config.Config
	log     *requestlog.Log
	control *controlplane.Service
	plain   *http.Server // IMDS
	secure  *http.Server // everything else
	names   *resolver.Server
	faults  *fault.Schedule
	network chan struct{} // closed once the machine has one
	drain   time.Duration // for requests that are under way at the end
}

// New returns the cloud that a configuration describes. It writes its request
// log to out.
func New(cfg config.Config, authority *ca.Authority, out io.Writer) *Cloud {
	c := &Cloud{
		cfg:     cfg,
		log:     requestlog.New(out, hidden(cfg)),
		control: controlplane.New(cfg.ControlPlane.PendingWorkerTTL.Duration),
		network: make(chan struct{}),
		drain:   2 * time.Second,
	}
	// It listens within milliseconds from now.
	began := time.Now()
	c.faults = fault.NewSchedule(cfg.Faults, func() time.Duration { return time.Since(began) })
	tokens := accesstoken.New()
	secure := front{log: c.log, faults: c.faults, hosts: map[string]site{
		canonical(keyvault.Host(cfg.Vault)): {"keyvault", keyvault.New(keyvault.Vault{
			Name: cfg.Vault, Tenant: cfg.Tenant, Role: cfg.Role, Secrets: cfg.Secrets, Learn: c.log.Hide,
		}, tokens)},
		axiom.Host:        {"axiom", axiom.New(cfg.Axiom.Tokens, secrets(cfg), cfg.Axiom.Identity)},
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
	c.names = resolver.New(addresses(cfg, secure.hosts), c.faults, c.log.Write, c.network)
	return c
}

// Handlers answer as IMDS does, over plain HTTP, and as everything else. They
// meet faults of the answer only: whoever asks them without a network asks
// [Cloud.Faults] for the others.
func (c *Cloud) Handlers() (plain, secure http.Handler) { return c.plain.Handler, c.secure.Handler }

// Faults is what goes wrong in this cloud. Asking for the next fault counts a
// request.
func (c *Cloud) Faults() *fault.Schedule { return c.faults }

// addresses are what the hosts resolve to: one for each service, because a
// service can refuse connections while the others take them.
func addresses(cfg config.Config, hosts map[string]site) map[string]resolver.Host {
	at, err := netip.ParseAddrPort(cfg.Listen.TLS)
	if err != nil {
		return nil // Load has said so
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
func hidden(cfg config.Config) map[string]string {
	values := make(map[string]string)
	n := 0
	for token := range cfg.Axiom.Tokens {
		n++
		values["axiom-token-"+strconv.Itoa(n)] = token
	}
	for name, value := range secrets(cfg) {
		if strings.HasSuffix(name, recording.Rotated) {
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
func secrets(cfg config.Config) map[string]string {
	values := cfg.Secrets.Current()
	for _, f := range cfg.Faults {
		if f.Kind == fault.SecretRotated {
			values[f.Secret+recording.Rotated] = f.Value
		}
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
		ConnContext:                  withConnection,
		ReadHeaderTimeout:            10 * time.Second,
		ReadTimeout:                  time.Minute,
		IdleTimeout:                  2 * time.Minute,
		MaxHeaderBytes:               32 << 10,
	}
}
