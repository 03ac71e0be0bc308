package topology

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"time"

	"bootrace/images/vector/axiom"
	"bootrace/images/vector/buffer"
	"bootrace/images/vector/config"
	"bootrace/images/vector/journald"
	"bootrace/images/vector/metrics"
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
	case "blackhole":
		s.run = func(ctx context.Context, b buffer.Buffer) error { return printLines(ctx, b, io.Discard) }
	}
	return s, nil
}

func openBuffer(cfg *config.Config, c config.Sink, log *slog.Logger) (buffer.Buffer, error) {
	if !c.Buffer.Disk {
		return buffer.NewMemory(c.Buffer.MaxEvents, c.Buffer.Block, c.Acknowledgements), nil
	}
	log = log.With(tracing.Component("sink", c.ID, c.Type), tracing.Target("vector_buffers::variants::disk_v2"))
	return buffer.OpenDisk(bufferDir(cfg, c), c.Buffer.MaxSize, c.Buffer.Block, log)
}

func bufferDir(cfg *config.Config, c config.Sink) string {
	return filepath.Join(cfg.DataDir, "buffer", "v2", c.ID)
}

func scrape(ctx context.Context, registry *metrics.Registry, every time.Duration, emit journald.Emit) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		if err := emit(ctx, registry.Scrape(time.Now()), nil); err != nil {
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
