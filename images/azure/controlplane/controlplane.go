// Package controlplane emulates what OpenSandbox's control plane is to one
// worker: it registers there, and is destroyed if it has not in time.
//
// Nothing is destroyed here: the log says that the worker would have been, and
// from then on the worker is told that it is gone.
package controlplane

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"bootrace/harness/recording"
	"bootrace/images/azure/answer"
	"bootrace/images/azure/fault"
	"bootrace/images/azure/requestlog"
)

// Host is the control plane's name for its workers.
const Host = "control-plane.opensandbox.internal"

// Operations, as the request log names them.
const (
	opRegister  = "register"
	opHeartbeat = "heartbeat"
	opDestroyed = "destroyed"
	opUnknown   = "unknown"
)

const (
	maxBody = 64 << 10
	// maxWorkers bounds the memory that registrations take; a machine has one worker.
	maxWorkers  = 64
	maxWorkerID = 128
)

// Service answers as the control plane.
type Service struct {
	ttl time.Duration

	mu        sync.Mutex
	workers   map[string]bool
	destroyed bool
}

// New returns a control plane that waits ttl (pendingWorkerTTL) for its worker.
func New(ttl time.Duration) *Service {
	return &Service{ttl: ttl, workers: make(map[string]bool)}
}

// Start begins the wait for the worker, and returns what ends it early. When the
// wait is over and no worker has come, destroyed is called, once, with the record.
func (s *Service) Start(destroyed func(requestlog.Record)) (stop func()) {
	timer := time.AfterFunc(s.ttl, func() {
		s.mu.Lock()
		if len(s.workers) > 0 {
			s.mu.Unlock()
			return
		}
		s.destroyed = true
		s.mu.Unlock()
		destroyed(requestlog.Record{Mono: recording.Monotonic(), Service: "controlplane", Op: opDestroyed})
	})
	return func() { timer.Stop() }
}

// Identify names the operation that a request asks for.
func (s *Service) Identify(r *http.Request, rec *requestlog.Record) {
	rec.Service, rec.Op = "controlplane", opUnknown
	rest, ok := strings.CutPrefix(r.URL.Path, "/v1/workers/")
	switch worker, isHeartbeat := strings.CutSuffix(rest, "/heartbeat"); {
	case !ok:
	case rest == "register":
		rec.Op = opRegister
	case isHeartbeat && worker != "" && !strings.Contains(worker, "/"):
		rec.Op, rec.Worker = opHeartbeat, worker
	}
}

type registration struct {
	WorkerID string `json:"worker_id"`
	Region   string `json:"region"`
	HostIP   string `json:"host_ip"`
}

type registered struct {
	WorkerID         string `json:"worker_id"`
	PendingWorkerTTL int    `json:"pending_worker_ttl_s"`
}

type errorBody struct {
	Error   string `json:"error"`
	Message string `json:"message"`
}

// Serve answers a request that Identify has named.
func (s *Service) Serve(w http.ResponseWriter, r *http.Request, rec *requestlog.Record) {
	refuse := func(status int, code, message string) {
		rec.Error = code
		answer.JSON(w, status, errorBody{Error: code, Message: message})
	}
	switch {
	case rec.Op == opUnknown:
		refuse(http.StatusNotFound, "not_found", "no such operation")
		return
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		refuse(http.StatusMethodNotAllowed, "method_not_allowed", "POST is asked for")
		return
	}
	if rec.Op == opRegister {
		in, err := read(r)
		if err != nil {
			refuse(http.StatusBadRequest, "bad_request", err.Error())
			return
		}
		rec.Worker = in.WorkerID
	}
	switch state := s.note(rec.Op, rec.Worker); {
	case state == gone:
		refuse(http.StatusGone, "worker_destroyed", "the worker did not register within "+s.ttl.String()+" and was destroyed")
	case state == full:
		refuse(http.StatusTooManyRequests, "too_many_workers", "one machine has one worker")
	case state == stranger:
		refuse(http.StatusNotFound, "unknown_worker", "the worker has not registered")
	case rec.Op == opHeartbeat:
		w.WriteHeader(http.StatusNoContent)
	default:
		answer.JSON(w, http.StatusOK, registered{WorkerID: rec.Worker, PendingWorkerTTL: int(s.ttl.Seconds())})
	}
}

// Fail answers with an error that the service was told to have.
func (s *Service) Fail(w http.ResponseWriter, _ *http.Request, rec *requestlog.Record, f fault.Fault) {
	rec.Error = cmp.Or(f.Code, "internal")
	answer.JSON(w, f.Status, errorBody{Error: rec.Error, Message: "the service is not well, on purpose"})
}

// read reads a registration. Unknown fields are the worker's own affair.
func read(r *http.Request) (registration, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return registration{}, errors.New("the body cannot be read")
	}
	var in registration
	if len(body) > maxBody || json.Unmarshal(body, &in) != nil {
		return registration{}, errors.New("the body is not a registration: a JSON object with worker_id, region, host_ip")
	}
	if in.WorkerID == "" || len(in.WorkerID) > maxWorkerID {
		return registration{}, errors.New("worker_id is missing or too long")
	}
	return in, nil
}

// state is how a worker stands with the control plane.
type state int

const (
	known state = iota
	stranger
	full
	gone
)

func (s *Service) note(op, worker string) state {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.destroyed:
		return gone
	case s.workers[worker]:
		return known
	case op != opRegister:
		return stranger
	case len(s.workers) == maxWorkers:
		return full
	}
	s.workers[worker] = true
	return known
}
