package buffer

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// A data file is a row of records: length of the line, checksum, number, line. The checksum covers the number and the
// line, so that neither a torn tail nor a block of zeros that a crash left passes for a record.
const headerSize = 16

// maxLine bounds what a damaged length can make us allocate. Vector's own limit is a data file.
const maxLine = 64 << 20

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errTorn = errors.New("torn or damaged record")

func appendRecord(b []byte, id uint64, line []byte) []byte {
	start := len(b)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(line)))
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = binary.LittleEndian.AppendUint64(b, id)
	b = append(b, line...)
	binary.LittleEndian.PutUint32(b[start+4:], crc32.Checksum(b[start+8:], castagnoli))
	return b
}

// readRecord reads one record of at most limit bytes. io.EOF means that none begins here.
func readRecord(r *bufio.Reader, limit int64) (id uint64, line []byte, err error) {
	var header [headerSize]byte
	if limit <= 0 {
		return 0, nil, io.EOF
	}
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return 0, nil, cutShort(err, "header")
	}
	length := int64(binary.LittleEndian.Uint32(header[:4]))
	if length > maxLine || headerSize+length > limit {
		return 0, nil, fmt.Errorf("%w: length %d with %d bytes left", errTorn, length, limit-headerSize)
	}
	line = make([]byte, length)
	if _, err := io.ReadFull(r, line); err != nil {
		return 0, nil, cutShort(err, "line")
	}
	sum := crc32.Update(crc32.Checksum(header[8:], castagnoli), castagnoli, line)
	if sum != binary.LittleEndian.Uint32(header[4:8]) {
		return 0, nil, fmt.Errorf("%w: checksum", errTorn)
	}
	return binary.LittleEndian.Uint64(header[8:]), line, nil
}

// cutShort tells a file that ends too early from one that cannot be read: only the first may be cut off.
func cutShort(err error, part string) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: the %s is cut short", errTorn, part)
	}
	return fmt.Errorf("read %s: %w", part, err)
}
