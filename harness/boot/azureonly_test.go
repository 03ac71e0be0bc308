package boot_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/boot"
	"bootrace/harness/timeline/timelinetest"
)

func TestWhatOnlyAzureHasAroundAMachine(t *testing.T) {
	t.Parallel()
	const unit = timelinetest.Subject
	alert := func(b *timelinetest.Boot) {
		b.Call(21*time.Second, "azure", "tls-error", 0, "error", "remote error: tls: unknown certificate authority")
	}
	const curl = "curl: (60) SSL certificate problem: unable to get local issuer certificate"
	for name, tt := range map[string]struct {
		said string
		with func(*timelinetest.Boot)
		want string // empty: nothing
	}{
		"the platform's address": {"curl: (7) Failed to connect to 168.63.129.16 port 80 after 0 ms: Could not connect to server", nil, "wants an answer of Azure's platform at 168.63.129.16"},
		"it answers":             {"goal state of 168.63.129.16: 3", nil, ""},
		"the firmware's tag":     {"not a virtual machine of Azure (chassis asset tag: ), nothing to do", nil, "does not take this machine for one of Azure's"},
		"in other words":         {"Not running on Azure, exiting", nil, "does not take this machine for one of Azure's"},
		"Azure refuses":          {"error: the token is not valid for Azure Key Vault", nil, ""},
		"authorities of its own": {curl, alert, "trusts authorities of its own"},
		"as OpenSSL hangs up": {curl, func(b *timelinetest.Boot) {
			b.Call(21*time.Second, "azure", "tls-error", 0, "error", "local error: tls: bad record MAC")
			for range 5 {
				b.Log(23*time.Second, unit, "More details here: https://curl.se/docs/sslcerts.html")
			}
		}, "trusts authorities of its own"},
		"and nobody hung up for it": {curl, nil, ""},
		"on purpose": {curl, func(b *timelinetest.Boot) {
			alert(b)
			b.Call(20*time.Second, "axiom", "handshake", 0, "fault", "certificate-untrusted")
		}, ""},
		"the vault was asked": {curl, func(b *timelinetest.Boot) {
			alert(b)
			b.Call(22*time.Second, boot.KeyVault, "secret", 401)
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := timelinetest.Healthy()
			b.Cloud = slices.DeleteFunc(b.Cloud, func(row map[string]any) bool { return row["service"] == boot.KeyVault })
			b.Log(22*time.Second, unit, tt.said)
			if tt.with != nil {
				tt.with(b)
			}
			var got []boot.Lack
			for _, l := range read(t, b).Lacks(boot.Setup{SubjectUnits: []string{unit}, Populator: unit}) {
				if l.Unit == unit {
					got = append(got, l)
				}
			}
			if tt.want == "" {
				assert.Empty(t, got)
				return
			}
			require.Len(t, got, 1)
			assert.True(t, got[0].Needed)
			assert.Contains(t, got[0].What, unit+" "+tt.want)
			assert.NotEmpty(t, got[0].Evidence.File)
		})
	}
}
