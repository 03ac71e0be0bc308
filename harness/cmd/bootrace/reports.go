package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"bootrace/harness/judge"
	"bootrace/harness/picture"
	"bootrace/results"
	"bootrace/results/report"
)

// form writes a run. A run to compare it with, and what the runs before it
// measured, are in others.
type form func(w io.Writer, r results.Run, others others) error

// others are the runs beside the one that is written, read when they are wanted.
type others struct {
	against string // the run to compare with, or none
	run     func(id string) (results.Run, error)
	samples func() ([]results.Sample, error)
}

// forms are what a run can be written as.
var forms = map[string]form{
	"chrome":   alone(ofBoots(report.Chrome)),
	"github":   alone(report.Annotations),
	"html":     writePage,
	"junit":    alone(report.JUnit),
	"markdown": alone(report.Markdown),
	"otlp":     alone(ofBoots(report.OTLP)),
}

// alone is a form that looks at no other run.
func alone(write func(io.Writer, results.Run) error) form {
	return func(w io.Writer, r results.Run, o others) error {
		if o.against != "" {
			return usage(fmt.Errorf("--against %s: only --form html compares", o.against))
		}
		return write(w, r)
	}
}

func reportCommand(io streams) *cobra.Command {
	var db, runID, form, endpoint, against string
	names := strings.Join(slices.Sorted(maps.Keys(forms)), ", ")
	cmd := &cobra.Command{
		Use: "report", Short: "Write a run as a page to read, for CI servers, as traces of its boots, or send those", Args: noArguments,
		Long: "Writes a run: as one page of HTML to read; as JUnit XML or as Markdown, for CI servers; as GitHub's annotations; its boots as Chrome trace JSON, which\n" +
			"ui.perfetto.dev opens, or as OpenTelemetry traces in OTLP's JSON. With --endpoint, or with\n" +
			"OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT set, --form otlp sends the traces over\n" +
			"OTLP/HTTP instead; OTEL_EXPORTER_OTLP_HEADERS is heeded. Sending a run twice makes no second trace.",
		Example: "  bootrace report --form html > report.html\n  bootrace report --form junit > junit.xml\n  bootrace report --form markdown >> $GITHUB_STEP_SUMMARY\n" +
			"  bootrace report --form chrome > boots.json\n  bootrace report --form otlp --endpoint http://localhost:4318",
		RunE: func(cmd *cobra.Command, _ []string) error {
			write, ok := forms[form]
			if !ok {
				return usage(fmt.Errorf("--form %q: expected one of %s", form, names))
			}
			collector, send, err := report.CollectorAt(endpoint, os.Getenv)
			switch {
			case form != "otlp" && endpoint != "":
				return usage(errors.New("--endpoint is where --form otlp sends to"))
			case form != "otlp":
				send = false
			case err != nil:
				return usage(err)
			}
			r, err := stored(cmd.Context(), io, db, runID, nil)
			if err != nil {
				return err
			}
			if !send {
				return write(io.out, r, others{against,
					func(id string) (results.Run, error) { return stored(cmd.Context(), io, db, id, nil) },
					func() ([]results.Sample, error) {
						return sampled(cmd.Context(), io, db, results.Filter{Runs: trendRuns}, nil, nil)
					}})
			}
			sent, err := collector.Send(cmd.Context(), withBoots(r))
			if err != nil {
				return err
			}
			fmt.Fprintf(io.out, "sent %d traces of %d spans to %s\n", sent.Traces, sent.Spans, collector.URL)
			if sent.Warning != "" {
				fmt.Fprintf(io.err, "the collector says: %s\n", sent.Warning)
			}
			return nil
		},
	}
	dbFlag(cmd.Flags(), &db)
	cmd.Flags().StringVar(&runID, "run", latestRun, "the run, by id or its beginning; latest~1 is the one before the latest")
	cmd.Flags().StringVar(&form, "form", "", "one of "+names)
	cmd.Flags().StringVar(&endpoint, "endpoint", "", "with --form otlp: the collector to send to, such as http://localhost:4318")
	cmd.Flags().StringVar(&against, "against", "", "with --form html: a run to compare the critical chains with")
	return cmd
}

// ofBoots is a form that draws boots.
func ofBoots(write func(io.Writer, results.Run) error) func(io.Writer, results.Run) error {
	return func(w io.Writer, r results.Run) error { return write(w, withBoots(r)) }
}

// withBoots adds to cases that were stored before boots were what their
// recordings still show. Where the recording is gone, the case stays without.
func withBoots(r results.Run) results.Run {
	r.Cases = slices.Clone(r.Cases)
	for i := range r.Cases {
		c := &r.Cases[i]
		c.Attempts = slices.Clone(c.Attempts)
		for n := range c.Attempts {
			a := &c.Attempts[n]
			if a.Recording != c.Recording || a.Boot != nil {
				continue
			}
			j, err := judge.Recording(os.DirFS(a.Recording))
			if err != nil {
				continue
			}
			if boot := picture.Of(j.Boot, j.Expect.Setup, j.Expect.Control); boot.End > 0 {
				a.Boot = &boot
			}
		}
	}
	return r
}
