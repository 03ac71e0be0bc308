// Package config is the file that says which cloud to be: written by the harness for
// each machine, and read by the cloud.
//
//	cfg := config.Default()
//	cfg.Vault, cfg.Secrets = "kv-1", keyvault.Seeds{"token": keyvault.Text(value)}
package config

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"regexp"
	"time"

	"bootrace/images/azure/fault"
	"bootrace/images/azure/imds"
	"bootrace/images/azure/keyvault"
)

// Config is the file. It holds secrets.
type Config struct {
	Vault   string          `json:"vault"`
	Tenant  string          `json:"tenant"`
	Role    keyvault.Role   `json:"role"` // of the machine's identity on the vault
	Secrets keyvault.Seeds  `json:"secrets"`
	IMDS    imds.Identities `json:"imds"`
	Axiom   struct {
		Tokens map[string][]string `json:"tokens"` // token -> datasets it may write
		// Identity is what events may say of who sent them: variable -> value.
		Identity map[string]string `json:"identity"`
	} `json:"axiom"`
	ControlPlane struct {
		PendingWorkerTTL fault.Duration `json:"pending_worker_ttl"`
	} `json:"control_plane"`
	Listen struct {
		IMDS string `json:"imds"`
		TLS  string `json:"tls"`
		// DNS is the resolver's address; empty: there is none, and one address
		// has all the hosts. With it each service has an address of its own, TLS's
		// and those that follow.
		DNS string `json:"dns"`
	} `json:"listen"`
	Network struct {
		// After is since the cloud is ready: until then the machine has no address and no
		// route, and no name resolves.
		After fault.Duration `json:"after"`
	} `json:"network"`
	Faults []fault.Fault `json:"faults"`
	CACert string        `json:"ca_cert"`
	CAKey  string        `json:"ca_key"`
}

// Default has the values of the image and of production, for all that has any.
func Default() Config {
	var cfg Config
	cfg.ControlPlane.PendingWorkerTTL.Duration = 600 * time.Second
	// RFC 5737: 203.0.113.0/24 is for documentation and nobody's, so no rule for
	// local addresses takes it for one.
	cfg.Listen.IMDS, cfg.Listen.TLS = "169.254.169.254:80", "203.0.113.1:443"
	cfg.CACert, cfg.CAKey = "/etc/azure/ca.pem", "/etc/azure/ca.key"
	return cfg
}

// Load reads a configuration strictly; what it leaves out is Default's.
func Load(path string) (Config, error) {
	cfg := Default()
	text, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("read the configuration: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&cfg); err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Config{}, fmt.Errorf("%s: there is something after the configuration", path)
	}
	if err := cfg.validate(); err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	return cfg, nil
}

// validate tells of everything that is wrong, and of no value.
func (c Config) validate() error {
	var problems []error
	problem := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }

	// "3-24 character string, containing only 0-9, a-z, A-Z, and not consecutive -"
	// (about-keys-secrets-certificates, vault-name).
	if !regexp.MustCompile(`^[0-9a-zA-Z-]{3,24}$`).MatchString(c.Vault) {
		problem("vault %q is no vault's name: 3 to 24 letters, digits and hyphens", c.Vault)
	}
	if !regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`).MatchString(c.Tenant) {
		problem("tenant %q is not a lower-case UUID", c.Tenant)
	}
	if err := c.Role.Validate(); err != nil {
		problem("role: %w", err)
	}
	if err := c.Secrets.Validate(); err != nil {
		problems = append(problems, err)
	}
	if err := c.IMDS.Validate(); err != nil {
		problem("imds: %w", err)
	}
	for token, datasets := range c.Axiom.Tokens {
		if token == "" || len(datasets) == 0 {
			problem("axiom.tokens: a token is empty or has no dataset")
		}
	}
	if c.ControlPlane.PendingWorkerTTL.Duration <= 0 {
		problem("control_plane.pending_worker_ttl is not positive")
	}
	if c.Network.After.Duration < 0 {
		problem("network.after is negative")
	}
	for i, f := range c.Faults {
		for _, p := range f.Validate() {
			problem("faults[%d].%w", i, p)
		}
		row, _ := f.Kind.Row()
		if c.Listen.DNS == "" && (row.Layer == fault.Resolve || row.Layer == fault.Connect && f.Service != "imds") {
			problem("faults[%d]: %s needs listen.dns", i, f.Kind)
		}
		if f.Kind == fault.SecretRotated && f.Value == "" {
			problem("faults[%d].value is missing: the secret's new one", i)
		}
	}
	for name, address := range map[string]string{"imds": c.Listen.IMDS, "tls": c.Listen.TLS, "dns": cmp.Or(c.Listen.DNS, "127.0.0.1:53")} {
		if _, err := netip.ParseAddrPort(address); err != nil {
			problem("listen.%s: %w", name, err)
		}
	}
	return errors.Join(problems...)
}
