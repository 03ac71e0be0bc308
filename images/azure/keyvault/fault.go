package keyvault

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"net/http"

	"bootrace/images/azure/fault"
	"bootrace/images/azure/requestlog"
)

// Fail answers with an error that the vault was told to have. Its codes are
// those of the service where they are known; the one of 429 is not.
func (s *Service) Fail(w http.ResponseWriter, _ *http.Request, rec *requestlog.Record, f fault.Fault) {
	codes := map[int]string{
		http.StatusTooManyRequests: "Throttled", http.StatusServiceUnavailable: "ServiceUnavailable",
		http.StatusInternalServerError: "InternalServerError", http.StatusForbidden: "Forbidden", http.StatusNotFound: "SecretNotFound",
		http.StatusUnauthorized: "Unauthorized",
	}
	if f.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", s.challenge)
	}
	(&refusal{status: f.Status, code: cmp.Or(f.Code, codes[f.Status], "Error"), inner: f.InnerCode,
		message: "The service is not well, on purpose."}).write(w, rec)
}

// In is how the vault serves in the state that a fault says; nil: it has no such
// state.
func (s *Service) In(f fault.Fault) func(http.ResponseWriter, *http.Request, *requestlog.Record) {
	becomes, ok := states[f.Kind]
	if !ok {
		return nil
	}
	changed := *s
	changed.state = becomes(f)
	return changed.Serve
}

// state is what is wrong with a vault, the zero one nothing.
type state struct {
	refuses func(*requestlog.Record) *refusal
	shows   func(*stored) // changes a secret as it is read
}

// states are those of faults.
var states = map[fault.Kind]func(fault.Fault) state{
	fault.NoRole: func(fault.Fault) state {
		return state{refuses: func(*requestlog.Record) *refusal { return noRole() }}
	},
	fault.SecretDisabled: func(fault.Fault) state {
		return state{refuses: func(*requestlog.Record) *refusal { return isDisabled("get") }}
	},
	fault.SecretDeleted: func(fault.Fault) state {
		return state{refuses: func(rec *requestlog.Record) *refusal { return notFound(rec.Secret, rec.Version) }}
	},
	fault.SecretEmpty: func(fault.Fault) state {
		return state{shows: func(v *stored) { v.Value = "" }}
	},
	fault.SecretRotated: func(f fault.Fault) state {
		// The new version's id is made of its value: the same in each answer.
		id := sha256.Sum256([]byte(f.Value))
		return state{shows: func(v *stored) { v.Value, v.ID = f.Value, hex.EncodeToString(id[:16]) }}
	},
}
