package buffer

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// The sizes and the interval are Vector's own (disk_v2: DEFAULT_MAX_DATA_FILE_SIZE, DEFAULT_FLUSH_INTERVAL).
const (
	maxFileSize   = 128 << 20
	flushInterval = 500 * time.Millisecond
)

// Disk is a buffer in append-only files. Write returns when the lines have reached the kernel, which outlives a kill -9;
// for the machine's own crash the files are flushed every 500 ms, as Vector's are.
type Disk struct {
	dir         string
	max         int64
	maxFile     int64
	block       bool
	log         *slog.Logger
	lock        *os.File
	lines, room signal

	mu      sync.Mutex
	ledger  *ledger
	sizes   map[uint64]int64 // data files and how much of each is whole
	w       *os.File
	end     position // where the next record goes
	r       *os.File
	rBuf    *bufio.Reader
	at      position   // where the next record is read
	unacked []position // ends of the records read, oldest first
	acked   position
	held    int64 // bytes not acknowledged
	scratch []byte
	flush   *time.Timer
	closed  bool
	eof     bool
}

// OpenDisk opens or makes the buffer in dir. max bounds the bytes not acknowledged; when they are reached Write waits
// (block) or drops what is newest. Only one process may have it open.
func OpenDisk(dir string, max int64, block bool, log *slog.Logger) (*Disk, error) {
	return openDisk(dir, max, maxFileSize, block, log)
}

func openDisk(dir string, max, maxFile int64, block bool, log *slog.Logger) (_ *Disk, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make buffer directory: %w", err)
	}
	lock, err := lockFile(filepath.Join(dir, "buffer.lock"))
	if err != nil {
		return nil, err
	}
	d := &Disk{dir: dir, max: max, maxFile: maxFile, block: block, log: discardLog(log), lock: lock,
		lines: newSignal(), room: newSignal()}
	defer func() {
		if err != nil {
			_ = d.Close()
		}
	}()

	var stored position
	if d.ledger, stored, err = openLedger(filepath.Join(dir, "buffer.db")); err != nil {
		return nil, err
	}
	if err := d.recover(stored); err != nil {
		return nil, err
	}
	if d.w, err = os.OpenFile(d.path(d.end.file), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o640); err != nil {
		return nil, fmt.Errorf("open data file: %w", err)
	}
	return d, nil
}

// Write implements Buffer.
func (d *Disk) Write(ctx context.Context, lines [][]byte, done func(bool)) error {
	complained := false
	for len(lines) > 0 {
		n, err := d.append(lines)
		lines = lines[n:]
		switch {
		case err != nil:
			// Nothing was taken, so the source has not moved on: waiting loses nothing.
			if !complained {
				d.log.Error("Disk buffer writer has encountered an error; trying again every second.", "error", err)
			}
			complained = true
			retry, cancel := context.WithTimeout(ctx, time.Second)
			_ = d.room.wait(retry)
			cancel()
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
		case len(lines) == 0:
		case !d.block:
			lines = nil
		default:
			if err := d.room.wait(ctx); err != nil {
				return err
			}
		}
	}
	if done != nil {
		done(true)
	}
	return nil
}

// append writes as many of the lines as there is room for, in one system call for each file.
func (d *Disk) append(lines [][]byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return 0, os.ErrClosed
	}
	if d.end.offset >= d.maxFile {
		if err := d.rotate(); err != nil {
			return 0, err
		}
	}
	buf, n, id := d.scratch[:0], 0, d.end.next
	for _, line := range lines {
		size := int64(len(buf) + headerSize + len(line))
		if d.held+size > d.max && d.held+int64(len(buf)) > 0 {
			break
		}
		buf = appendRecord(buf, id, line)
		id++
		n++
	}
	if n == 0 {
		return 0, nil
	}
	if _, err := d.w.Write(buf); err != nil {
		// A part may have been written; what comes next must not follow it.
		return 0, errors.Join(err, d.w.Truncate(d.end.offset))
	}
	if cap(buf) <= 64<<10 {
		d.scratch = buf
	}
	d.end.offset += int64(len(buf))
	d.end.next = id
	d.sizes[d.end.file] = d.end.offset
	d.held += int64(len(buf))
	d.flushLater()
	d.lines.set()
	if d.held < d.max {
		d.room.set() // there may be another writer waiting
	}
	return n, nil
}

func (d *Disk) rotate() error {
	next, err := os.OpenFile(d.path(d.end.file+1), os.O_WRONLY|os.O_CREATE|os.O_APPEND|os.O_TRUNC, 0o640)
	if err != nil {
		return fmt.Errorf("open next data file: %w", err)
	}
	err = errors.Join(d.w.Sync(), d.w.Close())
	d.w = next
	d.end.file++
	d.end.offset = 0
	d.sizes[d.end.file] = 0
	return err
}

