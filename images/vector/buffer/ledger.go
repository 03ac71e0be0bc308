package buffer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
)

// position is a place between two records.
type position struct {
	file   uint64 // number of the data file
	offset int64
	next   uint64 // number of the record that begins there
}

// ledger keeps the position up to which records were acknowledged. It has two slots that are written in turn, so that
// one is whole whenever the process is killed.
type ledger struct {
	f     *os.File
	turn  uint64
	dirty bool
}

const slotSize = 40

func openLedger(path string) (*ledger, position, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, position{}, fmt.Errorf("open ledger: %w", err)
	}
	l := &ledger{f: f}
	var best position
	for slot := range int64(2) {
		var b [slotSize]byte
		if _, err := f.ReadAt(b[:], slot*slotSize); err != nil {
			if errors.Is(err, io.EOF) {
				continue
			}
			_ = f.Close()
			return nil, position{}, fmt.Errorf("read ledger: %w", err)
		}
		turn := binary.LittleEndian.Uint64(b[:])
		if crc32.Checksum(b[:32], castagnoli) != binary.LittleEndian.Uint32(b[32:]) || turn <= l.turn {
			continue
		}
		l.turn = turn
		best = position{
			file:   binary.LittleEndian.Uint64(b[8:]),
			offset: int64(binary.LittleEndian.Uint64(b[16:])),
			next:   binary.LittleEndian.Uint64(b[24:]),
		}
	}
	return l, best, nil
}

func (l *ledger) store(p position) error {
	l.turn++
	var b [slotSize]byte
	binary.LittleEndian.PutUint64(b[:], l.turn)
	binary.LittleEndian.PutUint64(b[8:], p.file)
	binary.LittleEndian.PutUint64(b[16:], uint64(p.offset))
	binary.LittleEndian.PutUint64(b[24:], p.next)
	binary.LittleEndian.PutUint32(b[32:], crc32.Checksum(b[:32], castagnoli))
	if _, err := l.f.WriteAt(b[:], int64(l.turn%2)*slotSize); err != nil {
		return fmt.Errorf("write ledger: %w", err)
	}
	l.dirty = true
	return nil
}

func (l *ledger) sync() error {
	if !l.dirty {
		return nil
	}
	l.dirty = false
	return l.f.Sync()
}
