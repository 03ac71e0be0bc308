// Package buffer holds what a sink has not delivered yet, in memory or on disk, as Vector's buffers do.
//
//	b, err := buffer.OpenDisk(dir, size, true, log)
//	b.Write(ctx, lines, nil)      // returns when the lines are in the file: the source may be told
//	line, err := b.Read(ctx)      // io.EOF after CloseWrite, once all was read
//	b.Ack(1, true)                // the oldest line read is done with
//
// A line that was read and not acknowledged is read again after a restart. There is one reader; writers may be many.
// It is a queue of opaque lines and knows nothing of events or sinks.
package buffer

import (
	"context"
	"fmt"
	"log/slog"
)

// Buffer is a queue between a source and a sink.
type Buffer interface {
	// Write adds lines; done, if any, is called once the source may count them as safe, or as refused.
	Write(ctx context.Context, lines [][]byte, done func(ok bool)) error
	// Read gives the next line and waits for one. The line is the caller's.
	Read(ctx context.Context) ([]byte, error)
	// Ack ends n lines, the oldest read first.
	Ack(n int, delivered bool) error
	// CloseWrite lets Read end when everything was read.
	CloseWrite()
	// Len is how many lines are held that were not acknowledged.
	Len() int
	// Close lets go of files. What is on disk stays.
	Close() error
}

// MinDiskSize is what Vector wants at least for a disk buffer: two data files of 128 MiB and their headers.
const MinDiskSize = 268435488

// CheckDiskSize says in Vector's words that a disk buffer is too small.
func CheckDiskSize(size int64) error {
	if size < MinDiskSize {
		return fmt.Errorf("failed to build individual stage 0: parameter 'max_buffer_size' was invalid: must be greater than or equal to %d bytes", MinDiskSize)
	}
	return nil
}

// signal wakes one waiter, or the next to wait.
type signal chan struct{}

func newSignal() signal { return make(signal, 1) }

func (s signal) set() {
	select {
	case s <- struct{}{}:
	default:
	}
}

func (s signal) wait(ctx context.Context) error {
	select {
	case <-s:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func discardLog(log *slog.Logger) *slog.Logger {
	if log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return log
}
