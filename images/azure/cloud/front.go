package cloud

import (
	"net"
	"net/http"
	"strings"
	"time"

	"bootrace/harness/recording"
	"bootrace/images/azure/answer"
	"bootrace/images/azure/fault"
	"bootrace/images/azure/requestlog"
)

// service is one emulated service.
type service interface {
	// Identify says which operation a request asks for, and of what, before
	// anything is answered.
	Identify(r *http.Request, rec *requestlog.Record)
	// Serve answers a request that Identify has seen, and adds to its record.
	Serve(w http.ResponseWriter, r *http.Request, rec *requestlog.Record)
	// Fail answers it with an error in the service's own form.
	Fail(w http.ResponseWriter, r *http.Request, rec *requestlog.Record, f fault.Fault)
}

// stateful is a service whose own state can be wrong.
type stateful interface {
	// In is how it serves in the state that a fault says; nil: it has no such state.
	In(f fault.Fault) func(http.ResponseWriter, *http.Request, *requestlog.Record)
}

// front is where all requests of one listener come in: it logs them, and passes
// them to the service whose host name they ask for.
type front struct {
	log    *requestlog.Log
	hosts  map[string]site
	faults *fault.Schedule
}

// site is a service under one of its host names. Its name is that of the request
// log and of faults.
type site struct {
	name string
	service
}

func (f front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	arrived := time.Now()
	rec := requestlog.Record{
		Mono: recording.Monotonic(), Method: r.Method, Host: r.Host, Path: r.URL.Path,
		Query: requestlog.Query(r.URL.Query()), UserAgent: r.UserAgent(),
	}
	defer func() {
		rec.Duration = time.Since(arrived)
		f.log.Write(rec)
	}()
	r.Body = requestlog.Count(r.Body, &rec)
	f.serve(requestlog.Answer(w, &rec), r, &rec)
}

func (f front) serve(w http.ResponseWriter, r *http.Request, rec *requestlog.Record) {
	host := canonical(r.Host)
	of, known := f.hosts[host]
	// RFC 9110, section 7.4: a request for a host that its connection was not
	// made for is misdirected.
	if !known || r.TLS != nil && canonical(r.TLS.ServerName) != host {
		rec.Service, rec.Op, rec.Error = "azure", opUnknownHost, "misdirected_request"
		http.Error(w, "this cloud has no such host", http.StatusMisdirectedRequest)
		return
	}
	of.Identify(r, rec)
	// Here a request is known by service, operation and secret, and nothing has
	// been answered: the one place for whatever is to go wrong on purpose.
	if bad, ok := f.faults.Next(fault.Answer, fault.Target{Service: rec.Service, Op: rec.Op, Secret: rec.Secret}); ok {
		misbehave(w, r, rec, of.service, bad)
		return
	}
	of.Serve(w, r, rec)
}

// canonical returns a host name without port and final dot, in lower case.
func canonical(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// loginHost is named in the vault's challenge. A managed identity never asks
// there, so whoever does has the wrong credential; a missing host would look like
// a broken network instead.
const loginHost = "login.microsoftonline.com"

type login struct{}

func (login) Identify(_ *http.Request, rec *requestlog.Record) {
	rec.Service, rec.Op = "azure", "login"
}

func (login) Serve(w http.ResponseWriter, _ *http.Request, rec *requestlog.Record) {
	rec.Error = "unauthorized_client"
	answer.JSON(w, http.StatusBadRequest, map[string]string{
		"error":             rec.Error,
		"error_description": "AADSTS700016: Application was not found in the directory. This machine has a managed identity only.",
	})
}

// Fail is never asked for: faults do not happen to what nobody should ask.
func (l login) Fail(w http.ResponseWriter, r *http.Request, rec *requestlog.Record, _ fault.Fault) {
	l.Serve(w, r, rec)
}
