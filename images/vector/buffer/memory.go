package buffer

import (
	"context"
	"io"
	"sync"
)

// Memory is a bounded queue in memory.
type Memory struct {
	max        int   // lines, or
	maxBytes   int64 // bytes, where it is not 0
	block      bool
	ackAtSink  bool
	lines, gap signal

	mu     sync.Mutex
	queue  []entry // read ones first
	read   int
	held   int64 // bytes in queue
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

// NewSizedMemory is NewMemory with a limit in bytes, as `max_size` sets it.
func NewSizedMemory(maxBytes int64, block, ackAtSink bool) *Memory {
	m := NewMemory(0, block, ackAtSink)
	m.maxBytes = maxBytes
	return m
}

// full reports whether a line more does not fit. One line always does, or it would wait for ever.
func (m *Memory) full(line []byte) bool {
	if m.maxBytes > 0 {
		return m.held > 0 && m.held+int64(len(line)) > m.maxBytes
	}
	return len(m.queue) >= m.max
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
		if !m.full(e.line) {
			m.queue = append(m.queue, e)
			m.held += int64(len(e.line))
			if !m.full(nil) {
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
	for _, e := range acked {
		m.held -= int64(len(e.line))
	}
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

// HasRoom reports whether a line of that size can be written without waiting.
func (m *Memory) HasRoom(size int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.maxBytes > 0 {
		return m.held == 0 || m.held+int64(size) <= m.maxBytes
	}
	return len(m.queue) < m.max
}
