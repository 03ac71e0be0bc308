package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/results/gate"
	"bootrace/results/gate/gatetest"
)

// newKey is a new key and its public half, as PEM.
func newKey() (private, public []byte, err error) {
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(priv)
	if err != nil {
		return nil, nil, err
	}
	pkix, err := x509.MarshalPKIXPublicKey(pub)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pkix}), err
}

// keypair NAME writes NAME.pem and NAME.pub.pem.
func keyPair(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: keypair NAME")
	}
	private, public, err := newKey()
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".pem"), private, 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".pub.pem"), public, 0o644))
}

// certify FILE KEY AGE [failed|waived] writes the certificate of a gate that was
// decided AGE ago.
func certify(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: certify FILE KEY AGE [failed|waived]")
	}
	age, err := time.ParseDuration(args[2])
	ts.Check(err)
	s := gatetest.Passing()
	if len(args) > 3 {
		s.Fail("late", "", "start-rate")
	}
	s.Now = time.Now().Add(-age)
	s.Run.Started, s.Run.Ended = s.Now.Add(-time.Hour), s.Now
	if len(args) > 3 && args[3] == "waived" {
		s.Waive().Expires = s.Now.AddDate(0, 0, 1).Format(time.DateOnly)
	}
	key, err := gate.PrivateKey([]byte(ts.ReadFile(args[1])))
	ts.Check(err)
	d := gate.Decide(s.Policy, s.Plan, s.Run, s.Now)
	file, err := gate.Sign(context.Background(), gate.Certify(s.Policy, s.Plan, s.Run, d, s.Now), key)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), file, 0o644))
}

// written is a file that was replaced, or not.
type written struct {
	bytes.Buffer
	replaced bool
	fail     error
}

func (w *written) CloseAtomicallyReplace() error { w.replaced = w.fail == nil; return w.fail }

// concluded is a gate's exit code, what it printed, and its certificate.
func concluded(t *testing.T, s gatetest.Setup, runErr error, out *written) (code int, stdout string, public gate.Key) {
	t.Helper()
	private, publicPEM, err := newKey()
	require.NoError(t, err)
	key, err := gate.PrivateKey(private)
	require.NoError(t, err)
	public, err = gate.PublicKey(publicPEM)
	require.NoError(t, err)
	var said bytes.Buffer
	err = conclusion{s.Policy, s.Plan, s.Run, runErr, s.Now}.certify(t.Context(), streams{out: &said}, key, out)
	if err == nil {
		return exitOK, said.String(), public
	}
	var coded exitError
	require.ErrorAs(t, err, &coded)
	return coded.code, said.String(), public
}

// exitCodes are those of every way in which the gate does not pass.
var exitCodes = map[gate.Kind]int{
	gate.Failed: exitFailure, gate.Flaky: exitFailure, gate.UnexpectedPass: exitFailure, gate.WaiverExpired: exitFailure, gate.WaiverUnknown: exitFailure,
	gate.InImage: exitFailure, gate.Untestable: exitInvalid, gate.Invalid: exitInvalid, gate.Broken: exitInvalid, gate.NoCases: exitInvalid, gate.NeverRan: exitInvalid, gate.Doubled: exitInvalid,
	gate.NotPlanned: exitInvalid, gate.OtherSubject: exitInvalid, gate.NoEvidence: exitInvalid, gate.StandIn: exitInvalid,
	gate.NoVersions: exitInvalid, gate.Devel: exitInvalid, gate.TooFew: exitInvalid, gate.Unfinished: exitInvalid,
}

func TestTheGatesExitCodeForEachWayOfFailing(t *testing.T) {
	t.Parallel()
	for _, k := range gate.Kinds() {
		assert.Contains(t, exitCodes, k)
	}
	for _, w := range gatetest.Ways() {
		t.Run(w.Name, func(t *testing.T) {
			t.Parallel()
			s := gatetest.Passing()
			w.Spoil(&s)
			want := exitCodes[w.Kind]
			for _, r := range gate.Decide(s.Policy, s.Plan, s.Run, s.Now).Reasons {
				want = min(want, exitCodes[r.Kind]) // a failure counts for more
			}
			out := &written{}
			code, stdout, public := concluded(t, s, nil, out)
			assert.Equal(t, want, code, stdout)
			assert.Contains(t, stdout, string(w.Kind))
			if !out.replaced { // about no image, or in no plan: there is nothing to certify
				assert.Equal(t, exitInvalid, code)
				return
			}
			_, err := gate.Verify(t.Context(), out.Bytes(), []gate.Key{public}, gate.Wanted{}, s.Now)
			assert.ErrorContains(t, err, "the gate failed", "a failed gate is certified as one")
			if w.Mend != nil {
				w.Mend(&s)
				code, stdout, _ = concluded(t, s, nil, &written{})
				assert.Equal(t, exitOK, code, stdout)
			}
		})
	}
}

func TestAGateThatPassesIsCertified(t *testing.T) {
	t.Parallel()
	s := gatetest.Passing()
	out := &written{}
	code, stdout, public := concluded(t, s, nil, out)
	assert.Equal(t, exitOK, code)
	assert.Contains(t, stdout, "gate PASSED: subject mine (aaaaaaaaaaaa)")
	assert.True(t, out.replaced)
	_, err := gate.Verify(t.Context(), out.Bytes(), []gate.Key{public}, gate.Wanted{Image: gatetest.Digest("b")}, s.Now)
	assert.NoError(t, err)
}

func TestAGateWhoseRunHadAnErrorDoesNotPass(t *testing.T) {
	t.Parallel()
	out := &written{}
	code, stdout, _ := concluded(t, gatetest.Passing(), errors.New("store case late: no space left"), out)
	assert.Equal(t, exitInvalid, code)
	assert.Contains(t, stdout, "gate FAILED")
	assert.Contains(t, stdout, "broken: the run: store case late")
	assert.True(t, out.replaced)
}

func TestAGateThatCannotWriteItsCertificateDoesNotPass(t *testing.T) {
	t.Parallel()
	code, _, _ := concluded(t, gatetest.Passing(), nil, &written{fail: errors.New("no space left on device")})
	assert.Equal(t, exitInvalid, code)
}

func TestTheKeyOfTheEnvironmentIsForTheGateAlone(t *testing.T) {
	private, _, err := newKey()
	require.NoError(t, err)
	t.Setenv(gateKey, string(private))
	_, err = signingKey("")
	require.NoError(t, err)
	assert.Empty(t, os.Getenv(gateKey), "no program that it starts has it")
	_, err = signingKey("")
	assert.ErrorContains(t, err, "there is no key")
}
