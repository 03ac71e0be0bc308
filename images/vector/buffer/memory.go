package buffer

import (
	"context"
	"io"
	"sync"
)

// Memory is a bounded queue in memory.
type Memory struct {
	max        int
	block      bool
	ackAtSink  bool
	lines, gap signal

	mu     sync.Mutex
	queue  []entry // read ones first
	read   int
	closed bool
}

type entry struct {
	line []byte
	done func(bool) // set on the last line of a write
}

// NewMemory returns a queue of at most maxEvents lines. With ackAtSink a write is done when its lines were
// acknowledged (`acknowledgements.enabled`), else when they are in the queue.
func NewMemory(maxEvents int, block, ackAtSink bool) *Memory {
	return &Memory{max: maxEvents, block: block, ackAtSink: ackAtSink, lines: newSignal(), gap: newSignal()}
}

// Write implements Buffer.
func (m *Memory) Write(ctx context.Context, lines [][]byte, done func(bool)) error {
	for i, line := range lines {
		e := entry{line: line}
		if m.ackAtSink && i == len(lines)-1 {
			e.done = done
		}
		if err := m.add(ctx, e); err != nil {
			return err
		}
	}
	if done != nil && (!m.ackAtSink || len(lines) == 0) {
		done(true)
	}
	return nil
}

func (m *Memory) add(ctx context.Context, e entry) error {
	for {
		m.mu.Lock()
		if len(m.queue) < m.max {
			m.queue = append(m.queue, e)
			if len(m.queue) < m.max {
				m.gap.set() // there may be another writer waiting
			}
			m.mu.Unlock()
			m.lines.set()
			return nil
		}
		m.mu.Unlock()
		if !m.block { // drop_newest
			if e.done != nil {
				e.done(true)
			}
			return nil
		}
		if err := m.gap.wait(ctx); err != nil {
			return err
		}
	}
}

// Read implements Buffer.
func (m *Memory) Read(ctx context.Context) ([]byte, error) {
	for {
		m.mu.Lock()
		if m.read < len(m.queue) {
			line := m.queue[m.read].line
			m.read++
			m.mu.Unlock()
			return line, nil
		}
		closed := m.closed
		m.mu.Unlock()
		if closed {
			return nil, io.EOF
		}
		if err := m.lines.wait(ctx); err != nil {
			return nil, err
		}
	}
}

// Ack implements Buffer.
func (m *Memory) Ack(n int, delivered bool) error {
	m.mu.Lock()
	acked := append([]entry(nil), m.queue[:n]...)
	rest := copy(m.queue, m.queue[n:])
	clear(m.queue[rest:])
	m.queue = m.queue[:rest]
	m.read -= n
	m.mu.Unlock()
	m.gap.set()
	for _, e := range acked {
		if e.done != nil {
			e.done(delivered)
		}
	}
	return nil
}

// CloseWrite implements Buffer.
func (m *Memory) CloseWrite() {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	m.lines.set()
}

// Len implements Buffer.
func (m *Memory) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.queue)
}

// Close implements Buffer.
func (m *Memory) Close() error { return nil }
