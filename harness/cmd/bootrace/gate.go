package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"bootrace/harness/run"
	"bootrace/harness/wire"
	"bootrace/results/gate"
	"bootrace/scenarios"
)

// gateKey is the variable that holds the signing key where --key names no file:
// CI servers keep secrets in variables.
const gateKey = "BOOTRACE_GATE_KEY"

// gateFlags is what the user may say of a gate; how often what is booted, and on
// what, is the policy's to say.
type gateFlags struct {
	runFlags
	policy string
	key    string
	out    string
}

func gateCommand(io streams) *cobra.Command {
	var g gateFlags
	cmd := &cobra.Command{
		Use:   "gate",
		Short: "Boot what a policy wants of a subject, decide, and write a signed certificate",
		Long: `gate boots the policy's scenarios, decides whether the subject may go into a
worker image, and writes what it came to as a signed certificate: an in-toto
test-result in a DSSE envelope. A gate that fails is certified as well.

A key is made with: openssl genpkey -algorithm ed25519 -out key.pem
and its public half, for verify-certificate, with: openssl pkey -in key.pem -pubout -out key.pub.pem

Exit codes: 0 it passes, 1 something is wrong, 2 usage, 3 it cannot be decided.`,
		Example: `  bootrace gate --subject ./my-populator --policy gate.yaml --key key.pem
  bootrace gate --image worker:candidate --policy gate.yaml --key key.pem --out candidate.dsse.json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return runGate(cmd.Context(), io, g) },
	}
	fl := cmd.Flags()
	g.tests(fl)
	g.realVector(fl)
	g.atOnce(fl)
	dbFlag(fl, &g.db)
	fl.StringVar(&g.policy, "policy", "", "what must be shown (default: the gate's scenarios, twice, on all bases, with the real Vector)")
	fl.StringVar(&g.key, "key", "", "file with the key that signs, PEM (default: the key itself in $"+gateKey+")")
	fl.StringVar(&g.out, "out", "gate.dsse.json", "where the certificate goes")
	return cmd
}

// policyVector is what --vector has to say, so that the Vector is one that the
// policy takes. That of an image that was given stays as it is, and is seen when it boots.
func policyVector(policy gate.Policy, f runFlags) (string, error) {
	v, err := chosenVector(f)
	switch {
	case err != nil || policy.Vector != gate.Real || f.image != "":
	case v.IsStandIn():
		err = advice{fmt.Errorf("%s wants the real Vector, and --vector or $VECTOR the stand-in", policy.File), "name a real one, or say vector: any"}
	case v.IsAuto():
		return "real", nil
	}
	return vectorSource(f), err
}

func runGate(ctx context.Context, io streams, g gateFlags) error {
	policy, err := readPolicy(g.policy)
	if err != nil {
		return usage(err)
	}
	if len(g.subjects) > 1 {
		return usage(errors.New("--subject: a gate is about one"))
	}
	g.bases, g.repeat = policy.Bases, policy.Repeat
	if err := g.validate(); err != nil {
		return usage(fmt.Errorf("%s: %w", policy.File, err))
	}
	if g.vector, err = policyVector(policy, g.runFlags); err != nil {
		return usage(err)
	}
	list, err := scenarios.Choose(policy.Scenarios)
	if err != nil {
		return usage(err)
	}
	p := gatePlan(list)
	if err := policy.CheckWaivers(p); err != nil {
		return usage(err)
	}
	key, err := signingKey(g.key)
	if err != nil {
		return usage(advice{err, "openssl genpkey -algorithm ed25519 -out key.pem makes one; give it with --key or $" + gateKey})
	}
	if info, err := os.Stat(g.out); err == nil && info.IsDir() { // which would be removed, if it is empty
		return usage(fmt.Errorf("--out %s: a directory: expected the name of a file", g.out))
	}
	pending, err := renameio.NewPendingFile(g.out, renameio.WithPermissions(0o644))
	if err != nil {
		return usage(fmt.Errorf("--out %s: %w", g.out, err))
	}
	defer func() { _ = pending.Cleanup() }()
	// A gate that dies leaves no certificate, least of all one of an earlier gate.
	if err := os.Remove(g.out); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return usage(fmt.Errorf("--out %s: %w", g.out, err))
	}
	j := scenarioJob(list, g.runFlags, nil)
	cases := j.plan
	j.plan = func(lab wire.Lab, m run.Matrix) ([]run.Case, error) {
		made, err := cases(lab, m)
		boots(&p, lab, made)
		return made, err
	}
	r, err := j.run(ctx, io)
	if r.ID == "" { // it did not begin
		return err
	}
	printRun(io, r)
	c := conclusion{policy: policy, plan: p, run: r, err: err, now: time.Now()}
	return c.certify(context.WithoutCancel(ctx), io, key, pending)
}
