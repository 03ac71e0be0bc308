package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"bootrace/harness/boot"
	"bootrace/harness/derive"
	"bootrace/harness/judge"
	"bootrace/harness/likeness"
	"bootrace/harness/run"
	"bootrace/harness/timespan"
	"bootrace/harness/wire"
	"bootrace/results"
	"bootrace/scenarios"
)

func reproduceCommand(io streams) *cobra.Command {
	p := reproducing{judging: judging{io: io}}
	cmd := &cobra.Command{
		Use: "reproduce JOURNAL...", Short: "Boot what a journal is of again, and say how alike the boots are",
		Long: `reproduce derives the scenario of a boot from its journal, as scenario --from does, boots it
with the subject, and compares: whether the boots fail in what the journal does, whether
their key events come in the same order, and when they come. The boots are looked at
through the journal: what it cannot show is said, and is no difference. It reads what
judge reads.

Exit codes: 0 reproduced, and so is a boot in which nothing was wrong; 1 not reproduced,
with what differs and what to try; 2 usage; 3 the journal or the boots say too little.`,
		Example: "  bootrace reproduce worker-7.export --subject ./my-populator\n  bootrace reproduce console.txt journal.txt --subject ./my-populator --base bookworm --repeat 5",
		Args:    cobra.MinimumNArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return p.run(cmd.Context(), args) },
	}
	fl := cmd.Flags()
	p.flags.builds(fl)
	dbFlag(fl, &p.flags.db)
	fl.StringVar(&p.subject, "subject", "", "`DIR` of what the host had (default: this project's populator)")
	fl.IntVar(&p.flags.repeat, "repeat", 3, "boots; what most of them do counts")
	fl.BoolVar(&p.flags.keep, "keep", false, "leave all machines running: bootrace shell opens them, bootrace clean removes them")
	fl.StringVar(&p.boot, "boot", "", "of several boots in a file: as of judge (default: the last)")
	fl.BoolVar(&p.asJSON, "json", false, "print JSON")
	return cmd
}

// reproducing is one call of reproduce.
type reproducing struct {
	judging
	flags   runFlags
	subject string
}

func (p *reproducing) run(ctx context.Context, args []string) error {
	if err := p.validate(args); err != nil {
		return usage(err)
	}
	tl, err := p.single(ctx, args)
	if a := (adviser)(nil); errors.As(err, &a) {
		return usage(err)
	}
	if err != nil {
		return usage(advice{err, "give what journalctl -b -o export printed; bootrace judge --help lists the forms"})
	}
	journal := judge.Log(tl, limits(), boot.Control{})
	if why := likeness.Mute(journal); why != "" {
		return exitError{exitInvalid, advice{fmt.Errorf("%s: %s", tl.Origin.Files[0].Name, why), "give the whole journal of the boot: journalctl -b -o export"}}
	}
	scenario, err := scenarios.Parse(derivedName+".yaml", []byte(derive.Scenario(derivedName, journal.Boot)))
	if err != nil {
		return fmt.Errorf("what was derived is no scenario, which is a fault of bootrace's: %w", err)
	}
	fmt.Fprintf(p.io.err, "%s; a boot takes up to %s\n", envOf(scenario), timespan.Format(scenario.Look.Window.Duration))
	j := job{flags: p.flags, subjects: wire.Dirs(p.flags.subjects...), plan: func(lab wire.Lab, m run.Matrix) ([]run.Case, error) {
		m.Subject = lab.Names[0]
		return run.Plan([]scenarios.Scenario{scenario}, m), nil
	}}
	r, err := j.run(ctx, p.io)
	switch {
	case r.ID == "": // it did not begin
		return err
	case err != nil:
		return exitError{exitInvalid, err}
	}
	l, err := compared(ctx, journal, r)
	if err != nil {
		return exitError{exitInvalid, err}
	}
	if p.asJSON {
		err = printJSON(p.io.out, l)
	} else {
		printLikeness(p.io, likened{l, journal, scenario, r})
	}
	if err != nil {
		return err
	}
	if code := likenessCodes[l.Verdict]; code != exitOK {
		return exitError{code, nil}
	}
	return nil
}

// derivedName is what the scenario of a journal is called.
const derivedName = "reproduced"

var likenessCodes = map[likeness.Verdict]int{likeness.Reproduced: exitOK, likeness.NotReproduced: exitFailure, likeness.Undecided: exitInvalid}

func (p *reproducing) validate(args []string) error {
	if p.subject != "" {
		p.flags.subjects = []string{p.subject}
	}
	if err := p.flags.validate(); err != nil {
		return err
	}
	if len(p.flags.bases) > 1 {
		return errors.New("--base: one, that which is most like the host")
	}
	if i := slices.IndexFunc(args, isRecording); i >= 0 {
		return advice{fmt.Errorf("%s is a recording of bootrace, and no host's journal", args[i]), "bootrace run boots its scenario.yaml again"}
	}
	return nil
}

// compared holds the run's boots against the journal. Those that were not judged say nothing
// of it, and most must.
func compared(ctx context.Context, journal judge.Judgement, r results.Run) (likeness.Likeness, error) {
	var boots []likeness.Boot
	spoilt := ""
	for _, c := range r.Cases {
		if c.Unjudged() {
			spoilt = fmt.Sprintf("%s: %s: %s", c.ID, c.Verdict, c.Reason)
			continue
		}
		b, err := likeness.Read(ctx, c.ID, os.DirFS(c.Recording), journal)
		if err != nil {
			return likeness.Likeness{}, err
		}
		boots = append(boots, b)
	}
	l := likeness.Of(journal, boots)
	if 2*len(boots) <= r.Planned {
		l.Verdict, l.Reason = likeness.Undecided, fmt.Sprintf("%d of %d boots were judged; %s", len(boots), r.Planned, spoilt)
	}
	return l, nil
}
