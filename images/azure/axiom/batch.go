package axiom

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"

	"bootrace/images/azure/requestlog"
)

// maxFailures bounds how many bad events an answer tells of.
const maxFailures = 10

// batch is what one request brought.
type batch struct {
	ingested, failed int
	failures         []failure
	bytes            int64
	lines            lines
	metrics          int               // events that are the worker's metrics
	numbered         int               // events that have numbered lines
	identity         map[string]string // what they may say of who sent them
	identified       map[string]int    // how many do
}

// tell writes into the log what came.
func (b *batch) tell(rec *requestlog.Record) {
	rec.Events, rec.Lines = b.events(), b.lines.text()
	rec.Metrics, rec.Numbered, rec.Identity = b.metrics, b.numbered, b.identified
}

type failure struct {
	Timestamp time.Time `json:"timestamp"`
	Error     string    `json:"error"`
}

// result is the answer to an accepted batch.
type result struct {
	Ingested       int       `json:"ingested"`
	Failed         int       `json:"failed"`
	Failures       []failure `json:"failures"`
	ProcessedBytes int64     `json:"processedBytes"`
	BlocksCreated  int       `json:"blocksCreated"`
	WalLength      int       `json:"walLength"`
}

// workerMetric begins the names of the metrics that images/twin serves.
const workerMetric = "opensandbox_worker_"

// identify notes who an event says that it is from, wherever it says so.
func (b *batch) identify(event []byte) {
	for name, value := range b.identity {
		if value == "" || !bytes.Contains(event, []byte(value)) {
			continue
		}
		if b.identified == nil {
			b.identified = map[string]int{}
		}
		b.identified[name]++
	}
}

func (b *batch) events() int { return b.ingested + b.failed }

func (b *batch) result() result {
	return result{
		Ingested: b.ingested, Failed: b.failed, Failures: append([]failure{}, b.failures...),
		ProcessedBytes: b.bytes, WalLength: b.ingested,
	}
}

// read reads events in one of the two forms that carry JSON.
func (b *batch) read(body io.Reader, contentType string) error {
	// A parameter such as charset is no part of the type; a header that cannot be
	// parsed has none of the types below.
	kind, _, _ := mime.ParseMediaType(contentType)
	switch kind {
	case "application/x-ndjson":
		return b.readLines(body)
	case "application/json":
		return b.readArray(body)
	default:
		return &refusal{http.StatusBadRequest, fmt.Sprintf("unsupported content type %q", contentType)}
	}
}

func (b *batch) readLines(body io.Reader) error {
	scanner := bufio.NewScanner(body)
	scanner.Buffer(nil, maxEvent)
	for scanner.Scan() {
		b.bytes += int64(len(scanner.Bytes())) + 1
		line := bytes.TrimSpace(scanner.Bytes())
		if len(line) == 0 {
			continue
		}
		if !json.Valid(line) {
			return &refusal{http.StatusBadRequest, fmt.Sprintf("event %d is not JSON", b.events()+1)}
		}
		b.add(line)
	}
	if errors.Is(scanner.Err(), bufio.ErrTooLong) {
		return &refusal{http.StatusRequestEntityTooLarge, fmt.Sprintf("event %d is larger than %d bytes", b.events()+1, maxEvent)}
	}
	return scanner.Err()
}

func (b *batch) readArray(body io.Reader) error {
	decoder := json.NewDecoder(full{body})
	defer func() { b.bytes = decoder.InputOffset() }()
	first, err := decoder.Token()
	if err != nil {
		return err
	}
	if first != json.Delim('[') {
		return &refusal{http.StatusBadRequest, "the body is not an array of events"}
	}
	for decoder.More() {
		var event json.RawMessage
		if err := decoder.Decode(&event); err != nil {
			return err
		}
		b.add(event)
	}
	if _, err := decoder.Token(); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return &refusal{http.StatusBadRequest, "there is something after the array of events"}
	}
	return nil
}

// full reads as much as it is asked for. encoding/json looks through white space
// from its start after each read: many small ones take quadratic time.
type full struct{ r io.Reader }

func (f full) Read(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var more int
		more, err = f.r.Read(p[n:])
		n += more
	}
	return n, err
}

// add takes one JSON value. What is no object is a failed event, which does not
// spoil the others.
func (b *batch) add(event []byte) {
	if event[0] != '{' {
		b.failed++
		if len(b.failures) < maxFailures {
			b.failures = append(b.failures, failure{Timestamp: time.Now().UTC(), Error: "event is not an object"})
		}
		return
	}
	b.ingested++
	switch {
	case b.lines.note(event):
		b.numbered++
		b.identify(event)
	case bytes.Contains(event, []byte(workerMetric)):
		b.metrics++
	}
}
