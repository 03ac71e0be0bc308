// Package topology builds the components of a configuration, connects and runs them, and ends them in Vector's order:
// sources first, then what the sinks' buffers hold, up to a limit.
//
//	t, err := topology.Build(cfg, topology.Options{Log: log, Host: host, ...})
//	t.Start()
//	err = <-t.Failed()            // or a signal
//	t.Stop(ctx, time.Minute)
package topology

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"bootrace/images/vector/buffer"
	"bootrace/images/vector/config"
	"bootrace/images/vector/journald"
	"bootrace/images/vector/metrics"
	"bootrace/images/vector/tracing"
)

// Options is what a topology takes from the process around it.
type Options struct {
	Log            *slog.Logger
	Host           string
	Vars           map[string]string
	Version        config.Version
	UserAgent      string
	Started        time.Time
	Stdout, Stderr io.Writer

	systemd map[string]int // what Check heard of journalctl, by source
}

// Topology is a set of connected components.
type Topology struct {
	log     *slog.Logger
	sources []source
	sinks   []*sink
	closers []io.Closer
	failed  chan error

	stopSources, stopSinks context.CancelFunc
	sourcesDone, sinksDone sync.WaitGroup
}

type source struct {
	id  string
	run func(context.Context) error
}

type sink struct {
	config.Sink
	buffer      buffer.Buffer
	run         func(context.Context, buffer.Buffer) error
	healthcheck func(context.Context) error
	received    *metrics.Counter

	mu    sync.Mutex
	ended bool
}

// Build opens buffers and checkpoints. What it opened is closed again when it fails.
func Build(cfg *config.Config, opts Options) (_ *Topology, err error) {
	opts.systemd = map[string]int{}
	if problems := Check(cfg, opts); len(problems) > 0 {
		return nil, problems
	}
	t := &Topology{log: opts.Log, failed: make(chan error, 1)}
	defer func() {
		if err != nil {
			t.Close()
		}
	}()
	registry := metrics.New(opts.Host, opts.Started)
	sinks := map[string]*sink{}
	for _, c := range cfg.Sinks {
		s, err := buildSink(c, opts, registry)
		if err != nil {
			return nil, config.Errors{fmt.Sprintf("Sink %q: %v", c.ID, err)}
		}
		if s.buffer, err = openBuffer(cfg, c, opts.Log); err != nil {
			return nil, config.Errors{fmt.Sprintf("Sink %q: %v", c.ID, err)}
		}
		registry.Gauge("buffer_events", metrics.Component("sink", c.ID, c.Type), func() float64 { return float64(s.buffer.Len()) })
		t.closers = append(t.closers, s.buffer)
		t.sinks = append(t.sinks, s)
		sinks[c.ID] = s
	}
	flow := newFlow(cfg, sinks, environment{opts.Vars, opts.Host}, opts.Log)
	for _, c := range cfg.Sources {
		if err := t.addSource(cfg, c, flow, registry, opts); err != nil {
			return nil, config.Errors{fmt.Sprintf("Source %q: %v", c.ID, err)}
		}
	}
	return t, nil
}

// addSource leaves out those that nobody reads, which was warned of: Vector runs them and throws away what they give. And
// those that are not played, which are silent.
func (t *Topology) addSource(cfg *config.Config, c config.Source, flow *flow, registry *metrics.Registry, opts Options) error {
	if len(flow.readers[c.ID]) == 0 {
		return nil
	}
	out := flow.from(c, registry)
	switch c.Type {
	case "journald":
		checkpoint, err := journald.OpenCheckpoint(filepath.Join(dataDir(cfg, c), c.ID))
		if err != nil {
			return err
		}
		t.closers = append(t.closers, checkpoint)
		j := journald.New(c, opts.systemd[c.ID], checkpoint, opts.Log.With(tracing.Component("source", c.ID, c.Type)))
		t.sources = append(t.sources, source{c.ID, func(ctx context.Context) error { return j.Run(ctx, out.emit) }})
	case "internal_metrics":
		t.sources = append(t.sources, source{c.ID, func(ctx context.Context) error { return scrape(ctx, c, registry, out.emit) }})
	case "prometheus_scrape":
		p, err := scraper(c, opts)
		if err != nil {
			return err
		}
		t.sources = append(t.sources, source{c.ID, func(ctx context.Context) error { return p.Run(ctx, out.emit) }})
	}
	return nil
}

// Start runs everything, sinks first.
func (t *Topology) Start() {
	sinkCtx, stopSinks := context.WithCancel(context.Background())
	sourceCtx, stopSources := context.WithCancel(context.Background())
	t.stopSinks, t.stopSources = stopSinks, stopSources
	for _, s := range t.sinks {
		t.sinksDone.Go(func() {
			err := s.run(sinkCtx, s.buffer)
			s.mu.Lock()
			s.ended = true
			s.mu.Unlock()
			if err != nil && sinkCtx.Err() == nil {
				t.fail(fmt.Errorf("sink %s: %w", s.ID, err))
			}
		})
	}
	for _, s := range t.sources {
		t.sourcesDone.Go(func() {
			if err := s.run(sourceCtx); err != nil && sourceCtx.Err() == nil {
				t.fail(fmt.Errorf("source %s: %w", s.id, err))
			}
		})
	}
}

func (t *Topology) fail(err error) {
	select {
	case t.failed <- err:
	default:
	}
}

// Failed gives the first error that ended a component by itself.
func (t *Topology) Failed() <-chan error { return t.failed }

// Stop ends the sources, gives the sinks up to limit (0: for ever) to deliver what is buffered, then ends them too. What
// was not delivered by then stays on disk where the buffer is. When ctx ends, so does the waiting.
func (t *Topology) Stop(ctx context.Context, limit time.Duration) {
	defer t.Close()
	t.stopSources()
	t.sourcesDone.Wait()
	for _, s := range t.sinks {
		s.buffer.CloseWrite()
	}
	drained := make(chan struct{})
	go func() {
		t.sinksDone.Wait()
		close(drained)
	}()

	start := time.Now()
	var deadline <-chan time.Time
	if limit > 0 {
		timer := time.NewTimer(limit)
		defer timer.Stop()
		deadline = timer.C
	}
	report := time.NewTicker(5 * time.Second)
	defer report.Stop()
	for {
		select {
		case <-drained:
			return
		case <-ctx.Done():
		case <-deadline:
			t.log.Error("Failed to gracefully shut down in time. Killing components.", tracing.Target("vector::topology::running"),
				"components", t.remaining())
		case <-report.C:
			left := tracing.Display("no time limit")
			if limit > 0 {
				left = tracing.Display(fmt.Sprintf("%q", fmt.Sprintf("%d seconds left", int((limit-time.Since(start)).Seconds()))))
			}
			t.log.Info("Shutting down... Waiting on running components.", tracing.Target("vector"),
				"remaining_components", t.remaining(), "time_remaining", left)
			continue
		}
		t.stopSinks()
		<-drained
		return
	}
}

func (t *Topology) remaining() string {
	var ids []string
	for _, s := range t.sinks {
		s.mu.Lock()
		if !s.ended {
			ids = append(ids, s.ID)
		}
		s.mu.Unlock()
	}
	return strings.Join(ids, ", ")
}

// Close lets go of what Build opened. Stop does it, too.
func (t *Topology) Close() {
	if t.stopSinks != nil {
		t.stopSinks()
	}
	for _, c := range t.closers {
		if err := c.Close(); err != nil {
			t.log.Error("Could not be closed.", "error", err)
		}
	}
}
