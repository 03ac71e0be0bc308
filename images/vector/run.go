package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"

	"bootrace/images/vector/config"
	"bootrace/images/vector/topology"
	"bootrace/images/vector/tracing"
)

// Exit codes are those of sysexits(3), which Vector uses.
const (
	exitOK       = 0
	exitUsage    = 64
	exitSoftware = 70
	exitConfig   = 78
)

// healthTimeout is Vector's default for a health check.
const healthTimeout = 10 * time.Second

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

	log := tracing.New(p.stderr, opts.level)
	load := func() (*config.Config, error) {
		return config.Load(opts.config, vars, version.Interpolates(opts.interpolate))
	}
	build := topology.Options{
		Log:       log,
		Host:      hostname,
		UserAgent: fmt.Sprintf("Vector/%s (%s)", version, standIn),
		Started:   time.Now(),
		Stdout:    p.stdout,
		Stderr:    p.stderr,
	}
	if opts.validate {
		return validate(p.stdout, opts, load, build)
	}
	log.Info("This is the "+standIn+".", tracing.Target("bootrace::vector"), "plays", version.String())
	log.Info("Log level is enabled.", tracing.Target("vector::app"), "level", strings.ToLower(opts.level.String()))
	log.Info("Loading configs.", tracing.Target("vector::app"), "paths", tracing.Display(fmt.Sprintf("[%q]", opts.config)))
	return serve(p, opts, version, load, build)
}

func serve(p process, opts options, version config.Version, load func() (*config.Config, error), build topology.Options) int {
	log := build.Log
	cfg, err := load()
	if err != nil {
		return configErrors(log, err)
	}
	for _, warning := range cfg.Warnings {
		log.Warn(warning, tracing.Target("vector::config::loading"))
	}
	t, err := topology.Build(cfg, build)
	if err != nil {
		return configErrors(log, err)
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
	log.Info("Vector has started.", tracing.Target("vector"), "debug", "false", "version", version.String(),
		"arch", arch(), "revision", standIn)
	return wait(ctx, p, opts, t, log)
}

// wait obeys signals as Vector does: SIGTERM and SIGINT drain, a second one or SIGQUIT ends it at once. What is on disk
// stays there, and the exit code is 0 either way.
func wait(ctx context.Context, p process, opts options, t *topology.Topology, log *slog.Logger) int {
	code := exitOK
	for running := true; running; {
		select {
		case err := <-t.Failed():
			log.Error("An error occurred that Vector couldn't handle.", tracing.Target("vector"), "error", err)
			code, running = exitSoftware, false
		case s := <-p.signals:
			log.Info("Signal received.", tracing.Target("vector::signal"), "signal", signalName(s))
			switch s {
			case syscall.SIGHUP:
				log.Warn("The stand-in does not reload its configuration; it goes on as it is.", tracing.Target("bootrace::vector"))
			case syscall.SIGQUIT:
				log.Info("Vector has quit.", tracing.Target("vector"))
				return exitOK
			default:
				running = false
			}
		}
	}

	log.Info("Vector has stopped.", tracing.Target("vector"))
	stopped := make(chan struct{})
	go func() {
		t.Stop(ctx, opts.shutdownLimit)
		close(stopped)
	}()
	for {
		select {
		case <-stopped:
			return code
		case s := <-p.signals:
			log.Info("Signal received.", tracing.Target("vector::signal"), "signal", signalName(s))
			if s == syscall.SIGHUP {
				continue
			}
			log.Info("Vector has quit.", tracing.Target("vector"))
			return code
		}
	}
}

// healthchecks reports whether every sink is healthy.
func healthchecks(ctx context.Context, t *topology.Topology, cfg *config.Config, log *slog.Logger) bool {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
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

func configErrors(log *slog.Logger, err error) int {
	var problems config.Errors
	if !errors.As(err, &problems) {
		problems = config.Errors{err.Error()}
	}
	for _, problem := range problems {
		log.Error("Configuration error.", tracing.Target("vector::cli"), "error", tracing.Display(problem))
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
