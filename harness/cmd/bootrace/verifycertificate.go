package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"bootrace/results/gate"
)

func verifyCertificateCommand(io streams) *cobra.Command {
	var want gate.Wanted
	var public []string
	cmd := &cobra.Command{
		Use:   "verify-certificate FILE",
		Short: "Check a certificate of bootrace gate: who signed it, what it is about, that the gate passed",
		Long: `verify-certificate checks the signature, what the certificate is about, how old it
is, and that the gate passed.

Exit codes: 0 it verifies, 1 it does not, 2 usage.`,
		Example: `  bootrace verify-certificate gate.dsse.json --public-key key.pub.pem
  bootrace verify-certificate gate.dsse.json --public-key key.pub.pem --image sha256:… --policy gate.yaml --max-age 24h`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			// What a script's variable should have held, and did not, is not "any".
			var err error
			cmd.Flags().Visit(func(f *pflag.Flag) {
				if v := f.Value.String(); v == "" || v == "0s" {
					err = usage(advice{fmt.Errorf("--%s is given without a value", f.Name), "leave it out to take any"})
				}
			})
			if err != nil {
				return err
			}
			return runVerifyCertificate(cmd.Context(), io, args[0], public, want)
		},
	}
	fl := cmd.Flags()
	fl.StringSliceVar(&public, "public-key", nil, "file with the public half of the gate's key, PEM; of several keys one must have signed")
	fl.StringVar(&want.Image, "image", "", "digest of an image that it must be about: the image's id, or what a registry knows it by")
	fl.StringVar(&want.SubjectHash, "subject-hash", "", "hash of the subject that it must be about")
	fl.StringVar(&want.Policy, "policy", "", "`FILE` or digest of the policy that it must have been decided by")
	fl.DurationVar(&want.MaxAge, "max-age", 0, "how old it may be, such as 24h (default: any)")
	fl.BoolVar(&want.SignatureOnly, "signature-only", false, "take the certificate of a failed gate, too: show what is signed")
	return cmd
}

func runVerifyCertificate(ctx context.Context, io streams, file string, public []string, want gate.Wanted) error {
	switch {
	case len(public) == 0:
		return usage(advice{errors.New("--public-key is missing: without it anybody may have signed"), "openssl pkey -in key.pem -pubout writes the public half of the gate's key"})
	case want.MaxAge < 0:
		return usage(fmt.Errorf("--max-age %s: expected a duration such as 24h", want.MaxAge))
	}
	if want.Policy != "" && !strings.HasPrefix(want.Policy, "sha256:") {
		source, err := os.ReadFile(want.Policy)
		if err != nil {
			return usage(fmt.Errorf("--policy: %w", err))
		}
		want.Policy = gate.PolicyFile{Source: string(source)}.Digest()
	}
	var keys []gate.Key
	for _, name := range public {
		pem, err := os.ReadFile(name)
		if err != nil {
			return usage(fmt.Errorf("--public-key: %w", err))
		}
		key, err := gate.PublicKey(pem)
		if err != nil {
			return usage(fmt.Errorf("--public-key %s: %w", name, err))
		}
		keys = append(keys, key)
	}
	signed, err := os.ReadFile(file)
	if err != nil {
		return usage(err)
	}
	c, err := gate.Verify(ctx, signed, keys, want, time.Now())
	if err != nil {
		return exitError{exitFailure, fmt.Errorf("%s does not verify: %w", file, err)}
	}
	printCertificate(io, c)
	return nil
}
