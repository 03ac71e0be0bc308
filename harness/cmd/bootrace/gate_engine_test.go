package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/results"
	"bootrace/results/gate"
)

// A policy of one scenario, which the populator passes.
const smallPolicy = "version: 1\nscenarios: [pre]\nbases: [trixie]\nvector: any\ndevel: true\n"

func TestTheGateBootsDecidesAndCertifies(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	dir := t.TempDir()
	file := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, data, 0o600))
		return path
	}
	private, public, err := newKey()
	require.NoError(t, err)
	key, pub := file("key.pem", private), file("key.pub.pem", public)
	policy, out := file("gate.yaml", []byte(smallPolicy)), filepath.Join(dir, "gate.dsse.json")

	decide := func() (code int, stdout, stderr string) {
		unspoilt(t, func() (int, string) {
			code, stdout, stderr = p.bootrace("gate", "--policy", policy, "--key", key, "--out", out)
			return code, stdout
		})
		return code, stdout, stderr
	}
	code, stdout, stderr := decide()
	require.Equal(t, exitOK, code, stdout+stderr)
	assert.Contains(t, stdout, "gate PASSED: subject populator")
	code, stdout, stderr = p.bootrace("show", "--json")
	require.Zero(t, code, stderr)
	var r results.Run
	require.NoError(t, json.Unmarshal([]byte(stdout), &r))
	p.cleanLater(r.ID)

	verify := func(args ...string) (int, string, string) {
		return p.bootrace(append([]string{"verify-certificate", out, "--public-key", pub}, args...)...)
	}
	code, stdout, stderr = verify("--image", r.Images["trixie"], "--subject-hash", r.Hash, "--max-age", "1h")
	assert.Equal(t, exitOK, code, stderr)
	assert.Contains(t, stdout, r.ID)
	code, _, _ = verify("--image", r.Bases["trixie"])
	assert.Equal(t, exitFailure, code, "the base is not what was booted")
	signed, err := os.ReadFile(out)
	require.NoError(t, err)
	half, err := gate.PublicKey(public)
	require.NoError(t, err)
	c, err := gate.Verify(t.Context(), signed, []gate.Key{half}, gate.Wanted{}, r.Ended.AddDate(0, 0, 1))
	require.NoError(t, err)
	assert.NotEmpty(t, c.Images[0].Versions["systemd"])
	assert.Positive(t, c.Images[0].Statistics[results.MeasureMultiUser].Median)
	assert.Equal(t, 1, c.Images[0].Statistics[results.MeasureCredentials].Count)
	assert.Contains(t, c.Images[0].Versions["vector"], "stand-in", "a certificate says which Vector ran")

	// The same subject, and a waiver that nothing needs.
	file("gate.yaml", []byte(smallPolicy+"waivers:\n  - {scenario: pre, check: start-rate, reason: it was so, owner: me, expires: 2999-01-01}\n"))
	code, stdout, _ = decide()
	assert.Equal(t, exitFailure, code, stdout)
	assert.Contains(t, stdout, "unexpected-pass: start-rate in pre")
	code, _, stderr = verify()
	assert.Equal(t, exitFailure, code)
	assert.Contains(t, stderr, "the gate failed: unexpected-pass")
	code, _, _ = verify("--signature-only")
	assert.Equal(t, exitOK, code)
}
