package run

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"bootrace/harness/recording"
)

// sampleEvery is how often the host is looked at.
const sampleEvery = time.Second

// hostWatch samples the host while a run goes on; each case takes its part.
type hostWatch struct {
	mu      sync.Mutex
	samples []recording.HostSample
}

func (h *hostWatch) run(ctx context.Context) {
	due := time.Now()
	for {
		s := sampleHost()
		s.LateUS = time.Since(due).Microseconds()
		h.mu.Lock()
		h.samples = append(h.samples, s)
		h.mu.Unlock()
		due = due.Add(sampleEvery)
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(due)):
		}
	}
}

// between returns the samples from one before from to to, as lines of JSON.
func (h *hostWatch) between(from, to int64) []byte {
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
	return out.Bytes()
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
		case <-time.After(sampleEvery):
		}
	}
}

// isCalm looks at the last second. A kernel without PSI is calm.
func (h *hostWatch) isCalm() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := len(h.samples)
	return n >= 2 && time.Duration(h.samples[n-1].CPUSomeUS-h.samples[n-2].CPUSomeUS)*time.Microsecond <= calmEnough
}

// sampleHost reads what the kernel offers; a kernel without PSI gives zeros.
func sampleHost() recording.HostSample {
	return recording.HostSample{
		Mono:      recording.Monotonic(),
		CPUSomeUS: pressure("cpu", "some"),
		MemFullUS: pressure("memory", "full"),
		IOFullUS:  pressure("io", "full"),
	}
}

// pressure reads a total in microseconds: Documentation/accounting/psi.rst.
func pressure(resource, kind string) int64 {
	data, err := os.ReadFile("/proc/pressure/" + resource)
	if err != nil {
		return 0
	}
	for l := range strings.Lines(string(data)) {
		fields := strings.Fields(l)
		if len(fields) == 5 && fields[0] == kind {
			n, _ := strconv.ParseInt(strings.TrimPrefix(fields[4], "total="), 10, 64)
			return n
		}
	}
	return 0
}
