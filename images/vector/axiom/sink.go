// Package axiom delivers lines to Axiom's ingest endpoint by Vector's rules for that sink: batches, compression, what is
// retried for ever and what is dropped at once. It takes finished JSON lines from a buffer, one request at a time (Vector's
// adaptive concurrency starts at one, and stays there while requests fail), and knows nothing of events or sources.
package axiom

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"bootrace/images/vector/buffer"
	"bootrace/images/vector/client"
	"bootrace/images/vector/config"
	"bootrace/images/vector/metrics"
	"bootrace/images/vector/tracing"
)

// Sink sends the lines of one buffer to one dataset.
type Sink struct {
	cfg     config.Axiom
	log     *slog.Logger
	client  *http.Client
	target  target
	encoder *encoder
	pending []byte // read, and one too many for the batch before
	request int

	sent, dropped *metrics.Counter
}

// New checks the configuration as far as Vector does when it builds the sink. userAgent is sent along.
func New(sink config.Sink, userAgent string, counters *metrics.Registry, log *slog.Logger) (*Sink, error) {
	target, err := newTarget(sink.Axiom, userAgent, log)
	if err != nil {
		return nil, err
	}
	encoder, err := newEncoder(sink.Axiom.Compression)
	if err != nil {
		return nil, err
	}
	http, err := client.New(sink.Axiom.TLS, sink.Proxy)
	if err != nil {
		return nil, err
	}
	tags := metrics.Component("sink", sink.ID, sink.Type)
	return &Sink{
		cfg:     sink.Axiom,
		log:     log,
		target:  target,
		encoder: encoder,
		client:  http,
		sent:    counters.Counter("component_sent_events_total", tags),
		dropped: counters.Counter("component_discarded_events_total", tags),
	}, nil
}

// Run delivers until the buffer ends, which is nil, or ctx does.
func (s *Sink) Run(ctx context.Context, b buffer.Buffer) error {
	defer s.client.CloseIdleConnections()
	for {
		batch, err := s.collect(ctx, b)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		delivered, err := s.deliver(ctx, batch)
		if err != nil {
			return err
		}
		if err := b.Ack(batch.events, delivered); err != nil {
			return fmt.Errorf("acknowledge: %w", err)
		}
	}
}

type batch struct {
	body   []byte
	events int
}

// collect reads lines until the batch is full, its time is up or the buffer ends. The lines are compressed as they
// come: a backlog of 10 MB must not be in memory as such, for the machine has 60 MB in all.
func (s *Sink) collect(ctx context.Context, b buffer.Buffer) (batch, error) {
	line := s.pending
	s.pending = nil
	if line == nil {
		var err error
		if line, err = b.Read(ctx); err != nil {
			return batch{}, err
		}
	}
	timed, cancel := context.WithTimeout(ctx, s.cfg.BatchTimeout)
	defer cancel()
	s.encoder.reset()
	size, events := 0, 0
	for {
		if err := s.encoder.add(line); err != nil {
			return batch{}, err
		}
		size += len(line) + 1
		events++
		if size >= s.cfg.BatchMaxBytes || events == s.cfg.BatchMaxEvents {
			break
		}
		var err error
		line, err = b.Read(timed)
		if ctx.Err() != nil {
			return batch{}, context.Cause(ctx)
		}
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return batch{}, err
		}
		if size+len(line)+1 > s.cfg.BatchMaxBytes {
			s.pending = line
			break
		}
	}
	body, err := s.encoder.finish()
	return batch{body, events}, err
}

// deliver sends a batch until it is taken or refused for good; the error is only ever ctx's.
func (s *Sink) deliver(ctx context.Context, b batch) (delivered bool, err error) {
	s.request++
	log := s.log.With(tracing.Request(s.request))
	wait := backoff{next: s.cfg.RetryInitial, max: s.cfg.RetryMax}
	for try := 1; ; try++ {
		status, sendErr := s.send(ctx, b.body)
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		if sendErr != nil && !timedOut(sendErr) {
			log.Warn("HTTP error.", tracing.Target("vector::internal_events::http_client"),
				"error", tracing.Display(cause(sendErr)), "error_type", "request_failed", "stage", "processing")
		}
		verdict, reason := judge(status, sendErr)
		if verdict == again && (s.cfg.NeverRetry || s.cfg.RetryAttempts > 0 && try > s.cfg.RetryAttempts) {
			verdict = refused
		}
		switch verdict {
		case taken:
			s.sent.Add(b.events)
			return true, nil
		case refused:
			log.Error("Not retriable; dropping the request.", tracing.Target("vector::sinks::util::retries"),
				"reason", reason)
			log.Error("Service call failed. No retries or retries exhausted.", tracing.Target("vector_common::internal_event::service"),
				"error", tracing.Display("None"), "request_id", s.request, "error_type", "request_failed", "stage", "sending")
			log.Error("Events dropped", tracing.Target("vector_common::internal_event::component_events_dropped"),
				"intentional", false, "count", b.events, "reason", "Service call failed. No retries or retries exhausted.")
			s.dropped.Add(b.events)
			return false, nil
		}
		if sendErr != nil {
			log.Warn("Retrying after error.", tracing.Target("vector::sinks::util::retries"), "error", tracing.Display(reason))
		} else {
			log.Warn("Retrying after response.", tracing.Target("vector::sinks::util::retries"), "reason", tracing.Display(reason))
		}
		// Retry-After is not looked at: Vector's HTTP sinks do not either.
		if err := sleep(ctx, wait.step()); err != nil {
			return false, err
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
