package imds

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"bootrace/images/azure/answer"
	"bootrace/images/azure/fault"
	"bootrace/images/azure/requestlog"
)

// Fail answers with an error that the service was told to have.
func (s *Service) Fail(w http.ResponseWriter, _ *http.Request, rec *requestlog.Record, f fault.Fault) {
	rec.Error = cmp.Or(f.Code, strings.ReplaceAll(strings.ToLower(http.StatusText(f.Status)), " ", "_"), "error")
	answer.JSON(w, f.Status, tokenError{Error: rec.Error, Description: "The service is not well, on purpose."})
}

// In is how the service serves in the state that a fault says; nil: it has no such
// state.
func (s *Service) In(f fault.Fault) func(http.ResponseWriter, *http.Request, *requestlog.Record) {
	change := states[f.Kind]
	if change == nil {
		return nil
	}
	changed := *s
	change(&changed)
	return changed.Serve
}

// states are what faults make of the service. What an answer says beside a token
// does not give away that it is of no use.
var states = map[fault.Kind]func(*Service){
	fault.NoIdentity: func(s *Service) { s.identities = Identities{SystemAssigned: new(false)} },
	fault.TokenEmpty: func(s *Service) { s.issue = func(string, time.Time) string { return "" } },
	fault.TokenExpired: func(s *Service) {
		issue := s.issue
		s.issue = func(resource string, _ time.Time) string { return issue(resource, time.Now().Add(-time.Minute)) }
	},
	fault.TokenForeign: func(s *Service) {
		issue := s.issue
		s.issue = func(_ string, expires time.Time) string { return issue("https://management.azure.com", expires) }
	},
}
