package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"bootrace/images/vector/config"
	"bootrace/images/vector/topology"
	"bootrace/images/vector/tracing"
)

// Exit codes are those of sysexits(3), which Vector uses, but for the command line.
const (
	exitOK       = 0
	exitUsage    = 2 // clap's
	exitSoftware = 70
	exitConfig   = 78
)

// process is what the program takes from the world.
type process struct {
	args           []string
	environ        []string
	signals        <-chan os.Signal
	stdout, stderr io.Writer
}

func run(p process) int {
	hostname, _ := os.Hostname()
	vars := config.Environ(p.environ, hostname)
	version, err := playedVersion(vars)
	if err != nil {
		fmt.Fprintf(p.stderr, "bootrace stand-in for vector: %v\n", err)
		return exitConfig
	}
	opts, err := parseArgs(p.args, vars)
	if err != nil {
		fmt.Fprintf(p.stderr, "error: %v\n\nFor more information, try '--help'.\n", err)
		return exitUsage
	}
	switch {
	case opts.help:
		fmt.Fprint(p.stdout, usage)
		return exitOK
	case opts.version:
		fmt.Fprintf(p.stdout, "vector %s (%s)\n", version, standIn)
		return exitOK
	}

	log := tracing.New(p.stderr, opts.level, opts.rateLimit)
	v := &vector{
		process: p,
		options: opts,
		vars:    vars,
		version: version,
		build: topology.Options{
			Log:       log,
			Host:      hostname,
			Vars:      vars,
			Version:   version,
			UserAgent: fmt.Sprintf("Vector/%s (%s)", version, standIn),
			Started:   time.Now(),
			Stdout:    p.stdout,
			Stderr:    p.stderr,
		},
	}
	if opts.validate {
		return v.check()
	}
	log.Info("This is the "+standIn+".", tracing.Target("bootrace::vector"), "plays", version.String())
	log.Info("Log level is enabled.", tracing.Target("vector::app"), "level", strings.ToLower(opts.level.String()))
	log.Info("Loading configs.", tracing.Target("vector::app"), "paths", tracing.Display(paths(opts)))
	return v.serve()
}

// vector is one run of the program.
type vector struct {
	process
	options options
	vars    map[string]string
	version config.Version
	build   topology.Options
}

// paths are the files and directories as Vector prints them.
func paths(o options) string {
	var all []string
	for _, f := range o.files {
		all = append(all, strconv.Quote(f.Path))
	}
	for _, dir := range o.dirs {
		all = append(all, strconv.Quote(dir))
	}
	return "[" + strings.Join(all, ", ") + "]"
}

func (v *vector) load() (*config.Config, error) {
	cfg, err := config.LoadFiles(v.options.files, v.options.dirs, config.Options{
		Vars:        v.vars,
		Interpolate: v.version.Interpolates(v.options.interpolate) && !v.options.noInterpolation,
		AllowEmpty:  v.options.allowEmpty,
		Version:     v.version,
	})
	if err == nil && v.options.requireHealthy != nil {
		cfg.Healthchecks.RequireHealthy = *v.options.requireHealthy
	}
	return cfg, err
}

// undecided says on each writer what only a real Vector could decide, and whether there was anything.
func undecided(cfg *config.Config, writers ...io.Writer) bool {
	all := cfg.Undecided()
	for _, u := range all {
		for _, w := range writers {
			fmt.Fprintln(w, u.Sentence())
		}
	}
	return len(all) > 0
}

func (v *vector) serve() int {
	log := v.build.Log
	cfg, err := v.load()
	if err != nil {
		return configErrors(log, err, "vector::cli")
	}
	for _, warning := range cfg.Warnings {
		log.Warn(warning, tracing.Target("vector::config::loading"))
	}
	if problems := topology.Unconfined(cfg, v.version); len(problems) > 0 {
		return configErrors(log, problems, "vector::topology::builder")
	}
	if undecided(cfg, v.stderr) {
		return exitConfig
	}
	log.Info("bootrace stand-in plays: "+playedLine(cfg), tracing.Target("bootrace::vector"), tracing.Unlimited)
	t, err := topology.Build(cfg, v.build)
	if err != nil {
		return configErrors(log, err, "vector::topology::builder")
	}

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	log.Info("Running healthchecks.", tracing.Target("vector::topology::running"))
	if cfg.Healthchecks.RequireHealthy {
		if !healthchecks(ctx, t, cfg, log) {
			log.Error("Sinks unhealthy.", tracing.Target("vector::topology::running"))
			t.Close()
			return exitConfig
		}
	} else {
		go healthchecks(ctx, t, cfg, log)
	}

	t.Start()
	log.Info("Vector has started.", tracing.Target("vector"), "debug", "false", "version", v.version.String(),
		"arch", arch(), "revision", standIn)
	return v.wait(ctx, &live{t, cfg})
}

// maxPlayed bounds the line, for it stands in each machine's journal.
const maxPlayed = 8 << 10

// playedLine is what is not simply played, as JSON; what does not fit is left out and counted.
func playedLine(cfg *config.Config) string {
	all := cfg.Played()
	for n := len(all); ; n-- {
		line := struct {
			Played  []config.Played `json:"played"`
			LeftOut int             `json:"left_out,omitempty"`
		}{append([]config.Played{}, all[:n]...), len(all) - n}
		text, err := json.Marshal(line)
		if err != nil {
			return err.Error() // texts and booleans always have a JSON
		}
		if len(text) <= maxPlayed || n == 0 {
			return string(text)
		}
	}
}

