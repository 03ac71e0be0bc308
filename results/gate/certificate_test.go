package gate_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"testing"
	"time"

	testresult "github.com/in-toto/attestation/go/predicates/test_result/v0"
	intoto "github.com/in-toto/attestation/go/v1"
	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"

	"bootrace/results"
	"bootrace/results/gate"
	"bootrace/results/gate/gatetest"
)

func certify(s gatetest.Setup) gate.Certificate {
	return gate.Certify(s.Policy, s.Plan, s.Run, decide(s), s.Now)
}

func sign(t *testing.T, s gatetest.Setup, key dsse.Signer) []byte {
	t.Helper()
	file, err := gate.Sign(t.Context(), certify(s), key)
	require.NoError(t, err)
	return file
}

// waivedSetup passes with a waiver.
func waivedSetup() gatetest.Setup {
	s := gatetest.Passing()
	s.Fail("late", "trixie", "start-rate")
	s.Waive()
	return s
}

func TestACertificateIsReadBackAsItWasWritten(t *testing.T) {
	t.Parallel()
	key, public := edwards(t)
	aside := gatetest.Passing()
	aside.Set(0, "not-applicable", "there is no populator to be killed")
	aside.Run.Found = []results.ImageFinding{{Subject: "mine", Base: "trixie", Name: "enabled", Text: "a.service was enabled by bootrace"}}
	for name, s := range map[string]gatetest.Setup{"passed": gatetest.Passing(), "waived": waivedSetup(), "set aside": aside} {
		c, err := gate.Verify(t.Context(), sign(t, s, key), []gate.Key{public}, gate.Wanted{}, s.Now)
		require.NoError(t, err, name)
		assert.Equal(t, certify(s), c, name)
	}
	s := waivedSetup()
	c := certify(s)
	assert.Equal(t, gate.Warned, c.Result)
	assert.Equal(t, s.Policy.Waivers, c.Waivers)
	assert.Equal(t, gate.Statistic{Median: 3, Count: 4}, c.Images[0].Statistics[results.MeasureMultiUser], "2.5 s twice and 3.5 s twice")
	assert.Equal(t, "257.9", c.Images[0].Versions["systemd"])
	assert.Len(t, c.Images[0].Cases, 4)
}

func TestAGivenImageMayBeCalledAsWorkersAre(t *testing.T) {
	t.Parallel()
	key, public := edwards(t)
	s := gatetest.Passing()
	name := "worker@sha256:" + gatetest.Digest("f")
	s.Plan.Subject, s.Run.Subject = name, name
	for i := range s.Run.Cases {
		s.Run.Cases[i].Subject = name
	}
	c, err := gate.Verify(t.Context(), sign(t, s, key), []gate.Key{public}, gate.Wanted{Image: gatetest.Digest("f")}, s.Now)
	require.NoError(t, err)
	assert.Equal(t, certify(s), c)
}

func TestAMeasureThatCouldNotBeTakenIsNotCounted(t *testing.T) {
	t.Parallel()
	s := gatetest.Passing()
	for i, seconds := range map[int]float64{0: 0.5, 2: 0.25, 4: 2} {
		s.Run.Cases[i].Attempts[0].Boot.Measures[results.MeasureCredentials] = seconds
	}
	c := certify(s)
	assert.Equal(t, gate.Statistic{Median: 0.5, Count: 3}, c.Images[0].Statistics[results.MeasureCredentials])
	assert.Equal(t, gate.Statistic{Median: 1, Count: 4}, c.Images[0].Statistics[results.MeasureRestarts])
	assert.NotContains(t, c.Images[1].Statistics, results.MeasureCredentials, "nor is it zero where it was never taken")
}

