package config

import (
	"crypto/rand"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images/azure/fault"
	"bootrace/images/azure/keyvault"
)

func TestAConfigurationIsReadStrictlyAndCompleted(t *testing.T) {
	t.Parallel()
	cfg, err := Load(write(t, `{"vault":"kv-a","tenant":"`+tenant+`","secrets":{"a":"b"}}`))
	require.NoError(t, err)
	assert.Equal(t, fault.Duration{Duration: 600 * time.Second}, cfg.ControlPlane.PendingWorkerTTL)
	assert.Equal(t, "169.254.169.254:80", cfg.Listen.IMDS)
	assert.Equal(t, "/etc/azure/ca.pem", cfg.CACert)
	assert.Equal(t, keyvault.Seeds{"a": keyvault.Text("b")}, cfg.Secrets)

	cfg, err = Load(write(t, `{"vault":"kv-a","tenant":"`+tenant+`","role":"officer",
		"secrets":{"a":{"value":"b","deleted":true}},
		"imds":{"system_assigned":false,"user_assigned":[{"client_id":"`+uuid.NewString()+`","object_id":"`+uuid.NewString()+`",
			"resource_id":"/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i"}]}}`))
	require.NoError(t, err)
	assert.Equal(t, keyvault.Officer, cfg.Role)
	assert.True(t, cfg.Secrets["a"].Deleted)
	assert.False(t, *cfg.IMDS.SystemAssigned)
	assert.Len(t, cfg.IMDS.UserAssigned, 1)
}

func TestAWrongConfigurationIsRefusedWithEveryReason(t *testing.T) {
	t.Parallel()
	value := rand.Text()
	tests := map[string]struct {
		text string
		want []string
	}{
		"an unknown key":              {`{"vualt":"kv-a"}`, []string{"vualt"}},
		"no JSON":                     {`vault: kv-a`, []string{"invalid character"}},
		"more than one value":         {`{"vault":"kv-a","tenant":"` + tenant + `"} {}`, []string{"after the configuration"}},
		"a number for a time":         {`{"control_plane":{"pending_worker_ttl":600}}`, []string{`"45s"`}},
		"a secret that is no secret":  {`{"secrets":{"a":{"vlaue":"` + value + `"}}}`, []string{`secret "a"`, "vlaue"}},
		"an identity without an end":  {`{"imds":{"user_asigned":[]}}`, []string{"user_asigned"}},
		"an identity without a name":  {`{"imds":{"user_assigned":[{}]}}`, []string{"imds: user_assigned[0]", "client_id"}},
		"a role that Azure knows not": {`{"role":"root"}`, []string{`role: "root" is no role`}},
		"several at once": {`{"vault":"kv.a","tenant":"x","secrets":{"a b":"` + value + `"},"axiom":{"tokens":{"` + value + `":[]}},
			"control_plane":{"pending_worker_ttl":"-1s"},"network":{"after":"-1s"},"listen":{"imds":"localhost:80"}}`,
			[]string{"vault", "tenant", `secret "a b"`, "axiom.tokens", "pending_worker_ttl", "network.after", "listen.imds"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := write(t, tt.text)
			_, err := Load(path)
			require.Error(t, err)
			assert.ErrorContains(t, err, path)
			for _, want := range tt.want {
				assert.ErrorContains(t, err, want)
			}
			assert.NotContains(t, err.Error(), value)
		})
	}
	_, err := Load(filepath.Join(t.TempDir(), "missing.json"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cloud.json")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

const tenant = "0a1b2c3d-0000-4000-8000-00112233aabb"

func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	cfg := Default()
	cfg.Vault, cfg.Tenant = "kv-a", tenant
	cfg.Secrets = keyvault.Seeds{"a": keyvault.Text(rand.Text()), "b": {Versions: []keyvault.Version{{Value: "1"}, {Value: "2"}}, Deleted: true}}
	cfg.Faults = []fault.Fault{{Service: "imds", Kind: fault.Hang}}
	text, err := json.Marshal(cfg)
	require.NoError(t, err)
	got, err := Load(write(t, string(text)))
	require.NoError(t, err)
	assert.Equal(t, cfg, got)
}