// live is what runs at the moment: SIGHUP may put another in its place.
type live struct {
	topology *topology.Topology
	cfg      *config.Config
}

// wait obeys signals as Vector does: SIGTERM and SIGINT drain, a second one or SIGQUIT ends it at once. What is on disk
// stays there, and the exit code is 0 either way.
func (v *vector) wait(ctx context.Context, r *live) int {
	log := v.build.Log
	code := exitOK
	for going := true; going; {
		select {
		case err := <-r.topology.Failed():
			log.Error("An error occurred that Vector couldn't handle.", tracing.Target("vector"), "error", err)
			code, going = exitSoftware, false
		case s := <-v.signals:
			log.Info("Signal received.", tracing.Target("vector::signal"), "signal", signalName(s))
			switch s {
			case syscall.SIGHUP:
				if !v.reload(ctx, r) {
					return exitSoftware
				}
			case syscall.SIGQUIT:
				log.Info("Vector has quit.", tracing.Target("vector"))
				return exitOK
			default:
				going = false
			}
		}
	}

	log.Info("Vector is stopping.", tracing.Target("vector"))
	stopped := make(chan struct{})
	go func() {
		r.topology.Stop(ctx, v.options.shutdownLimit)
		close(stopped)
	}()
	for {
		select {
		case <-stopped:
			log.Info("Vector has stopped.", tracing.Target("vector"))
			return code
		case s := <-v.signals:
			log.Info("Signal received.", tracing.Target("vector::signal"), "signal", signalName(s))
			if s == syscall.SIGHUP {
				continue
			}
			log.Info("Vector has quit.", tracing.Target("vector"))
			return code
		}
	}
}

// reload reads the configuration again. Where nothing changed everything goes on; a configuration that is wrong is
// logged and the old one stays. Otherwise all components make place for the new ones, which drains them as an end does:
// Vector leaves those running that are the same. It is false when neither the new nor the old could be built.
func (v *vector) reload(ctx context.Context, r *live) bool {
	log, at := v.build.Log, tracing.Target("vector::topology::running")
	cfg, err := v.load()
	if err != nil {
		configErrors(log, err, "vector::cli")
		log.Error("Failed to load config files, reload aborted.", tracing.Target("vector::internal_events::process"))
		return true
	}
	if undecided(cfg, v.stderr) {
		log.Error("Failed to load config files, reload aborted.", tracing.Target("vector::internal_events::process"))
		return true
	}
	log.Info("Reloading running topology with new configuration.", at)
	if cfg.Fingerprint != r.cfg.Fingerprint {
		if problems := topology.Check(cfg, v.build); len(problems) > 0 {
			configErrors(log, problems, "vector::topology::builder")
			log.Error("Reload was not successful.", tracing.Target("vector::internal_events::process"))
			return true
		}
		r.topology.Stop(ctx, v.options.shutdownLimit)
		next, err := topology.Build(cfg, v.build)
		if err != nil {
			configErrors(log, err, "vector::topology::builder")
			log.Error("Reload was not successful.", tracing.Target("vector::internal_events::process"))
			if next, err = topology.Build(r.cfg, v.build); err != nil {
				configErrors(log, err, "vector::topology::builder")
				return false
			}
			cfg = r.cfg
		}
		r.topology, r.cfg = next, cfg
		log.Info("bootrace stand-in plays: "+playedLine(cfg), tracing.Target("bootrace::vector"), tracing.Unlimited)
		next.Start()
	}
	log.Info("Running healthchecks.", at)
	go healthchecks(ctx, r.topology, r.cfg, log)
	log.Info("New configuration loaded successfully.", at)
	log.Info("Vector has reloaded.", tracing.Target("vector"), "path", tracing.Display(paths(v.options)))
	return true
}

// healthchecks reports whether every sink is healthy.
func healthchecks(ctx context.Context, t *topology.Topology, cfg *config.Config, log *slog.Logger) bool {
	healthy := true
	for _, h := range t.Healthchecks(ctx, cfg.Healthchecks.Enabled) {
		at, id := tracing.Target("vector::topology::builder"), slog.String("component_id", h.Sink)
		switch {
		case h.Disabled:
			log.Info("Healthcheck disabled.", at, id)
		case h.Err != nil:
			log.Error("Healthcheck failed.", at, id, "error", h.Err)
			healthy = false
		default:
			log.Info("Healthcheck passed.", at, id)
		}
	}
	return healthy
}

func configErrors(log *slog.Logger, err error, target string) int {
	var problems config.Errors
	if !errors.As(err, &problems) {
		problems = config.Errors{err.Error()}
	}
	for _, problem := range problems {
		log.Error("Configuration error.", tracing.Target(target), "error", tracing.Display(problem), tracing.Unlimited)
	}
	return exitConfig
}

func signalName(s os.Signal) string {
	return map[os.Signal]string{syscall.SIGTERM: "SIGTERM", syscall.SIGINT: "SIGINT", syscall.SIGQUIT: "SIGQUIT", syscall.SIGHUP: "SIGHUP"}[s]
}

func arch() string {
	if name, ok := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]; ok {
		return name
	}
	return runtime.GOARCH
}