// TestOthersReadTheCertificate goes by in-toto's and DSSE's own libraries alone.
func TestOthersReadTheCertificate(t *testing.T) {
	t.Parallel()
	key, public := edwards(t)
	var e dsse.Envelope
	require.NoError(t, json.Unmarshal(sign(t, waivedSetup(), key), &e))
	assert.Equal(t, "application/vnd.in-toto+json", e.PayloadType)
	verifier, err := dsse.NewEnvelopeVerifier(public)
	require.NoError(t, err)
	_, payload, err := verifier.VerifyAndDecode(t.Context(), &e)
	require.NoError(t, err)

	var st intoto.Statement
	require.NoError(t, protojson.Unmarshal(payload, &st))
	require.NoError(t, st.Validate())
	assert.Equal(t, "https://in-toto.io/attestation/test-result/v0.1", st.GetPredicateType())
	digests := map[string]string{}
	for _, rd := range st.GetSubject() {
		digests[rd.GetName()] = rd.GetDigest()["sha256"]
	}
	assert.Equal(t, map[string]string{"worker@trixie": gatetest.Digest("b"), "worker@bookworm": gatetest.Digest("c"), "mine": gatetest.Digest("f")}, digests)

	data, err := protojson.Marshal(st.GetPredicate())
	require.NoError(t, err)
	var result testresult.TestResult
	require.NoError(t, protojson.Unmarshal(data, &result), "nothing that a test result has no field for")
	assert.Equal(t, "WARNED", result.GetResult())
	assert.Equal(t, []string{"late@trixie#1", "late@trixie#2"}, result.GetWarnedTests())
	assert.Len(t, result.GetPassedTests(), 6)
	assert.Empty(t, result.GetFailedTests())
	names := map[string]*intoto.ResourceDescriptor{}
	for _, rd := range result.GetConfiguration() {
		require.NoError(t, rd.Validate())
		names[rd.GetName()] = rd
	}
	assert.Equal(t, "version: 1\n", string(names["policy"].GetContent()))
	assert.Equal(t, gatetest.Digest("a"), names["subject"].GetDigest()["sha256"])
	assert.Equal(t, gatetest.Digest("d"), names["base@trixie"].GetDigest()["sha256"])
	waivers := names["policy"].GetAnnotations().AsMap()["waivers"].([]any)
	assert.Equal(t, "ops@example.org", waivers[0].(map[string]any)["owner"])
}

func TestACertificateAlteredInOneByteDoesNotVerify(t *testing.T) {
	t.Parallel()
	key, public := edwards(t)
	s := gatetest.Passing()
	file := sign(t, s, key)
	want := gate.Wanted{SignatureOnly: true} // the most that is ever let through
	_, err := gate.Verify(t.Context(), file, []gate.Key{public}, want, s.Now)
	require.NoError(t, err)
	verifies := func(altered []byte) bool {
		_, err := gate.Verify(t.Context(), altered, []gate.Key{public}, want, s.Now)
		return err == nil
	}
	for i := range file {
		flips := []byte{0x01} // a neighbour
		if i%8 == 0 {
			flips = []byte{0x01, 0x20, 0x80} // the other case, no ASCII
		}
		for _, flip := range flips {
			altered := bytes.Clone(file)
			altered[i] ^= flip
			require.False(t, verifies(altered), "byte %d of %d, %q for %q", i, len(file), altered[i], file[i])
		}
		if i%64 == 0 {
			require.False(t, verifies(file[:i]), "cut off after %d bytes", i)
			for _, more := range []string{" ", "\n", "A", "="} {
				require.False(t, verifies([]byte(string(file[:i])+more+string(file[i:]))), "%q before byte %d", more, i)
			}
		}
	}
	for _, more := range []string{"\n", " ", "{}", "\x00"} {
		require.False(t, verifies(append(bytes.Clone(file), more...)), "with %q behind it", more)
	}
}

func TestAnEnvelopeInAnotherFormDoesNotVerify(t *testing.T) {
	t.Parallel()
	key, public := edwards(t)
	s := gatetest.Passing()
	file := sign(t, s, key)
	var e dsse.Envelope
	require.NoError(t, json.Unmarshal(file, &e))
	for name, change := range map[string]func(e *dsse.Envelope){
		"no signature":           func(e *dsse.Envelope) { e.Signatures = nil },
		"two signatures":         func(e *dsse.Envelope) { e.Signatures = append(e.Signatures, e.Signatures[0]) },
		"no key id":              func(e *dsse.Envelope) { e.Signatures[0].KeyID = "" },
		"another type":           func(e *dsse.Envelope) { e.PayloadType = "text/plain" },
		"base64 with a new line": func(e *dsse.Envelope) { e.Payload = e.Payload[:8] + "\n" + e.Payload[8:] },
		"base64 for URLs": func(e *dsse.Envelope) {
			sig, _ := base64.StdEncoding.DecodeString(e.Signatures[0].Sig)
			e.Signatures[0].Sig = base64.RawURLEncoding.EncodeToString(sig)
		},
	} {
		altered := e
		altered.Signatures = append([]dsse.Signature(nil), e.Signatures...)
		change(&altered)
		data, err := json.Marshal(altered)
		require.NoError(t, err)
		_, err = gate.Verify(t.Context(), append(data, '\n'), []gate.Key{public}, gate.Wanted{}, s.Now)
		assert.Error(t, err, name)
	}
	es, err := dsse.NewEnvelopeSigner(key)
	require.NoError(t, err)
	payload, err := e.DecodeB64Payload()
	require.NoError(t, err)
	other, err := es.SignPayload(t.Context(), "application/json", payload)
	require.NoError(t, err)
	data, err := json.Marshal(other)
	require.NoError(t, err)
	_, err = gate.Verify(t.Context(), append(data, '\n'), []gate.Key{public}, gate.Wanted{}, s.Now)
	assert.ErrorContains(t, err, `its payload is a "application/json"`, "signed as something else")
	indented, err := json.MarshalIndent(e, "", "  ")
	require.NoError(t, err)
	_, err = gate.Verify(t.Context(), indented, []gate.Key{public}, gate.Wanted{}, s.Now)
	assert.ErrorContains(t, err, "not written as bootrace writes certificates")
}

