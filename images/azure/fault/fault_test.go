package fault_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images/azure/fault"
)

func seconds(n float64) fault.Duration {
	return fault.Duration{Duration: time.Duration(n * float64(time.Second))}
}

func TestAFaultIsInForceWhenItsTimesSaySo(t *testing.T) {
	t.Parallel()
	flap := fault.Fault{From: seconds(10), Until: seconds(24), On: seconds(5), Off: seconds(3)}
	for _, tc := range []struct {
		name  string
		fault fault.Fault
		at    float64
		in    bool
		until float64
	}{
		{"without times, always", fault.Fault{}, 1000, true, 0},
		{"before from", fault.Fault{From: seconds(3)}, 2.9, false, 3},
		{"at from", fault.Fault{From: seconds(3)}, 3, true, 0},
		{"before until", fault.Fault{Until: seconds(3)}, 2.9, true, 3},
		{"at until, and then never again", fault.Fault{Until: seconds(3)}, 3, false, 0},
		{"flapping, not yet", flap, 9, false, 10},
		{"flapping, on", flap, 14.9, true, 15},
		{"flapping, off", flap, 15, false, 18},
		{"flapping, on again", flap, 18, true, 23},
		{"flapping, cut short by until", flap, 23, false, 24},
		{"flapping, over", flap, 25, false, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			in, until := tc.fault.InForce(seconds(tc.at).Duration)
			assert.Equal(t, tc.in, in)
			assert.Equal(t, seconds(tc.until).Duration, until)
		})
	}
}

func TestRequestsAreCountedByWhatTheyAskFor(t *testing.T) {
	t.Parallel()
	get := func(secret string) fault.Target {
		return fault.Target{Service: "keyvault", Op: "secrets.get", Secret: secret}
	}
	s := fault.NewSchedule([]fault.Fault{
		{Service: "keyvault", Secret: "a", Kind: fault.Status, Status: 503, Requests: "2-3,5"},
		{Service: "keyvault", Kind: fault.Status, Status: 429, Requests: "7-"},
		{Service: "imds", Op: "token", Kind: fault.TokenEmpty, Requests: "1"},
	}, func() time.Duration { return 0 })
	var got []int
	for range 8 {
		f, _ := s.Next(fault.Answer, get("a"))
		got = append(got, f.Status)
	}
	assert.Equal(t, []int{0, 503, 503, 0, 503, 0, 429, 429}, got)
	f, ok := s.Next(fault.Answer, get("b"))
	assert.True(t, ok)
	assert.Equal(t, 429, f.Status, "every request to the vault counts for a fault that names no secret")

	_, ok = s.Next(fault.Answer, fault.Target{Service: "imds", Op: "instance"})
	assert.False(t, ok)
	f, _ = s.Next(fault.Answer, fault.Target{Service: "imds", Op: "token"})
	assert.Equal(t, fault.TokenEmpty, f.Kind)
	_, ok = s.Next(fault.Answer, fault.Target{Service: "imds", Op: "token"})
	assert.False(t, ok)
}

func TestTheFirstFaultInForceHappensAndTheLayersDoNotMix(t *testing.T) {
	t.Parallel()
	now := 0 * time.Second
	s := fault.NewSchedule([]fault.Fault{
		{Service: "axiom", Kind: fault.CertExpired},
		{Service: "axiom", Kind: fault.Status, Status: 500, From: seconds(5)},
		{Service: "axiom", Kind: fault.Slow, Latency: seconds(1)},
	}, func() time.Duration { return now })
	to := fault.Target{Service: "axiom", Op: "ingest"}
	f, _ := s.Next(fault.Answer, to)
	assert.Equal(t, fault.Slow, f.Kind)
	now = 5 * time.Second
	f, _ = s.Next(fault.Answer, to)
	assert.Equal(t, fault.Status, f.Kind)
	f, _ = s.Next(fault.Handshake, fault.Target{Service: "axiom"})
	assert.Equal(t, fault.CertExpired, f.Kind)
	_, ok := s.Next(fault.Resolve, fault.Target{Service: "axiom"})
	assert.False(t, ok)
}

func TestAServiceListensUnlessItRefuses(t *testing.T) {
	t.Parallel()
	now := 0 * time.Second
	s := fault.NewSchedule([]fault.Fault{
		{Service: "imds", Kind: fault.Refused, From: seconds(2), Until: seconds(9)},
		{Service: "imds", Kind: fault.Refused, From: seconds(4), Until: seconds(6)},
	}, func() time.Duration { return now })
	for _, tc := range []struct {
		at, lasts float64
		open      bool
	}{{0, 2, true}, {3, 1, false}, {5, 1, false}, {6, 3, false}, {9, 0, true}} {
		now = seconds(tc.at).Duration
		open, lasts := s.Listening("imds")
		assert.Equal(t, tc.open, open, "at %s", now)
		assert.Equal(t, seconds(tc.lasts).Duration, lasts, "at %s", now)
	}
	open, lasts := s.Listening("keyvault")
	assert.True(t, open)
	assert.Zero(t, lasts)
}

