package e2e

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/wire"
	"bootrace/harness/wire/wiretest"
	"bootrace/images"
	"bootrace/results"
)

// leftByABuild is an installer that disables a unit which fails, and leaves in the image what
// a build may leave.
const leftByABuild = `#!/bin/sh
set -e
cd "$(dirname "$0")"
install -m 0755 populate /usr/local/bin/populate
install -m 0644 populate-vector-env.service /etc/systemd/system/
systemctl enable populate-vector-env.service
printf '[Service]\nExecStart=/bin/false\n[Install]\nWantedBy=multi-user.target\n' > /etc/systemd/system/old-shipper.service
mkdir -p /var/lib/cloud/data /etc/ssh
echo i-of-the-build-host > /var/lib/cloud/data/instance-id
echo none > /etc/ssh/ssh_host_ed25519_key
rm -f /etc/machine-id
`

func TestAnImageIsLookedAtAndBootsAsABuildLeftIt(t *testing.T) {
	t.Parallel()
	base := images.Suites()[:1]
	dir := writeInstaller(t, "left", leftByABuild, "")
	problems := func(found []results.ImageFinding) []string {
		var out []string
		for _, f := range found {
			if f.Problem {
				out = append(out, f.Name)
			}
		}
		return out
	}
	want := []string{"first-boot", "cloud-init", "ssh-host-key"}
	lab := wiretest.New(t, []string{dir}, base[0])
	assert.ElementsMatch(t, want, problems(lab.Found))
	ref := lab.Subjects[lab.Names[0]].Images[base[0]]

	for _, asIs := range []bool{false, true} {
		given, err := wiretest.Build(t, wire.Options{Image: ref, Bases: base, AsIs: asIs})
		require.NoError(t, err)
		assert.ElementsMatch(t, want, problems(given.Found))
		left, err := given.Backend.Examine(t.Context(), "left", given.Subjects[ref].Images[base[0]], []string{"cat", "/var/lib/cloud/data/instance-id"})
		assert.Equal(t, asIs, err == nil && strings.Contains(string(left), "i-of-the-build-host"), "as it is: %t, and it has %q, %v", asIs, left, err)
		if asIs {
			continue
		}
		for _, c := range given.Run(t, wiretest.Find(t, "pre"), 1, 1) {
			assert.Equal(t, "fail", c.Verdict, wiretest.Explain(c))
			assert.Contains(t, c.Reason, "old-shipper.service failed")
			assert.Contains(t, c.Reason, "the first boot's presets enabled it")
		}
	}
}
