// Package resolver is the name server of the emulated cloud: it knows the hosts
// that the cloud plays and no others, so that a vault which does not exist fails
// as it does in production, by its name.
//
//	s := resolver.New(map[string]resolver.Host{"api.axiom.co": {Service: "axiom", Address: addr}}, faults, log.Write, network)
//	err := s.Serve(conn)
//
// It answers over UDP only: no answer of its is longer than a datagram.
package resolver

import (
	"errors"
	"net"
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"

	"bootrace/harness/recording"
	"bootrace/images/azure/fault"
	"bootrace/images/azure/requestlog"
)

// Service is what the request log calls it.
const Service = "resolver"

// ttl is in seconds: what is to stop resolving must not be remembered.
const ttl = 1

// Host is a host that resolves, and the service that it is a name of.
type Host struct {
	Service string
	Address netip.Addr // IPv4
}

// Server answers questions for addresses.
type Server struct {
	hosts  map[string]Host // by name in lower case, without a final dot
	faults *fault.Schedule
	write  func(requestlog.Record)
	// network is closed once there is one.
	network <-chan struct{}
}

// New returns a name server for hosts. Until network is closed it fails as that of a
// machine without one, systemd-resolved.service(8): it is there and can ask nobody.
func New(hosts map[string]Host, faults *fault.Schedule, write func(requestlog.Record), network <-chan struct{}) *Server {
	return &Server{hosts: hosts, faults: faults, write: write, network: network}
}

// maxMessage is what a message over UDP may have without EDNS: RFC 1035, section 2.3.4.
const maxMessage = 512

// Serve answers until conn is closed.
func (s *Server) Serve(conn net.PacketConn) error {
	buf := make([]byte, 4*maxMessage)
	for {
		n, from, err := conn.ReadFrom(buf)
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		if reply := s.Answer(buf[:n]); reply != nil {
			_, _ = conn.WriteTo(reply, from) // who has gone away asks again, if at all
		}
	}
}

// Answer returns the reply to a message, nil if it gets none.
func (s *Server) Answer(message []byte) []byte {
	var p dnsmessage.Parser
	header, err := p.Start(message)
	if err != nil || header.Response {
		return nil
	}
	question, err := p.Question()
	if err != nil {
		return nil
	}
	rec := requestlog.Record{Mono: recording.Monotonic(), Service: Service, Op: op(question.Type), Host: strings.TrimSuffix(question.Name.String(), ".")}
	host, known := s.hosts[strings.ToLower(rec.Host)]
	out := outcome{replies: true}
	if !known {
		out = outcomes[fault.NoSuchHost]
	}
	if f, ok := s.faults.Next(fault.Resolve, fault.Target{Service: host.Service}); ok && known {
		rec.Fault, out = f.Kind, outcomes[f.Kind]
	}
	select {
	case <-s.network:
	default:
		rec.Fault, out = "", outcome{replies: true, code: dnsmessage.RCodeServerFailure, error: "SERVFAIL: no network yet"}
	}
	rec.Error = out.error
	s.write(rec)
	if !out.replies {
		return nil
	}
	return reply(header, question, out.code, host.Address)
}

// outcome is what comes of a question.
type outcome struct {
	replies bool
	code    dnsmessage.RCode
	error   string // as the request log has it
}

// outcomes are those of faults.
var outcomes = map[fault.Kind]outcome{
	fault.NoSuchHost:     {replies: true, code: dnsmessage.RCodeNameError, error: "NXDOMAIN"},
	fault.ResolverFails:  {replies: true, code: dnsmessage.RCodeServerFailure, error: "SERVFAIL"},
	fault.ResolverSilent: {error: "no answer"},
}

func op(t dnsmessage.Type) string {
	return strings.ToLower(strings.TrimPrefix(t.String(), "Type"))
}

// reply builds a message; a question for anything but an IPv4 address of a host
// that exists has an answer without records (NODATA: RFC 2308, section 2.2).
func reply(asked dnsmessage.Header, q dnsmessage.Question, code dnsmessage.RCode, address netip.Addr) []byte {
	b := dnsmessage.NewBuilder(nil, dnsmessage.Header{
		ID: asked.ID, Response: true, OpCode: asked.OpCode, Authoritative: true,
		RecursionDesired: asked.RecursionDesired, RecursionAvailable: true, RCode: code,
	})
	b.EnableCompression()
	err := errors.Join(b.StartQuestions(), b.Question(q), b.StartAnswers())
	if code == dnsmessage.RCodeSuccess && q.Type == dnsmessage.TypeA && q.Class == dnsmessage.ClassINET {
		err = errors.Join(err, b.AResource(dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: ttl}, dnsmessage.AResource{A: address.As4()}))
	}
	out, finishErr := b.Finish()
	if err != nil || finishErr != nil {
		return nil // a name that can be asked for can be answered for
	}
	return out
}
