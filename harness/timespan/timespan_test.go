package timespan

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The examples of systemd.time(7), and systemd's own (src/test/test-time-util.c).
func TestWhatSystemdReads(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"2 h": 2 * time.Hour, "2hours": 2 * time.Hour, "48hr": 48 * time.Hour, "1y 12month": year + 12*month, "55s500ms": 55500 * time.Millisecond,
		"300ms20s 5day": 5*day + 20300*time.Millisecond,
		"5s":            5 * time.Second, "5s500ms": 5500 * time.Millisecond, " 5s 500ms  ": 5500 * time.Millisecond, " 5.5s  ": 5500 * time.Millisecond,
		" 5.5s 0.5ms  ": 5500500 * time.Microsecond, " .22s ": 220 * time.Millisecond, " .50y ": year / 2, "2.5": 2500 * time.Millisecond, ".7": 700 * time.Millisecond,
		"23us": 23 * time.Microsecond, "23µs": 23 * time.Microsecond, "23μs": 23 * time.Microsecond, "3.9": 3900 * time.Millisecond,
		"12.34 .56": 12900 * time.Millisecond, "12.34s.56": 12900 * time.Millisecond, "infinity": Infinity, "  infinity ": Infinity,
		"1d": day, "1d 2h": 26 * time.Hour, "1w": week, "1M": month, "1m": time.Minute, "5min 20s": 320 * time.Second, "0": 0, "90": 90 * time.Second, "5 20": 25 * time.Second,
	} {
		got, err := Parse(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
}

func TestWhatIsNoTimeSpan(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "expected a number", " ": "expected a number", "xyz": "expected a number", "-5s": "expected a number", "5 parsecs": `no unit "parsecs"`, "5S": `no unit "S"`,
		"3.": `no unit "."`, "3.s": `no unit ".s"`, "3. 1": `no unit ". 1"`, "12.34.56": `no unit ".56"`, "5;": `no unit ";"`, "5s;": `expected a number at ";"`,
		"infinity 1s": "expected a number", "s": "expected a number", "1s s": `expected a number at "s"`,
		"300 y": "292 years", "99999999999999999999s": "292 years", "200y 200y": "292 years", "292.9999y": "292 years",
	} {
		_, err := Parse(text)
		require.ErrorContains(t, err, want, text)
		assert.ErrorContains(t, err, "systemd.time(7)")
	}
}

func TestWhatSystemdWrites(t *testing.T) {
	t.Parallel()
	for want, d := range map[string]time.Duration{
		"0s": 0, "100ms": 100 * time.Millisecond, "1.5s": 1500 * time.Millisecond, "10s": 10 * time.Second, "1min 30s": 90 * time.Second, "2min": 2 * time.Minute,
		"1d 2h": 26 * time.Hour, "1y 1month 1w 1d 1h 1min 1s": year + month + week + day + time.Hour + time.Minute + time.Second, "infinity": Infinity,
	} {
		assert.Equal(t, want, Format(d))
	}
}

func TestWhatTheBusSays(t *testing.T) {
	t.Parallel()
	assert.Equal(t, 10*time.Second, Micro(10_000_000))
	assert.Equal(t, Infinity, Micro(math.MaxUint64))
}

func TestWhatIsWrittenIsReadAgain(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(0, int64(Infinity)/int64(time.Microsecond)-1).Draw(t, "us")) * time.Microsecond
		got, err := Parse(Format(d))
		if err != nil || got != d {
			t.Fatalf("%s: written as %q, read as %s, %v", d, Format(d), got, err)
		}
	})
}
