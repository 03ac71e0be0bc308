package populate_test

import (
	"context"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images/azure/fault"
	"bootrace/populator/populate"
	"bootrace/populator/vault"
	"bootrace/populator/vectorenv"
)

// TestADayOfOutageCostsNothing: the real clients against the emulated cloud, of
// which something else is broken every hour. It is not parallel, because it
// counts what belongs to the process.
func TestADayOfOutageCostsNothing(t *testing.T) {
	// IMDS first: a token is good for a day, so whoever has one does not ask.
	kinds := []fault.Fault{
		{Service: "imds", Kind: fault.Hang},
		{Service: "imds", Kind: fault.Refused},
		{Service: "imds", Kind: fault.Status, Status: 404},
		{Service: "imds", Kind: fault.TokenExpired},
		{Service: "imds", Kind: fault.TokenEmpty},
		{Service: "keyvault", Kind: fault.Status, Status: 503},
		{Service: "keyvault", Kind: fault.Refused},
		{Service: "keyvault", Kind: fault.NoSuchHost},
		{Service: "keyvault", Kind: fault.ResolverSilent},
		{Service: "keyvault", Kind: fault.CertExpired},
		{Service: "keyvault", Kind: fault.Hang},
		{Service: "keyvault", Kind: fault.Truncated},
	}
	const hours = 24
	var faults []fault.Fault
	for hour := range hours {
		f := kinds[hour*len(kinds)/hours]
		f.From.Duration, f.Until.Duration = time.Duration(hour)*time.Hour, time.Duration(hour+1)*time.Hour
		faults = append(faults, mustBeValid(f))
	}
	inWorld(t, func(w *world) {
		e := newEmulated(faults)
		client, err := e.client()
		require.NoError(t, err)
		fetches := &counted{Fetcher: client}
		w.fetcher = fetches
		w.put("worker.env", worker(theVault))
		w.start()
		var first footprint
		for hour := range hours {
			w.sleep(10 * time.Minute) // in which the pauses grow
			fetches.take()
			w.sleep(time.Until(w.began.Add(time.Duration(hour+1)*time.Hour - time.Second)))
			for fetches.running() {
				w.sleep(100 * time.Millisecond)
			}
			pauses := fetches.take()
			require.Greater(t, len(pauses), 25, "it goes on asking in hour %d, %s: %s", hour, faults[hour].Kind, w.notify.status)
			for _, pause := range pauses {
				// A minute, and the jitter of 0.3.
				assert.GreaterOrEqual(t, pause, 41*time.Second, "hour %d, %s", hour, faults[hour].Kind)
				assert.LessOrEqual(t, pause, 79*time.Second, "hour %d, %s", hour, faults[hour].Kind)
			}
			require.Empty(t, e.impolite(0), "hour %d, %s", hour, faults[hour].Kind)
			e.calls, w.notify.all = nil, nil // the test's own memory
			now := measure(t)
			if hour == 0 {
				first = now
			}
			assert.LessOrEqual(t, now.goroutines, first.goroutines, "after %d hours", hour+1)
			assert.LessOrEqual(t, now.descriptors, first.descriptors, "after %d hours", hour+1)
			// The runtime's own and MSAL's last token come and go.
			assert.Less(t, now.heap, first.heap+128<<10, "after %d hours", hour+1)
			if hour == hours-1 {
				t.Logf("after 1 h: %+v; after %d h: %+v", first, hours, now)
			}
		}
		w.awaitEnd(5 * time.Minute)
		assert.Equal(t, "value of "+ingestToken, w.values()[vectorenv.Token])
	})
}

// footprint is what a process holds.
type footprint struct {
	goroutines, descriptors int
	heap                    uint64
}

func measure(t *testing.T) footprint {
	t.Helper()
	runtime.GC()
	runtime.GC() // what finalizers and pools kept for one more round
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	open, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return footprint{goroutines: runtime.NumGoroutine(), descriptors: len(open), heap: m.HeapAlloc}
}

// counted notes the pauses between fetches.
type counted struct {
	populate.Fetcher

	mu     sync.Mutex
	under  int
	ended  time.Time
	pauses []time.Duration
}

func (c *counted) Fetch(ctx context.Context, name string, names []string) map[string]vault.Answer {
	c.mu.Lock()
	c.under++
	if !c.ended.IsZero() {
		c.pauses = append(c.pauses, time.Since(c.ended))
	}
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.under--
		c.ended = time.Now()
	}()
	return c.Fetcher.Fetch(ctx, name, names)
}

func (c *counted) take() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	pauses := c.pauses
	c.pauses = nil
	return pauses
}

func (c *counted) running() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.under > 0
}
