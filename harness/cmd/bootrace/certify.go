package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"bootrace/harness/check"
	"bootrace/harness/run"
	"bootrace/harness/wire"
	"bootrace/results"
	"bootrace/results/gate"
	"bootrace/scenarios"
)

// readPolicy reads the policy's file, or takes the default.
func readPolicy(file string) (gate.Policy, error) {
	if file == "" {
		return gate.DefaultPolicy()
	}
	source, err := os.ReadFile(file)
	if err != nil {
		return gate.Policy{}, fmt.Errorf("--policy: %w", err)
	}
	return gate.Parse(file, source)
}

// signingKey reads the key from its file, or takes it from the environment, where
// no program that the gate starts finds it.
func signingKey(file string) (gate.Key, error) {
	text, from := []byte(os.Getenv(gateKey)), "$"+gateKey
	if err := os.Unsetenv(gateKey); err != nil {
		return nil, err
	}
	if file != "" {
		var err error
		if text, err = os.ReadFile(file); err != nil {
			return nil, fmt.Errorf("--key: %w", err)
		}
		from = "--key " + file
	}
	if len(text) == 0 {
		return nil, errors.New("there is no key to sign the certificate with")
	}
	key, err := gate.PrivateKey(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	return key, nil
}

// gatePlan is what is known of the plan before anything is built.
func gatePlan(list []scenarios.Scenario) gate.Plan {
	p := gate.Plan{Scenarios: map[string]string{}, Harness: harnessVersion()}
	for _, s := range list {
		sum := sha256.Sum256(s.Source)
		p.Scenarios[s.Name] = hex.EncodeToString(sum[:])
	}
	for _, c := range check.Table() {
		p.Checks = append(p.Checks, c.Name)
	}
	return p
}

// boots adds to the plan what boots.
func boots(p *gate.Plan, lab wire.Lab, cases []run.Case) {
	p.Subject, p.Hash, p.Images, p.Bases, p.Given = lab.Names[0], lab.Hash(), lab.Workers(), lab.Bases, lab.Given
	for _, c := range cases {
		p.Cases = append(p.Cases, gate.Planned{ID: c.ID, Scenario: c.Scenario.Name, Base: c.Base, Repetition: c.Repetition, Expected: c.Scenario.Expect.Verdict})
	}
}

// harnessVersion is what the Go command stamped: the release, or the commit where it is none,
// with +modified where the tree was another than the commit's. Two builds of no commit are never
// the same: their own digest tells them apart.
func harnessVersion() string {
	version := stampedVersion()
	if !strings.Contains(version, "(devel)") && !strings.Contains(version, "+") {
		return version
	}
	return version + " " + ownDigest()
}

// ownDigest is the beginning of the SHA-256 of this program.
var ownDigest = sync.OnceValue(func() string {
	file, err := os.Executable()
	if err != nil {
		return "unknown"
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return "unknown"
	}
	return fmt.Sprintf("sha256:%.6x", sha256.Sum256(data))
})

func stampedVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	stamped := map[string]string{}
	for _, s := range info.Settings {
		stamped[s.Key] = s.Value
	}
	version := info.Main.Version
	if commit := stamped["vcs.revision"]; commit != "" && !strings.Contains(version, commit[:min(12, len(commit))]) {
		version += " " + commit[:min(12, len(commit))]
		if stamped["vcs.modified"] == "true" {
			version += "+modified"
		}
	}
	return version + " " + info.GoVersion
}

// conclusion is a run that is over, and what it is held against.
type conclusion struct {
	policy gate.Policy
	plan   gate.Plan
	run    results.Run
	err    error // of the run
	now    time.Time
}

// replacement is a file that appears whole or not at all.
type replacement interface {
	Write([]byte) (int, error)
	CloseAtomicallyReplace() error
}

// certify decides, says so, and writes the certificate. Its error has the exit code.
func (c conclusion) certify(ctx context.Context, io streams, key gate.Key, out replacement) error {
	d := gate.Decide(c.policy, c.plan, c.run, c.now)
	if c.err != nil {
		d.Refuse(gate.Broken, "the run", "%v", c.err)
	}
	certificate := gate.Certify(c.policy, c.plan, c.run, d, c.now)
	file, err := gate.Sign(ctx, certificate, key)
	if err == nil {
		_, err = out.Write(file)
	}
	if err == nil {
		err = out.CloseAtomicallyReplace()
	}
	printCertificate(io, certificate)
	switch {
	case err != nil: // without it nobody learns that the gate passed
		return exitError{exitInvalid, fmt.Errorf("there is no certificate: %w", err)}
	case d.Undecided():
		return exitError{exitInvalid, c.err}
	case d.Result() == gate.NotPassed:
		return exitError{exitFailure, c.err}
	}
	return nil
}

// printCertificate says what the gate came to: the result, why, and what was let
// through all the same.
func printCertificate(io streams, c gate.Certificate) {
	st := style{io.color}
	word := map[gate.Result]string{gate.Passed: "pass", gate.Warned: "pass"}[c.Result]
	if word == "" {
		word = "fail"
	}
	fmt.Fprintf(io.out, "%s gate %s: subject %s (%.12s), run %s, decided %s\n", st.verdict(word), c.Result, c.Subject.Name, c.Subject.Hash,
		c.Run.ID, c.Run.Decided.Format(time.RFC3339))
	for _, r := range c.Reasons {
		fmt.Fprintf(io.out, "        %s: %s: %s\n", r.Kind, oneLine(r.About, maxReason), oneLine(r.Text, maxReason))
	}
	for _, i := range c.Images {
		count := map[gate.Outcome]int{}
		for _, j := range i.Cases {
			count[j.Outcome]++
		}
		fmt.Fprintf(io.out, "        %s: %d passed, %d warned, %d failed; Vector: %s; image %s\n", i.Base,
			count[gate.CasePassed], count[gate.CaseWarned], count[gate.CaseFailed], results.WithDigest(i.Versions["vector"], i.Versions[results.VersionVectorDigest]), i.Digest)
		for _, j := range i.Cases {
			switch j.Outcome {
			case gate.CaseWarned:
				fmt.Fprintf(io.out, "          %s: %s\n", j.ID, warning(j))
			case gate.CaseAside:
				fmt.Fprintf(io.out, "          %s: not applicable: %s\n", j.ID, oneLine(j.Why, maxReason))
			}
		}
		for _, f := range i.Found {
			fmt.Fprintf(io.out, "          image: %s: %s\n", f.Name, oneLine(f.Text, maxReason))
		}
	}
	for _, w := range c.Waivers {
		fmt.Fprintf(io.out, "        waived until %s: %s in %s: %s (%s)\n", w.Expires, w.Check, w.Scenario, oneLine(w.Reason, maxReason), w.Owner)
	}
}

// warning is why a case that did not pass is let through.
func warning(j gate.Judged) string {
	switch {
	case len(j.Waived) > 0:
		return "waived: " + strings.Join(j.Waived, ", ")
	case j.Expected == "fail":
		return "known to fail"
	}
	return j.Verdict + ", tolerated"
}
