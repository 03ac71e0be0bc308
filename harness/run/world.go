package run

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"bootrace/harness/boot"
	"bootrace/harness/recording"
	"bootrace/images/azure/config"
	"bootrace/images/azure/fault"
	"bootrace/images/azure/keyvault"
	"bootrace/scenarios"
)

// The control plane's name; the other hosts are Azure's and Axiom's own.
const controlPlaneHost = "control-plane.opensandbox.internal"

// world is what is new in every case, so that a value seen where it does not
// belong can only come from this boot.
type world struct {
	vault, tenant            string
	workerID, cellID, region string
	dataset, metricsDataset  string
	token, metricsToken      string

	faults []fault.Fault
}

func newWorld() world {
	return world{
		// Key Vault names: 3 to 24 letters, digits and hyphens.
		vault:  "kv-bootrace-" + randomHex(4),
		tenant: uuid.NewString(), workerID: "worker-" + randomHex(4), cellID: "cell-" + randomHex(3), region: "eastus2",
		dataset: "platform-" + randomHex(4), metricsDataset: "platform-metrics-" + randomHex(4),
		// The form of Axiom's API tokens.
		token: "xaat-" + uuid.NewString(), metricsToken: "xaat-" + uuid.NewString(),
	}
}

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails: crypto/rand, Go 1.24
	return hex.EncodeToString(b)
}

// Names of the secrets in the vault (populator/README.md).
const (
	secretToken          = "shared-axiom-platform-ingest-token"
	secretDataset        = "shared-axiom-platform-dataset"
	secretMetricsToken   = "shared-axiom-platform-metrics-ingest-token"
	secretMetricsDataset = "shared-axiom-platform-metrics-dataset"
	secretCellID         = "shared-cell-id"
)

// meet takes the faults that the cloud is to have, and makes new values for the
// secrets that are rotated.
func (w *world) meet(faults []fault.Fault) {
	w.faults = slices.Clone(faults)
	for i, f := range w.faults {
		if f.Kind == fault.SecretRotated {
			w.faults[i].Value = "xaat-" + uuid.NewString()
		}
	}
}

// again is the world of the machine's next boot. What was rotated before is no news any
// more.
func (w world) again(a scenarios.Again) world {
	for name, value := range w.rotated() {
		switch name {
		case secretToken:
			w.token = value
		case secretMetricsToken:
			w.metricsToken = value
		}
	}
	rotated := a.Rotated
	if a.NewVault {
		w.vault, rotated = newWorld().vault, []string{secretToken, secretMetricsToken}
	}
	var faults []fault.Fault
	for _, name := range rotated {
		faults = append(faults, fault.Fault{Service: boot.KeyVault, Secret: name, Kind: fault.SecretRotated})
	}
	w.meet(faults)
	return w
}

// before is the world without what is rotated in it.
func (w world) before() world {
	w.faults = nil
	return w
}

// rotatedLogs: the token that logs are shipped with is rotated.
func (w world) rotatedLogs() bool { return w.rotated()[secretToken] != "" }

// rotated are the new values of the secrets that are rotated.
func (w world) rotated() map[string]string {
	out := map[string]string{}
	for _, f := range w.faults {
		if f.Kind == fault.SecretRotated {
			out[f.Secret] = f.Value
		}
	}
	return out
}

// secrets are the values that must not leak. The datasets and the cell's id are
// in the vault as well, but are names that show in URLs and logs.
func (w world) secrets() map[string]string {
	out := map[string]string{secretToken: w.token, secretMetricsToken: w.metricsToken}
	for name, value := range w.rotated() {
		out[name+recording.Rotated] = value
	}
	return out
}

// inVault is what is in the vault before anything is rotated.
func (w world) inVault() map[string]string {
	return map[string]string{
		secretToken: w.token, secretDataset: w.dataset,
		secretMetricsToken: w.metricsToken, secretMetricsDataset: w.metricsDataset,
		secretCellID: w.cellID,
	}
}

// vectorEnv is what Vector must have loaded when it has the vault's values. The
// variables of missing secrets are empty, but for the cell's id, which the role
// env has as well.
func (w world) vectorEnv(missing []string) map[string]string {
	values := w.inVault()
	maps.Copy(values, w.rotated())
	for _, name := range missing {
		if name != secretCellID {
			values[name] = ""
		}
	}
	return map[string]string{
		"AXIOM_PLATFORM_TOKEN": values[secretToken], "AXIOM_PLATFORM_DATASET": values[secretDataset],
		"AXIOM_PLATFORM_METRICS_TOKEN": values[secretMetricsToken], "AXIOM_PLATFORM_METRICS_DATASET": values[secretMetricsDataset],
		"OPENCOMPUTER_CELL_ID": values[secretCellID],
	}
}

// cloudConfig is the configuration of the machine's cloud, which has the network in hand.
func (w world) cloudConfig(pendingWorkerTTL, network time.Duration) ([]byte, error) {
	cfg := config.Default()
	cfg.Vault, cfg.Tenant, cfg.Faults, cfg.Listen.DNS = w.vault, w.tenant, w.faults, "127.0.0.1:53"
	cfg.ControlPlane.PendingWorkerTTL.Duration, cfg.Network.After.Duration = pendingWorkerTTL, network
	cfg.Secrets = keyvault.Seeds{}
	for name, value := range w.inVault() {
		cfg.Secrets[name] = keyvault.Text(value)
	}
	cfg.Axiom.Tokens = map[string][]string{w.token: {w.dataset}, w.metricsToken: {w.metricsDataset}}
	// Old tokens stay good while the case lasts: a rotation overlaps.
	shipped := map[string]string{secretToken: w.dataset, secretMetricsToken: w.metricsDataset}
	for name, value := range w.rotated() {
		if dataset := shipped[name]; dataset != "" {
			cfg.Axiom.Tokens[value] = []string{dataset}
		}
	}
	cfg.Axiom.Identity = map[string]string{"OPENCOMPUTER_CELL_ID": w.cellID, "OPENSANDBOX_REGION": w.region}
	return json.Marshal(cfg)
}
