package ca_test

import (
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images/azure/ca"
)

func TestALeafIsTrustedThroughItsOwnAuthorityAlone(t *testing.T) {
	t.Parallel()
	cert, key, err := ca.New()
	require.NoError(t, err)
	other, _, err := ca.New()
	require.NoError(t, err)
	authority, err := ca.Load(cert, key)
	require.NoError(t, err)

	tests := map[string]string{
		"an ordinary name":                        "api.axiom.co",
		"a name longer than a common name may be": strings.Repeat("a", 63) + ".vault.azure.net",
	}
	for name, host := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			leaf, err := authority.Leaf(host)
			require.NoError(t, err)

			_, err = leaf.Leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: pool(t, cert)})
			require.NoError(t, err)
			_, err = leaf.Leaf.Verify(x509.VerifyOptions{DNSName: "example.org", Roots: pool(t, cert)})
			require.Error(t, err, "a certificate is for its name alone")
			_, err = leaf.Leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: pool(t, other)})
			require.Error(t, err, "another build's authority does not vouch for it")
			_, err = leaf.Leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: pool(t, cert),
				CurrentTime: time.Now().Add(-24 * time.Hour)})
			assert.NoError(t, err, "a clock a day behind still trusts it")
		})
	}
}

func TestLoadRefusesWhatIsNoAuthority(t *testing.T) {
	t.Parallel()
	cert, key, err := ca.New()
	require.NoError(t, err)
	otherCert, _, err := ca.New()
	require.NoError(t, err)

	_, err = ca.Load([]byte("nothing"), key)
	require.ErrorContains(t, err, "read the authority")
	_, err = ca.Load(otherCert, key)
	require.ErrorContains(t, err, "read the authority", "the key must be the certificate's")
	_, err = ca.Load(cert, nil)
	require.ErrorContains(t, err, "read the authority")
}

func pool(t *testing.T, certPEM []byte) *x509.CertPool {
	t.Helper()
	p := x509.NewCertPool()
	require.True(t, p.AppendCertsFromPEM(certPEM))
	return p
}