// Read implements Buffer.
func (d *Disk) Read(ctx context.Context) ([]byte, error) {
	for {
		line, err := d.next()
		if line != nil || err != nil {
			return line, err
		}
		if err := d.lines.wait(ctx); err != nil {
			return nil, err
		}
	}
}

// next returns the next line, or nothing if there is none yet.
func (d *Disk) next() ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for {
		if d.closed {
			return nil, os.ErrClosed
		}
		whole := d.sizes[d.at.file]
		if d.at.offset < whole {
			line, err := d.readAt(whole)
			if err == nil {
				return line, nil
			}
			d.log.Error("Error encountered during buffer read; skipping to the end of the data file.", "error", err,
				"data_file", d.path(d.at.file), "bytes", whole-d.at.offset)
			d.at.offset = whole
			d.closeReader()
			continue
		}
		if d.at.file == d.end.file {
			if d.eof {
				return nil, io.EOF
			}
			return nil, nil
		}
		d.closeReader()
		d.at.file++
		d.at.offset = 0
	}
}

func (d *Disk) readAt(whole int64) ([]byte, error) {
	if d.r == nil {
		f, err := os.Open(d.path(d.at.file))
		if err != nil {
			return nil, err
		}
		d.r = f
		if _, err := f.Seek(d.at.offset, io.SeekStart); err != nil {
			return nil, err
		}
		if d.rBuf == nil {
			d.rBuf = bufio.NewReaderSize(f, 16<<10)
		} else {
			d.rBuf.Reset(f)
		}
	}
	id, line, err := readRecord(d.rBuf, whole-d.at.offset)
	if err != nil {
		return nil, err
	}
	if id > d.at.next {
		d.log.Error("Events dropped", "intentional", false, "count", id-d.at.next, "reason", "The buffer's data files lack them.")
	}
	d.at.offset += headerSize + int64(len(line))
	d.at.next = id + 1
	d.unacked = append(d.unacked, d.at)
	return line, nil
}

func (d *Disk) closeReader() {
	if d.r != nil {
		_ = d.r.Close()
		d.r = nil
	}
}

// Ack implements Buffer. Whether a line was delivered or refused is all the same to a disk buffer: it is gone.
func (d *Disk) Ack(n int, _ bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return os.ErrClosed
	}
	if n == 0 {
		return nil
	}
	before := d.acked
	d.acked = d.unacked[n-1]
	d.unacked = d.unacked[:copy(d.unacked, d.unacked[n:])]
	if err := d.ledger.store(d.acked); err != nil {
		return err
	}
	d.flushLater()
	for file := before.file; file < d.acked.file; file++ {
		d.held -= d.sizes[file] - before.offset
		before = position{file: file + 1}
		d.remove(file)
	}
	d.held -= d.acked.offset - before.offset
	d.room.set()
	return nil
}

func (d *Disk) remove(file uint64) {
	if err := os.Remove(d.path(file)); err != nil && !errors.Is(err, os.ErrNotExist) {
		d.log.Warn("Data file stays behind.", "error", err)
	}
	delete(d.sizes, file)
}

// CloseWrite implements Buffer.
func (d *Disk) CloseWrite() {
	d.mu.Lock()
	d.eof = true
	d.mu.Unlock()
	d.lines.set()
}

// Len implements Buffer.
func (d *Disk) Len() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return int(d.end.next - d.acked.next)
}

// Close flushes the files and lets go of them.
func (d *Disk) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	if d.flush != nil {
		d.flush.Stop()
	}
	err := d.sync()
	d.closeReader()
	if d.w != nil {
		err = errors.Join(err, d.w.Close())
	}
	if d.ledger != nil {
		err = errors.Join(err, d.ledger.f.Close())
	}
	return errors.Join(err, unlockFile(d.lock))
}

// flushLater flushes once 500 ms after the first thing that wants it: an idle buffer wakes nobody.
func (d *Disk) flushLater() {
	if d.flush != nil {
		return
	}
	d.flush = time.AfterFunc(flushInterval, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.flush = nil
		if d.closed {
			return
		}
		if err := d.sync(); err != nil {
			d.log.Error("Disk buffer could not be flushed.", "error", err)
		}
	})
}

func (d *Disk) sync() error {
	var err error
	if d.w != nil {
		err = d.w.Sync()
	}
	if d.ledger != nil {
		err = errors.Join(err, d.ledger.sync())
	}
	return err
}

func (d *Disk) path(file uint64) string {
	return filepath.Join(d.dir, fmt.Sprintf("buffer-data-%d.dat", file))
}
