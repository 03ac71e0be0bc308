package cloud

import (
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images/azure/ca"
	"bootrace/images/azure/config"
	"bootrace/images/azure/fault"
	"bootrace/images/azure/requestlog"
)

// A kind that the table has and nobody carries out would be served as if nothing
// were wrong, and a scenario with it prove nothing. The resolver's own test walks
// its layer.
func TestEveryKindOfTheTableIsCarriedOut(t *testing.T) {
	t.Parallel()
	cert, key, err := ca.New()
	require.NoError(t, err)
	authority, err := ca.Load(cert, key)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(cert))
	c := New(config.Config{Vault: "kv-test", Tenant: tenant}, authority, io.Discard)
	services := map[string]service{}
	for _, server := range []*http.Server{c.plain, c.secure} {
		for _, at := range server.Handler.(front).hosts {
			services[at.name] = at.service
		}
	}
	for name := range fault.Services() {
		require.Contains(t, services, name)
	}
	for _, row := range fault.Table() {
		for name := range fault.Services() {
			if row.Services != nil && !slices.Contains(row.Services, name) {
				continue
			}
			f := fault.Fault{Service: name, Kind: row.Kind, Secret: "a", Value: "b"}
			switch row.Layer {
			case fault.Resolve:
			case fault.Connect:
				open, _ := fault.NewSchedule([]fault.Fault{f}, func() time.Duration { return 0 }).Listening(name)
				assert.False(t, open, "nobody refuses connections to %s for %s", name, row.Kind)
			case fault.Handshake:
				if leafOf := leaves[row.Kind]; assert.NotNil(t, leafOf, "nobody makes the certificate of %s", row.Kind) {
					leaf, err := leafOf(authority, "host")
					require.NoError(t, err)
					_, err = leaf.Leaf.Verify(x509.VerifyOptions{DNSName: "host", Roots: roots})
					assert.Error(t, err, "%s is a certificate that is all right", row.Kind)
				}
			case fault.Answer:
				assert.NotNil(t, executorOf(services[name], f), "nobody carries out %s at %s", row.Kind, name)
			default:
				assert.Fail(t, "a layer that nobody has", row.Kind)
			}
		}
	}
}

func TestAFaultThatNobodyCarriesOutIsNotServed(t *testing.T) {
	t.Parallel()
	c := New(config.Config{Vault: "kv-test", Tenant: tenant}, newAuthority(t), io.Discard)
	var rec requestlog.Record
	w := httptest.NewRecorder()
	require.PanicsWithValue(t, http.ErrAbortHandler, func() {
		misbehave(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/workers/register", nil), &rec, c.control, fault.Fault{Kind: "on-fire"})
	})
	assert.Empty(t, w.Body)
	assert.Equal(t, fault.Kind("on-fire"), rec.Fault)
	assert.NotEmpty(t, rec.Error)

	_, err := (&certificates{}).mint("api.axiom.co", "on-fire")
	require.ErrorContains(t, err, "nobody carries out the fault on-fire")
}