func TestASignedStatementThatIsNoneOfTheGatesDoesNotVerify(t *testing.T) {
	t.Parallel()
	key, public := edwards(t)
	s := gatetest.Passing()
	es, err := dsse.NewEnvelopeSigner(key)
	require.NoError(t, err)
	var e dsse.Envelope
	require.NoError(t, json.Unmarshal(sign(t, s, key), &e))
	good, err := e.DecodeB64Payload()
	require.NoError(t, err)
	for _, tt := range []struct{ name, from, to string }{
		{"the very same", "", ""},
		{"another predicate", "test-result/v0.1", "test-result/v0.2"},
		{"an old statement", "Statement/v1", "Statement/v0.1"},
		{"another key", `"predicate":`, `"more":1,"predicate":`},
		{"another annotation", `"statistics":`, `"more":1,"statistics":`},
		{"a failed test among the passed", `"passedTests":["late@trixie#1",`, `"failedTests":["late@trixie#1"],"passedTests":[`},
		{"a result that its cases do not come to", `"result":"PASSED"`, `"result":"WARNED"`},
		{"another policy than its digest", `"content":"`, `"content":"AAAA`},
		{"no image", gatetest.Digest("b"), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			payload := bytes.Replace(good, []byte(tt.from), []byte(tt.to), 1)
			e, err := es.SignPayload(t.Context(), gate.PayloadType, payload)
			require.NoError(t, err)
			file, err := json.Marshal(e)
			require.NoError(t, err)
			_, err = gate.Verify(t.Context(), append(file, '\n'), []gate.Key{public}, gate.Wanted{}, s.Now)
			if tt.from == "" {
				assert.NoError(t, err)
				return
			}
			assert.NotEqual(t, good, payload, "nothing was changed")
			assert.Error(t, err)
		})
	}
}

