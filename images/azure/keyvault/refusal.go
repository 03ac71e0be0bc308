package keyvault

import (
	"net/http"
	"strings"

	"bootrace/images/azure/answer"
	"bootrace/images/azure/requestlog"
)

// refusal is an error of the service: what it answers instead.
type refusal struct {
	status               int
	code, inner, message string
}

func (f *refusal) Error() string { return f.code + ": " + f.message }

func badParameter(message string) *refusal {
	return &refusal{status: http.StatusBadRequest, code: "BadParameter", message: message}
}

func notFound(name, version string) *refusal {
	return &refusal{status: http.StatusNotFound, code: "SecretNotFound",
		message: "A secret with (name/id) " + strings.TrimSuffix(name+"/"+version, "/") + " was not found in this key vault."}
}

func deletedNotFound(name string) *refusal {
	return &refusal{status: http.StatusNotFound, code: "SecretNotFound", message: "Deleted Secret not found: " + name}
}

func isDisabled(op string) *refusal {
	return &refusal{status: http.StatusForbidden, code: "Forbidden", inner: "SecretDisabled",
		message: "Operation " + op + " is not allowed on a disabled secret."}
}

func noRole() *refusal {
	return &refusal{status: http.StatusForbidden, code: "Forbidden", inner: "ForbiddenByRbac",
		message: "Caller is not authorized to perform action on resource."}
}

func inUse(name string) *refusal {
	return &refusal{status: http.StatusConflict, code: "Conflict",
		message: "A secret with name " + name + " already exists in this key vault."}
}

func isRecoverable(name string) *refusal {
	return &refusal{status: http.StatusConflict, code: "Conflict", inner: "ObjectIsDeletedButRecoverable",
		message: "Secret " + name + " is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the secret can only be recovered or purged."}
}

// envelope is the error envelope of the data plane.
type envelope struct {
	Error struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Inner   *inner `json:"innererror,omitempty"`
	} `json:"error"`
}

type inner struct {
	Code string `json:"code"`
}

func (f *refusal) write(w http.ResponseWriter, rec *requestlog.Record) {
	rec.Error = f.code
	var e envelope
	e.Error.Code, e.Error.Message = f.code, f.message
	if f.inner != "" {
		rec.Error = f.inner
		e.Error.Inner = &inner{Code: f.inner}
	}
	answer.JSON(w, f.status, e)
}
