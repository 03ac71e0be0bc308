package run

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"

	"bootrace/harness/recording"
)

// hostWatch has the samples of the host on which the machines are, while a run goes on;
// each case takes its part.
type hostWatch struct {
	mu      sync.Mutex
	samples []recording.HostSample
	heard   time.Time // when the last came
	ended   error     // why there are no more
}

// follow takes the samples, a line of JSON each, until they end.
func (h *hostWatch) follow(from io.Reader) {
	for lines := json.NewDecoder(from); ; {
		var s recording.HostSample
		err := lines.Decode(&s)
		h.mu.Lock()
		if err != nil {
			h.ended = fmt.Errorf("the samples of the engine's host ended: %w", err)
			h.mu.Unlock()
			return
		}
		h.samples, h.heard = append(h.samples, s), time.Now()
		h.mu.Unlock()
	}
}

// now is the host's time as far as it is known, by the clock of the last sample.
func (h *hostWatch) now() recording.Clock {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.samples) == 0 {
		return recording.Clock{}
	}
	since := time.Since(h.heard)
	last := h.samples[len(h.samples)-1]
	return recording.Clock{Mono: last.Mono + since.Nanoseconds(), Realtime: last.Realtime + since.Microseconds()}
}

// between returns the samples from one before from to to, as lines of JSON.
func (h *hostWatch) between(from, to int64) ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	for i, s := range h.samples {
		before := i+1 < len(h.samples) && h.samples[i+1].Mono < from
		if !before && s.Mono <= to {
			_ = enc.Encode(s) // a buffer takes what it is given
		}
	}
	if out.Len() == 0 && h.ended != nil {
		return nil, h.ended
	}
	return out.Bytes(), nil
}

// calmWithin bounds the wait for a calm host, calmEnough is what of a second tasks
// may wait for the CPU on one: a boot by itself is well below.
const (
	calmWithin = 20 * time.Second
	calmEnough = 100 * time.Millisecond
)

// calm returns once the host is, or soon enough anyway. Machines that end, and
// the judging of their recordings, take the CPU as boots do.
func (h *hostWatch) calm(ctx context.Context) {
	for began := time.Now(); time.Since(began) < calmWithin && !h.isCalm(); {
		select {
		case <-ctx.Done():
			return
		case <-time.After(sampledEvery):
		}
	}
}

// sampledEvery is how often a sample comes (images/azure/host).
const sampledEvery = time.Second

// hasSpare: it is calm, and that is known. A kernel without PSI does not tell.
func (h *hostWatch) hasSpare() bool {
	h.mu.Lock()
	told := h.ended == nil && len(h.samples) > 0 && h.samples[len(h.samples)-1].CPUSomeUS > 0
	h.mu.Unlock()
	return told && h.isCalm()
}

// isCalm looks at the last second. A kernel without PSI is calm, and so is a host of
// which nothing is heard: there is nothing to wait for.
func (h *hostWatch) isCalm() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := len(h.samples)
	return h.ended != nil || n >= 2 && time.Duration(h.samples[n-1].CPUSomeUS-h.samples[n-2].CPUSomeUS)*time.Microsecond <= calmEnough
}
