package run

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
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
}

func newWorld() world {
	return world{
		// Key Vault names: 3 to 24 letters, digits and hyphens.
		vault:  "kv-bootrace-" + randomHex(4),
		tenant: uuid(), workerID: "worker-" + randomHex(4), cellID: "cell-" + randomHex(3), region: "eastus2",
		dataset: "platform-" + randomHex(4), metricsDataset: "platform-metrics-" + randomHex(4),
		// The form of Axiom's API tokens.
		token: "xaat-" + uuid(), metricsToken: "xaat-" + uuid(),
	}
}

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails: crypto/rand, Go 1.24
	return hex.EncodeToString(b)
}

func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80 // RFC 9562, version 4
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// Names of the secrets in the vault (populator/README.md).
const (
	secretToken          = "shared-axiom-platform-ingest-token"
	secretDataset        = "shared-axiom-platform-dataset"
	secretMetricsToken   = "shared-axiom-platform-metrics-ingest-token"
	secretMetricsDataset = "shared-axiom-platform-metrics-dataset"
	secretCellID         = "shared-cell-id"
)

// secrets are the values that must not leak. The datasets and the cell's id are
// in the vault as well, but are names that show in URLs and logs.
func (w world) secrets() map[string]string {
	return map[string]string{secretToken: w.token, secretMetricsToken: w.metricsToken}
}

// vectorEnv is what Vector must have loaded when it has the vault's values.
func (w world) vectorEnv() map[string]string {
	return map[string]string{
		"AXIOM_PLATFORM_TOKEN": w.token, "AXIOM_PLATFORM_DATASET": w.dataset,
		"AXIOM_PLATFORM_METRICS_TOKEN": w.metricsToken, "AXIOM_PLATFORM_METRICS_DATASET": w.metricsDataset,
		"OPENCOMPUTER_CELL_ID": w.cellID,
	}
}

// cloudConfig is the configuration of images/azure.
func (w world) cloudConfig(pendingWorkerTTL time.Duration) ([]byte, error) {
	return json.Marshal(map[string]any{
		"vault": w.vault, "tenant": w.tenant,
		"secrets": map[string]string{
			secretToken: w.token, secretDataset: w.dataset,
			secretMetricsToken: w.metricsToken, secretMetricsDataset: w.metricsDataset,
			secretCellID: w.cellID,
		},
		"axiom": map[string]any{"tokens": map[string][]string{
			w.token: {w.dataset}, w.metricsToken: {w.metricsDataset},
		}},
		"control_plane": map[string]string{"pending_worker_ttl": pendingWorkerTTL.String()},
		"listen":        map[string]string{"imds": "169.254.169.254:80", "tls": "127.0.0.1:443", "dns": "127.0.0.1:53"},
		"ca_cert":       "/etc/azure/ca.pem", "ca_key": "/etc/azure/ca.key",
	})
}
