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

// stateRefuses says why the vault refuses a request in the state that a fault
// says it is in.
func stateRefuses(rec *requestlog.Record) *refusal {
	switch rec.Fault {
	case fault.NoRole:
		return &refusal{status: http.StatusForbidden, code: "Forbidden", inner: "ForbiddenByRbac",
			message: "Caller is not authorized to perform action on resource."}
	case fault.SecretDisabled:
		return isDisabled("get")
	case fault.SecretDeleted:
		return notFound(rec.Secret, rec.Version)
	}
	return nil
}

// changed is a secret as a fault says that it is now.
func changed(v stored, rec *requestlog.Record) stored {
	switch rec.Fault {
	case fault.SecretEmpty:
		v.Value = ""
	case fault.SecretRotated:
		// The new version's id is made of its value: the same in each answer.
		id := sha256.Sum256([]byte(rec.Value))
		v.Value, v.ID = rec.Value, hex.EncodeToString(id[:16])
	}
	return v
}