func TestACertificateMustBeWhatIsWanted(t *testing.T) {
	t.Parallel()
	key, public := edwards(t)
	s := waivedSetup()
	failed := gatetest.Passing()
	failed.Fail("late", "", "start-rate")
	failed.Spoil(2)
	for _, tt := range []struct {
		name string
		file []byte
		want gate.Wanted
		at   time.Time
		err  string // empty: it verifies
	}{
		{"nothing in particular", sign(t, s, key), gate.Wanted{}, s.Now, ""},
		{"its image", sign(t, s, key), gate.Wanted{Image: "sha256:" + gatetest.Digest("b")}, s.Now, ""},
		{"its image, as hex", sign(t, s, key), gate.Wanted{Image: gatetest.Digest("c")}, s.Now, ""},
		{"the image that was given", sign(t, s, key), gate.Wanted{Image: gatetest.Digest("f")}, s.Now, ""},
		{"the base's image", sign(t, s, key), gate.Wanted{Image: gatetest.Digest("d")}, s.Now, "it is not about image sha256:dddd"},
		{"a part of its image", sign(t, s, key), gate.Wanted{Image: "sha256:bbbb"}, s.Now, "it is not about image"},
		{"an image of which the digest is missing", sign(t, s, key), gate.Wanted{Image: "sha256:"}, s.Now, "it is not about image sha256:"},
		{"a subject of which the hash is missing", sign(t, s, key), gate.Wanted{SubjectHash: "sha256:"}, s.Now, "it is about subject mine"},
		{"its subject", sign(t, s, key), gate.Wanted{SubjectHash: gatetest.Digest("a")}, s.Now, ""},
		{"another subject", sign(t, s, key), gate.Wanted{SubjectHash: gatetest.Digest("b")}, s.Now, "it is about subject mine"},
		{"its policy", sign(t, s, key), gate.Wanted{Policy: gate.PolicyFile{Source: "version: 1\n"}.Digest()}, s.Now, ""},
		{"another policy", sign(t, s, key), gate.Wanted{Policy: "sha256:" + gatetest.Digest("b")}, s.Now, "it was decided by another policy, gate.yaml (sha256:"},
		{"a policy of which the digest is missing", sign(t, s, key), gate.Wanted{Policy: "sha256:"}, s.Now, "it was decided by another policy"},
		{"young enough", sign(t, s, key), gate.Wanted{MaxAge: time.Hour}, s.Now.Add(time.Hour), ""},
		{"too old", sign(t, s, key), gate.Wanted{MaxAge: time.Hour}, s.Now.Add(time.Hour + time.Second), "at most 1h0m0s is wanted"},
		{"of tomorrow", sign(t, s, key), gate.Wanted{}, s.Now.Add(-time.Second), "a clock is wrong"},
		{"on the waiver's last day", sign(t, s, key), gate.Wanted{}, time.Date(2026, 3, 31, 23, 59, 59, 0, time.UTC), ""},
		{"on the day after it", sign(t, s, key), gate.Wanted{}, time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC), "its waiver of start-rate in late expired on 2026-03-31; ops@example.org"},
		{"a gate that failed", sign(t, failed, key), gate.Wanted{}, s.Now, "the gate failed: failed: late@trixie#1: start-rate: too often (and "},
		{"what a failed gate says", sign(t, failed, key), gate.Wanted{SignatureOnly: true}, s.Now, ""},
		{"what a failed gate says of another image", sign(t, failed, key), gate.Wanted{SignatureOnly: true, Image: gatetest.Digest("0")}, s.Now, "it is not about image"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := gate.Verify(t.Context(), tt.file, []gate.Key{public}, tt.want, tt.at)
			if tt.err == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.err)
			assert.Equal(t, "mine", c.Subject.Name, "its signature is right: it may be shown")
		})
	}
}

func TestEveryFailedGateHasACertificateThatNobodyAccepts(t *testing.T) {
	t.Parallel()
	key, public := edwards(t)
	for _, w := range gatetest.Ways() {
		s := gatetest.Passing()
		w.Spoil(&s)
		file, err := gate.Sign(t.Context(), certify(s), key)
		if err != nil {
			// There is nothing that it could be about.
			assert.Contains(t, []gate.Kind{gate.OtherSubject, gate.NoCases}, w.Kind, "%s: %v", w.Name, err)
			continue
		}
		_, err = gate.Verify(t.Context(), file, []gate.Key{public}, gate.Wanted{}, s.Now)
		assert.ErrorContains(t, err, "the gate failed", w.Name)
		_, err = gate.Verify(t.Context(), file, []gate.Key{public}, gate.Wanted{SignatureOnly: true}, s.Now)
		assert.NoError(t, err, w.Name)
	}
}

func TestACertificateThatContradictsItselfIsNotSigned(t *testing.T) {
	t.Parallel()
	key, _ := edwards(t)
	c := certify(gatetest.Passing())
	c.Reasons = []gate.Reason{{Kind: gate.Failed, About: "x", Text: "y"}}
	_, err := gate.Sign(t.Context(), c, key)
	assert.ErrorContains(t, err, "it says PASSED, and its cases and reasons come to FAILED")
}

func ExampleVerify() {
	s := gatetest.Passing()
	_, private, _ := ed25519.GenerateKey(rand.Reader)
	der, _ := x509.MarshalPKCS8PrivateKey(private)
	key, _ := gate.PrivateKey(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	ctx := context.Background()

	decision := gate.Decide(s.Policy, s.Plan, s.Run, s.Now)
	file, _ := gate.Sign(ctx, gate.Certify(s.Policy, s.Plan, s.Run, decision, s.Now), key)
	c, err := gate.Verify(ctx, file, []gate.Key{key}, gate.Wanted{MaxAge: 24 * time.Hour}, s.Now)
	fmt.Println(c.Result, c.Subject.Name, err)
	// Output: PASSED mine <nil>
}
