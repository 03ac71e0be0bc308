// Package axiom emulates Axiom's ingest: who may write which dataset, the
// encodings that clients send, and the errors on which they drop or keep a batch.
//
// https://axiom.co/docs/restapi/endpoints/ingestIntoDataset
//
// Events are not kept. What is kept, in the request log, is how many came and
// which numbered lines were among them, of accepted and of refused batches alike.
package axiom

import (
	"cmp"
	"crypto/rand"
	"errors"
	"net/http"
	"slices"
	"strings"

	"bootrace/images/azure/answer"
	"bootrace/images/azure/bearer"
	"bootrace/images/azure/fault"
	"bootrace/images/azure/requestlog"
)

// Host is the name under which clients know the service.
const Host = "api.axiom.co"

// Operations, as the request log names them.
const (
	opIngest  = "ingest"
	opUnknown = "unknown"
)

// Service answers as one Axiom organisation.
type Service struct {
	identity map[string]string   // variable -> value
	tokens   map[string][]string // token -> datasets it may write
	datasets []string
	names    map[string]string // token -> name of the secret that holds it
	readers  chan struct{}
}

// New returns an organisation with its tokens (token to datasets). Secrets (name
// to value) say under which name a token appears in the log.
func New(tokens map[string][]string, secrets, identity map[string]string) *Service {
	s := &Service{
		tokens:   tokens,
		identity: identity,
		names:    make(map[string]string),
		// A zstd window takes up to 8 MB: two at a time keep the cloud small.
		readers: make(chan struct{}, 2),
	}
	for _, datasets := range tokens {
		s.datasets = append(s.datasets, datasets...)
	}
	for name, value := range secrets {
		// Of several secrets with one value the first name in the alphabet.
		if known, ok := s.names[value]; value != "" && (!ok || name < known) {
			s.names[value] = name
		}
	}
	return s
}

// Identify names the operation that a request asks for, and the dataset.
func (s *Service) Identify(r *http.Request, rec *requestlog.Record) {
	rec.Service, rec.Op = "axiom", opUnknown
	rest, ok := strings.CutPrefix(r.URL.Path, "/v1/datasets/")
	dataset, isIngest := strings.CutSuffix(strings.TrimSuffix(rest, "/"), "/ingest")
	if ok && isIngest && dataset != "" && !strings.Contains(dataset, "/") {
		rec.Op, rec.Dataset = opIngest, dataset
	}
}

// Serve answers a request that Identify has named.
func (s *Service) Serve(w http.ResponseWriter, r *http.Request, rec *requestlog.Record) {
	w.Header().Set("X-Axiom-Trace-Id", rand.Text())
	token, auth := bearer.Read(r.Header)
	rec.Auth, rec.TokenName = auth, s.names[token]
	if rec.Op != opIngest {
		refuse(w, rec, http.StatusNotFound, "not found")
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		refuse(w, rec, http.StatusMethodNotAllowed, "method not allowed")
		return
	}
	status, message := s.authorize(token, rec)
	// The body is read even of a batch that is refused: its lines are those
	// which a client that drops it has lost.
	batch, err := s.read(r)
	batch.tell(rec)
	if status != 0 {
		refuse(w, rec, status, message)
		return
	}
	if err != nil {
		refuse(w, rec, err.status, err.message)
		return
	}
	answer.JSON(w, http.StatusOK, batch.result())
}

// Fail answers with an error that the service was told to have. The batch is read
// all the same: it says which lines were refused.
func (s *Service) Fail(w http.ResponseWriter, r *http.Request, rec *requestlog.Record, f fault.Fault) {
	w.Header().Set("X-Axiom-Trace-Id", rand.Text())
	token, auth := bearer.Read(r.Header)
	rec.Auth, rec.TokenName = auth, s.names[token]
	if rec.Op == opIngest {
		batch, _ := s.read(r) // what cannot be read is refused as well
		batch.tell(rec)
	}
	refuse(w, rec, f.Status, cmp.Or(f.Code, "the service is not well, on purpose"))
}

// authorize returns the status and message with which a request is refused, 0 if
// it is not.
func (s *Service) authorize(token string, rec *requestlog.Record) (int, string) {
	datasets, known := s.tokens[token]
	switch {
	case rec.Auth == bearer.None || rec.Auth == bearer.Empty:
		return http.StatusUnauthorized, "unauthorized"
	case token == "" || !known:
		return http.StatusForbidden, "forbidden"
	}
	// The token is one; what follows is about the dataset.
	rec.Auth = bearer.OK
	switch {
	case !slices.Contains(s.datasets, rec.Dataset):
		return http.StatusNotFound, "dataset not found"
	case !slices.Contains(datasets, rec.Dataset):
		return http.StatusForbidden, "forbidden"
	}
	return 0, ""
}

// read takes a batch apart, a bounded number of them at a time.
func (s *Service) read(r *http.Request) (batch, *refusal) {
	select {
	case s.readers <- struct{}{}:
		defer func() { <-s.readers }()
	case <-r.Context().Done():
		return batch{}, &refusal{http.StatusServiceUnavailable, "client went away"}
	}
	b := batch{identity: s.identity}
	body, err := decoded(r)
	if err == nil {
		defer body.Close()
		err = b.read(body, r.Header.Get("Content-Type"))
	}
	var refused *refusal
	if err == nil || errors.As(err, &refused) {
		return b, refused
	}
	return b, &refusal{http.StatusBadRequest, "the body cannot be read: " + err.Error()}
}

// refusal is an error as the service answers it.
type refusal struct {
	status  int
	message string
}

func (f *refusal) Error() string { return f.message }

type errorBody struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func refuse(w http.ResponseWriter, rec *requestlog.Record, status int, message string) {
	// The message can hold a client's text; the log gets the status in words.
	rec.Error = strings.ReplaceAll(strings.ToLower(http.StatusText(status)), " ", "_")
	answer.JSON(w, status, errorBody{Code: status, Message: message})
}
