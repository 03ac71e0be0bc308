package resolver_test

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"

	"bootrace/images/azure/fault"
	"bootrace/images/azure/requestlog"
	"bootrace/images/azure/resolver"
)

// serve runs a server and returns a client of it.
func serve(t *testing.T, log *records, faults ...fault.Fault) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	s := resolver.New(map[string]resolver.Host{
		"kv-test.vault.azure.net": {Service: "keyvault", Address: netip.MustParseAddr("127.0.0.1")},
		"api.axiom.co":            {Service: "axiom", Address: netip.MustParseAddr("127.0.0.2")},
	}, fault.NewSchedule(faults, func() time.Duration { return 0 }), log.add, online())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(conn) }()
	t.Cleanup(func() {
		require.NoError(t, conn.Close())
		require.NoError(t, <-ended)
	})
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// records are what the server has written so far.
type records struct {
	mu   sync.Mutex
	list []requestlog.Record
}

func (r *records) add(rec requestlog.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, rec)
}

func (r *records) all() []requestlog.Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.list)
}

func TestTheCloudsHostsResolveAndNoOthers(t *testing.T) {
	t.Parallel()
	var log records
	r := serve(t, &log)
	for host, want := range map[string]string{"kv-test.vault.azure.net": "127.0.0.1", "API.axiom.co.": "127.0.0.2"} {
		got, err := r.LookupHost(t.Context(), host)
		require.NoError(t, err)
		assert.Equal(t, []string{want}, got)
	}
	_, err := r.LookupHost(t.Context(), "kv-other.vault.azure.net.")
	var missing *net.DNSError
	require.ErrorAs(t, err, &missing)
	assert.True(t, missing.IsNotFound)

	got := log.all()
	assert.Equal(t, "resolver", got[0].Service)
	assert.Empty(t, got[0].Error)
	assert.Equal(t, "NXDOMAIN", got[len(got)-1].Error)
	assert.Equal(t, "kv-other.vault.azure.net", got[len(got)-1].Host)
}

func TestANameThatDoesNotResolveForAWhile(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		kind      fault.Kind
		notFound  bool
		temporary bool
		logged    string
	}{
		{fault.NoSuchHost, true, false, "NXDOMAIN"},
		{fault.ResolverFails, false, true, "SERVFAIL"},
		{fault.ResolverSilent, false, true, "no answer"},
	} {
		t.Run(string(tc.kind), func(t *testing.T) {
			t.Parallel()
			var log records
			// A lookup asks for A and AAAA, and asks again where nothing usable came.
			r := serve(t, &log, fault.Fault{Service: "keyvault", Kind: tc.kind})
			patience := time.Minute
			if tc.kind == fault.ResolverSilent {
				patience = 300 * time.Millisecond // for nothing, so it had better be short
			}
			var err error
			for tries := 0; tries < 50 && len(log.all()) == 0; tries++ { // it may be over before it has asked
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				_, err = r.LookupHost(ctx, "kv-test.vault.azure.net.")
				cancel()
			}
			var got *net.DNSError
			require.ErrorAs(t, err, &got)
			assert.Equal(t, tc.notFound, got.IsNotFound)
			assert.Equal(t, tc.temporary, got.IsTemporary || got.IsTimeout)
			require.NotEmpty(t, log.all())
			assert.Equal(t, tc.logged, log.all()[0].Error)
			_, err = r.LookupHost(t.Context(), "api.axiom.co.")
			require.NoError(t, err)
		})
	}
}

// Nobody is given an address in spite of a fault, be it one that nobody carries out.
func TestEveryKindOfTheTableIsCarriedOut(t *testing.T) {
	t.Parallel()
	name := dnsmessage.MustNewName("api.axiom.co.")
	question := dnsmessage.Question{Name: name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}
	message, err := (&dnsmessage.Message{Questions: []dnsmessage.Question{question}}).Pack()
	require.NoError(t, err)
	for _, row := range fault.Table() {
		if row.Layer != fault.Resolve {
			continue
		}
		var log records
		faults := fault.NewSchedule([]fault.Fault{{Service: "axiom", Kind: row.Kind}}, func() time.Duration { return 0 })
		s := resolver.New(map[string]resolver.Host{"api.axiom.co": {Service: "axiom", Address: netip.MustParseAddr("127.0.0.2")}}, faults, log.add, online())
		var reply dnsmessage.Message
		if text := s.Answer(message); text != nil {
			require.NoError(t, reply.Unpack(text))
		}
		assert.Empty(t, reply.Answers, row.Kind)
		assert.Equal(t, row.Kind, log.all()[0].Fault)
		assert.NotEmpty(t, log.all()[0].Error, "nobody carries out %s", row.Kind)
	}
}

func TestWhatIsNoQuestionGetsNoAnswer(t *testing.T) {
	t.Parallel()
	s := resolver.New(nil, nil, func(requestlog.Record) {}, online())
	for _, message := range [][]byte{nil, {1, 2, 3}, bytes.Repeat([]byte{0xff}, 600), make([]byte, 12)} {
		assert.Nil(t, s.Answer(message))
	}
}

func FuzzAnswer(f *testing.F) {
	s := resolver.New(map[string]resolver.Host{"a": {Service: "axiom", Address: netip.MustParseAddr("127.0.0.2")}}, nil, func(requestlog.Record) {}, online())
	f.Add([]byte("\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x00\x00\x01\x00\x01"))
	f.Fuzz(func(t *testing.T, message []byte) {
		if reply := s.Answer(message); reply != nil && len(reply) < 12 {
			t.Fatalf("%d bytes are no message", len(reply))
		}
	})
}

// online is a network that is there.
func online() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

func TestNoNameResolvesBeforeThereIsANetwork(t *testing.T) {
	t.Parallel()
	for asked, once := range map[string]dnsmessage.RCode{"api.axiom.co.": dnsmessage.RCodeSuccess, "nowhere.vault.azure.net.": dnsmessage.RCodeNameError} {
		question := dnsmessage.Question{Name: dnsmessage.MustNewName(asked), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}
		message, err := (&dnsmessage.Message{Questions: []dnsmessage.Question{question}}).Pack()
		require.NoError(t, err)
		var log records
		network := make(chan struct{})
		s := resolver.New(map[string]resolver.Host{"api.axiom.co": {Service: "axiom", Address: netip.MustParseAddr("127.0.0.2")}}, nil, log.add, network)
		code := func() dnsmessage.RCode {
			var reply dnsmessage.Message
			require.NoError(t, reply.Unpack(s.Answer(message)))
			return reply.RCode
		}
		assert.Equal(t, dnsmessage.RCodeServerFailure, code(), "not NXDOMAIN, which would say that there is no such host: %s", asked)
		assert.Contains(t, log.all()[0].Error, "no network yet")
		close(network)
		assert.Equal(t, once, code(), asked)
		assert.NotContains(t, log.all()[1].Error, "no network yet")
	}
}
