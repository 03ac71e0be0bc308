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

// check prints what `vector validate` prints, and gives 78 for anything wrong.
func (v *vector) check() int {
	out, file := v.stdout, paths(v.options)
	cfg, err := v.load()
	if err != nil {
		return report(out, "Failed to load "+file, err)
	}
	if problems := topology.Unconfined(cfg, v.version); len(problems) > 0 && (!v.options.noEnvironment || v.version.ConfinesBare()) {
		return report(out, "Component errors", problems)
	}
	if undecided(cfg, v.stdout, v.stderr) {
		return exitConfig
	}
	if len(cfg.Warnings) > 0 {
		title := "Loaded with warnings " + file
		fmt.Fprintf(out, "%s\n%s\n", title, strings.Repeat("-", len(title)))
		for _, warning := range cfg.Warnings {
			fmt.Fprintf(out, "~ %s\n", warning)
		}
		fmt.Fprintln(out)
		if v.options.denyWarnings {
			return exitConfig
		}
	} else {
		fmt.Fprintf(out, "√ Loaded %s\n", file)
	}
	if v.version.ChecksPrograms() {
		if problems := cfg.ProgramErrors(); len(problems) > 0 {
			return report(out, "Transforms configuration", problems)
		}
		fmt.Fprintln(out, "√ Transforms configuration")
	}
	if !v.options.noEnvironment {
		// Vector's first question of all, whether a component wants the directory or not.
		if err := topology.CheckDataDir(cfg.DataDir, ""); err != nil {
			fmt.Fprintf(out, "x %v\n", err)
			return exitConfig
		}
		if problems := topology.Check(cfg, v.build); len(problems) > 0 {
			return report(out, "Component errors", problems)
		}
		fmt.Fprintln(out, "√ Component configuration")
		if !v.options.skipHealthchecks && !validateHealth(out, cfg, v.build) {
			return exitConfig
		}
	}
	fmt.Fprintf(out, "%s\n%35s\n", strings.Repeat("-", 36), "Validated by the "+standIn)
	return exitOK
}

func validateHealth(out io.Writer, cfg *config.Config, build topology.Options) bool {
	healthy := true
	for _, h := range topology.CheckHealth(context.Background(), cfg, build) {
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
