package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"bootrace/harness/boot"
	"bootrace/harness/derive"
	"bootrace/harness/timeline"
	"bootrace/scenarios"
)

func scenarioCommand(io streams) *cobra.Command {
	var from []string
	j := judging{io: io}
	var name string
	cmd := &cobra.Command{
		Use: "scenario --from JOURNAL", Short: "Derive a scenario from what a host kept of its boot",
		Long: `scenario prints the scenario of a boot that a log is of: when worker.env came, what IMDS, the vault
and Axiom answered as far as a program's log says, when somebody restarted Vector or the
populator. Behind each
value stands the line that it rests on; what is not known is marked, with what is assumed.
It reads what judge reads.`,
		Example: "  bootrace scenario --from worker-7.export > incident.yaml && bootrace run ./incident.yaml",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !scenarioName.MatchString(name) {
				return usage(fmt.Errorf("--name %q: expected small letters, digits and hyphens", name))
			}
			if len(from) == 0 {
				return usage(advice{fmt.Errorf("--from is missing"), "give a journal, as to bootrace judge"})
			}
			tl, err := j.single(cmd.Context(), from)
			if err != nil {
				return usage(err)
			}
			text := derive.Scenario(name, boot.Of(tl))
			if _, err := scenarios.Parse(name+".yaml", []byte(text)); err != nil {
				return fmt.Errorf("what was derived is no scenario, which is a fault of bootrace's: %w\n%s", err, text)
			}
			fmt.Fprint(io.out, text)
			return nil
		},
	}
	cmd.Flags().StringArrayVar(&from, "from", nil, "the log of the boot; several of one boot with several --from")
	cmd.Flags().StringVar(&name, "name", "from-journal", "the scenario's name")
	cmd.Flags().StringVar(&j.boot, "boot", "", "of several boots in a file: as of judge (default: the last)")
	return cmd
}

// scenarioName is what the strict loader takes for one.
var scenarioName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// single is the boot that the files are of: the last, where --boot names none.
func (j *judging) single(ctx context.Context, paths []string) (timeline.Timeline, error) {
	var files []timeline.LogFile
	for _, p := range paths {
		more, err := j.filesOf(p)
		if err != nil {
			return timeline.Timeline{}, err
		}
		files = append(files, more...)
	}
	boots, err := timeline.ReadLogs(ctx, files)
	if err != nil && (len(boots) == 0 || len(files) == len(paths)) { // of a directory, what is no log is left out
		return timeline.Timeline{}, err
	}
	j.boot = cmp.Or(j.boot, "0")
	chosen, err := j.chosen(boots)
	if err != nil {
		return timeline.Timeline{}, err
	}
	return chosen[0].log.Timeline(), nil
}

func thresholdsCommand(io streams) *cobra.Command {
	var asJSON, asScenario bool
	cmd := &cobra.Command{
		Use: "thresholds DIR", Short: "Say how long a fleet's boots take, from its hosts' journals",
		Long: `thresholds reads a directory of hosts as judge does, and says p50, p95 and p99 of each delay
with the number of boots and the 95 % interval. A percentile that the boots are too few
for is refused: p50 wants 6, p95 72, p99 368.`,
		Example: "  bootrace thresholds ./hosts\n  bootrace thresholds ./hosts --scenario > fleet.yaml",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return thresholds(cmd.Context(), io, args[0], asJSON, asScenario)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&asScenario, "scenario", false, "print a scenario with the largest values that can be named")
	return cmd
}

func thresholds(ctx context.Context, io streams, dir string, asJSON, asScenario bool) error {
	if !isDir(dir) {
		return usage(advice{fmt.Errorf("%s: no directory", dir), "give a directory with a file, or a directory, for each host"})
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return usage(err)
	}
	j := judging{io: io}
	var fleet [][]boot.Delay
	hosts := 0
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		files, err := j.filesOf(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		boots, _ := timeline.ReadLogs(ctx, files) // what is no log of a boot adds nothing
		for _, b := range boots {
			fleet = append(fleet, boot.Of(b.Timeline()).Delays())
		}
		hosts += min(1, len(boots))
	}
	if len(fleet) == 0 {
		return usage(fmt.Errorf("%s: no file in it is a log of a boot", dir))
	}
	all := derive.Thresholds(fleet)
	switch {
	case asJSON:
		enc := json.NewEncoder(io.out)
		enc.SetIndent("", "  ")
		return enc.Encode(all)
	case asScenario:
		text := derive.FleetScenario(all, derive.Origin{From: dir, Boots: len(fleet), Date: time.Now()})
		if _, err := scenarios.Parse("fleet.yaml", []byte(text)); err != nil {
			return fmt.Errorf("what was derived is no scenario, which is a fault of bootrace's: %w\n%s", err, text)
		}
		fmt.Fprint(io.out, text)
		return nil
	}
	fmt.Fprintf(io.out, "%d boots of %d hosts in %s\n", len(fleet), hosts, dir)
	for _, t := range all {
		fmt.Fprintf(io.out, "\n%-15s from %s to %s: n=%d", t.Delay, t.From, t.To, t.N)
		if t.AtMost > 0 {
			fmt.Fprintf(io.out, ", of %d the latest it may have been", t.AtMost)
		}
		fmt.Fprintln(io.out)
		for _, p := range t.Named {
			fmt.Fprintf(io.out, "  p%-3.0f %9.2fs   95 %% interval %.2fs to %.2fs\n", p.P*100, p.Value, p.Low, p.High)
		}
		for _, why := range t.Refused {
			fmt.Fprintf(io.out, "  refused: %s\n", why)
		}
	}
	return nil
}
