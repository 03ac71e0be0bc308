// Package bearer reads the Bearer token of a request and says what kind of text
// it is. Whether it is the right one, its reader knows.
package bearer

import (
	"net/http"
	"strings"
)

// Auth is what a request brought to authenticate itself, for the request log.
type Auth = string

const (
	None    Auth = "none"    // no Authorization header
	Empty   Auth = "empty"   // Bearer and nothing after it: a stub's token
	Literal Auth = "literal" // an uninterpolated ${VARIABLE}
	Wrong   Auth = "wrong"
	OK      Auth = "ok"
)

// Read returns the token and what it looks like; a token that has to be compared
// comes as Wrong.
func Read(h http.Header) (token string, auth Auth) {
	value := h.Get("Authorization")
	if value == "" {
		return "", None
	}
	scheme, token, _ := strings.Cut(value, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", Wrong
	}
	token = strings.TrimSpace(token)
	switch {
	case token == "":
		return "", Empty
	case strings.HasPrefix(token, "${"):
		return token, Literal
	default:
		return token, Wrong
	}
}
