package topology

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"bootrace/images/vector/axiom"
	"bootrace/images/vector/buffer"
	"bootrace/images/vector/client"
	"bootrace/images/vector/config"
	"bootrace/images/vector/event"
	"bootrace/images/vector/journald"
	"bootrace/images/vector/metrics"
	"bootrace/images/vector/prometheus"
	"bootrace/images/vector/tracing"
)

func buildSink(c config.Sink, opts Options, registry *metrics.Registry) (*sink, error) {
	s := &sink{
		Sink:        c,
		healthcheck: func(context.Context) error { return nil },
		received:    registry.Counter("component_received_events_total", metrics.Component("sink", c.ID, c.Type)),
	}
	switch c.Type {
	case "axiom":
		a, err := axiom.New(c, opts.UserAgent, registry, opts.Log.With(tracing.Component("sink", c.ID, c.Type)))
		if err != nil {
			return nil, err
		}
		s.run = a.Run
		s.healthcheck = func(ctx context.Context) error { return a.Healthcheck(ctx, c.HealthcheckURI) }
	case "console":
		out := opts.Stdout
		if c.Stderr {
			out = opts.Stderr
		}
		s.run = func(ctx context.Context, b buffer.Buffer) error { return printLines(ctx, b, out) }
	default: // blackhole, and what is not played
		if c.BadURL != "" {
			return nil, errors.New("invalid uri character")
		}
		s.run = func(ctx context.Context, b buffer.Buffer) error { return printLines(ctx, b, io.Discard) }
	}
	return s, nil
}

func openBuffer(cfg *config.Config, c config.Sink, log *slog.Logger) (buffer.Buffer, error) {
	log = log.With(tracing.Component("sink", c.ID, c.Type), tracing.Target("vector_buffers::variants::disk_v2"))
	var stages []buffer.Buffer
	for _, stage := range c.Buffers {
		block := stage.Full == "block"
		switch {
		case stage.Disk:
			disk, err := buffer.OpenDisk(bufferDir(cfg, c), stage.MaxSize, block, log)
			if err != nil {
				return nil, fmt.Errorf("error occurred when building buffer: failed to build individual stage %d: %w", len(stages), err)
			}
			stages = append(stages, disk)
		case stage.MaxSize > 0:
			stages = append(stages, buffer.NewSizedMemory(stage.MaxSize, block, c.Acknowledgements))
		default:
			stages = append(stages, buffer.NewMemory(stage.MaxEvents, block, c.Acknowledgements))
		}
	}
	if len(stages) == 1 {
		return stages[0], nil
	}
	return buffer.Overflow(stages[0], stages[1]), nil
}

func bufferDir(cfg *config.Config, c config.Sink) string {
	return filepath.Join(cfg.DataDir, "buffer", "v2", c.ID)
}

func scraper(c config.Source, opts Options) (*prometheus.Source, error) {
	http, err := client.New(c.TLS, config.Proxy{})
	if err != nil {
		return nil, err
	}
	return prometheus.New(c, http, opts.Log.With(tracing.Component("source", c.ID, c.Type)))
}

// own reads the program's own metrics, with the namespace and tags that the source asks for.
func own(c config.Source, registry *metrics.Registry) []event.Event {
	events := registry.Scrape(time.Now())
	for _, e := range events {
		e.Metric.Namespace = c.Namespace
		tags := maps.Clone(e.Metric.Tags)
		if host, ok := tags["host"]; ok && c.HostKey != "host" {
			delete(tags, "host")
			if c.HostKey != "" {
				tags[c.HostKey] = host
			}
		}
		if c.PIDKey != "" {
			tags[c.PIDKey] = strconv.Itoa(os.Getpid())
		}
		e.Metric.Tags = tags
	}
	return events
}

func scrape(ctx context.Context, c config.Source, registry *metrics.Registry, emit journald.Emit) error {
	ticker := time.NewTicker(c.ScrapeInterval)
	defer ticker.Stop()
	for {
		if err := emit(ctx, own(c, registry), nil); err != nil {
			return nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func printLines(ctx context.Context, b buffer.Buffer, out io.Writer) error {
	for {
		line, err := b.Read(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := out.Write(append(line, '\n')); err != nil {
			return fmt.Errorf("print: %w", err)
		}
		if err := b.Ack(1, true); err != nil {
			return err
		}
	}
}