func TestWithoutAScheduleNothingGoesWrong(t *testing.T) {
	t.Parallel()
	var s *fault.Schedule
	_, ok := s.Next(fault.Answer, fault.Target{Service: "imds"})
	assert.False(t, ok)
	open, _ := s.Listening("imds")
	assert.True(t, open)
}

func TestAFaultThatCannotHappenIsRefused(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		fault fault.Fault
		keys  []string
	}{
		{"an unknown service", fault.Fault{Service: "s3", Kind: fault.Hang}, []string{"service"}},
		{"an unknown kind", fault.Fault{Service: "imds", Kind: "on-fire"}, []string{"kind"}},
		{"a kind that is another service's", fault.Fault{Service: "imds", Kind: fault.SecretDisabled}, []string{"kind"}},
		{"a certificate for an address", fault.Fault{Service: "imds", Kind: fault.CertExpired}, []string{"kind"}},
		{"an op before there is a request", fault.Fault{Service: "axiom", Kind: fault.NoSuchHost, Op: "ingest"}, []string{"op"}},
		{"an op that is another service's", fault.Fault{Service: "axiom", Kind: fault.Hang, Op: "token"}, []string{"op"}},
		{"a secret of imds", fault.Fault{Service: "imds", Kind: fault.Hang, Secret: "x"}, []string{"secret"}},
		{"a rotation of nothing", fault.Fault{Service: "keyvault", Kind: fault.SecretRotated}, []string{"secret"}},
		{"a rotation that ends", fault.Fault{Service: "keyvault", Kind: fault.SecretRotated, Secret: "x", Until: seconds(1)}, []string{"until"}},
		{"until before from", fault.Fault{Service: "imds", Kind: fault.Hang, From: seconds(2), Until: seconds(1)}, []string{"until"}},
		{"on without off", fault.Fault{Service: "imds", Kind: fault.Hang, On: seconds(2)}, []string{"on"}},
		{"requests that are none", fault.Fault{Service: "imds", Kind: fault.Hang, Requests: "0-2"}, []string{"requests"}},
		{"requests backwards", fault.Fault{Service: "imds", Kind: fault.Hang, Requests: "3-2"}, []string{"requests"}},
		{"requests of refused connections", fault.Fault{Service: "imds", Kind: fault.Refused, Requests: "1"}, []string{"requests"}},
		{"a status without one", fault.Fault{Service: "imds", Kind: fault.Status}, []string{"status"}},
		{"a status that is none", fault.Fault{Service: "imds", Kind: fault.Status, Status: 42}, []string{"status"}},
		{"slow without latency", fault.Fault{Service: "imds", Kind: fault.Slow}, []string{"latency"}},
		{"a body for a reset", fault.Fault{Service: "imds", Kind: fault.Reset, Body: "x"}, []string{"body"}},
		{"a body and a code", fault.Fault{Service: "imds", Kind: fault.Status, Status: 500, Body: "x", Code: "y"}, []string{"body"}},
		{"a form of no Retry-After", fault.Fault{Service: "imds", Kind: fault.Status, Status: 429, RetryAfterAs: fault.AsDate}, []string{"retry_after_as"}},
		{"two mistakes", fault.Fault{Service: "imds", Kind: fault.Slow, Status: 500}, []string{"latency", "status"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var keys []string
			for _, p := range tc.fault.Validate() {
				keys = append(keys, p.Key)
			}
			assert.Equal(t, tc.keys, keys)
		})
	}
}

func TestEveryKindCanHappen(t *testing.T) {
	t.Parallel()
	for _, row := range fault.Table() {
		f := fault.Fault{Kind: row.Kind, Service: "keyvault"}
		if len(row.Services) > 0 {
			f.Service = row.Services[0]
		}
		for _, key := range row.Must {
			switch key {
			case "status":
				f.Status = 503
			case "latency":
				f.Latency = seconds(1)
			default:
				require.Fail(t, "a key that this test does not know", key)
			}
		}
		if row.Kind == fault.SecretRotated {
			f.Secret = "x"
		}
		assert.Empty(t, f.Validate(), row.Kind)
		assert.NotEmpty(t, row.Doc, row.Kind)
	}
}

func TestAFaultIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	f := fault.Fault{Service: "keyvault", Op: "secrets.get", Secret: "x", Kind: fault.Status, From: seconds(1), Until: seconds(90.5),
		On: seconds(2), Off: seconds(3), Requests: "1-", Status: 429, Code: "Throttled", Latency: seconds(0.2), RetryAfter: seconds(7), RetryAfterAs: fault.AsDate}
	text, err := json.Marshal(f)
	require.NoError(t, err)
	var got fault.Fault
	require.NoError(t, json.Unmarshal(text, &got))
	assert.Equal(t, f, got)
}
