package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"bootrace/images/vector/config"
	"bootrace/images/vector/topology"
)

// validate prints what `vector validate` prints, and gives 78 for anything wrong.
func validate(out io.Writer, opts options, load func() (*config.Config, error), build topology.Options) int {
	file := fmt.Sprintf("[%q]", opts.config)
	cfg, err := load()
	if err != nil {
		return report(out, "Failed to load "+file, err)
	}
	for _, warning := range cfg.Warnings {
		fmt.Fprintf(out, "~ %s\n", warning)
	}
	fmt.Fprintf(out, "√ Loaded %s\n", file)
	if opts.denyWarnings && len(cfg.Warnings) > 0 {
		return exitConfig
	}
	if !opts.noEnvironment {
		if problems := topology.Check(cfg, build); len(problems) > 0 {
			return report(out, "Component errors", problems)
		}
		fmt.Fprintln(out, "√ Component configuration")
		if !opts.skipHealthchecks && !validateHealth(out, cfg, build) {
			return exitConfig
		}
	}
	fmt.Fprintf(out, "%s\n%35s\n", strings.Repeat("-", 36), "Validated by the "+standIn)
	return exitOK
}

func validateHealth(out io.Writer, cfg *config.Config, build topology.Options) bool {
	ctx, cancel := context.WithTimeout(context.Background(), healthTimeout)
	defer cancel()
	healthy := true
	for _, h := range topology.CheckHealth(ctx, cfg, build) {
		switch {
		case h.Disabled:
			fmt.Fprintf(out, "~ Health check disabled for %q\n", h.Sink)
		case h.Err != nil:
			fmt.Fprintf(out, "x Health check for %q failed: %v\n", h.Sink, h.Err)
			healthy = false
		default:
			fmt.Fprintf(out, "√ Health check %q\n", h.Sink)
		}
	}
	return healthy
}

func report(out io.Writer, title string, err error) int {
	var problems config.Errors
	if !errors.As(err, &problems) {
		problems = config.Errors{err.Error()}
	}
	fmt.Fprintf(out, "%s\n%s\n", title, strings.Repeat("-", len(title)))
	for _, problem := range problems {
		fmt.Fprintf(out, "x %s\n", problem)
	}
	fmt.Fprintln(out)
	return exitConfig
}
