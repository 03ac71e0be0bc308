package buffer

import (
	"context"
	"errors"
	"io"
	"sync"
)

// overflow is two stages: what the first has no room for goes to the second. Lines of the first are read first.
type overflow struct {
	first, second stage
	closed        chan struct{}

	mu    sync.Mutex
	reads []*stage // where the lines came from that were read and not acknowledged, the oldest first
}

type stage struct {
	Buffer
	ahead chan result // one line read ahead, so that two stages can be waited for at once
	once  sync.Once
}

type result struct {
	line []byte
	err  error
}

// roomy is a first stage that can say whether there is room.
type roomy interface{ HasRoom(size int) bool }

// Overflow makes one buffer of two, as a list of buffers does in Vector's configuration. A first stage that cannot say
// whether it has room, a disk buffer, always has.
func Overflow(first, second Buffer) Buffer {
	return &overflow{
		first:  stage{Buffer: first, ahead: make(chan result)},
		second: stage{Buffer: second, ahead: make(chan result)},
		closed: make(chan struct{}),
	}
}

// Write implements Buffer.
func (o *overflow) Write(ctx context.Context, lines [][]byte, done func(bool)) error {
	if len(lines) == 0 {
		return o.first.Write(ctx, nil, done)
	}
	answer := Joined(len(lines), done)
	for _, line := range lines {
		to := o.first.Buffer
		if r, ok := to.(roomy); ok && !r.HasRoom(len(line)) {
			to = o.second.Buffer
		}
		if err := to.Write(ctx, [][]byte{line}, answer); err != nil {
			return err
		}
	}
	return nil
}

// Joined makes one answer of n: the last one tells done, which may be nil, whether all were good.
func Joined(n int, done func(bool)) func(ok bool) {
	var mu sync.Mutex
	all := true
	return func(ok bool) {
		mu.Lock()
		n--
		all = all && ok
		last, good := n == 0, all
		mu.Unlock()
		if last && done != nil {
			done(good)
		}
	}
}

// follow reads ahead until the stage ends.
func (s *stage) follow(closed <-chan struct{}) {
	s.once.Do(func() {
		go func() {
			for {
				line, err := s.Buffer.Read(context.Background())
				select {
				case s.ahead <- result{line, err}:
				case <-closed:
					return
				}
				if err != nil {
					close(s.ahead)
					return
				}
			}
		}()
	})
}

// Read implements Buffer.
func (o *overflow) Read(ctx context.Context) ([]byte, error) {
	o.first.follow(o.closed)
	o.second.follow(o.closed)
	first, second := o.first.ahead, o.second.ahead
	for first != nil || second != nil {
		var got result
		var from *stage
		select {
		case got = <-first:
			from = &o.first
		case got = <-second:
			from = &o.second
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		switch {
		case got.err == nil && got.line != nil:
			o.mu.Lock()
			o.reads = append(o.reads, from)
			o.mu.Unlock()
			return got.line, nil
		case got.err != nil && !errors.Is(got.err, io.EOF):
			return nil, got.err
		case from == &o.first:
			first = nil
		default:
			second = nil
		}
	}
	return nil, io.EOF
}

// Ack implements Buffer.
func (o *overflow) Ack(n int, delivered bool) error {
	o.mu.Lock()
	acked := append([]*stage(nil), o.reads[:n]...)
	o.reads = o.reads[n:]
	o.mu.Unlock()
	var errs []error
	for _, s := range acked {
		errs = append(errs, s.Buffer.Ack(1, delivered))
	}
	return errors.Join(errs...)
}

// CloseWrite implements Buffer.
func (o *overflow) CloseWrite() {
	o.first.CloseWrite()
	o.second.CloseWrite()
}

// Len implements Buffer.
func (o *overflow) Len() int { return o.first.Len() + o.second.Len() }

// Close implements Buffer.
func (o *overflow) Close() error {
	close(o.closed)
	return errors.Join(o.first.Close(), o.second.Close())
}
