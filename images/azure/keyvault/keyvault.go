// Package keyvault emulates the secrets data plane of one Azure Key Vault for a
// reader: the challenge, get and list, and their errors.
//
// https://learn.microsoft.com/rest/api/keyvault/secrets/
//
// The machine's identity has the role Key Vault Secrets User: whatever would
// write, delete or back up is known and answered 403, ForbiddenByRbac.
package keyvault

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"bootrace/images/azure/accesstoken"
	"bootrace/images/azure/answer"
	"bootrace/images/azure/bearer"
	"bootrace/images/azure/requestlog"
)

// audience is the resource that tokens for any vault of the public cloud are for.
const audience = "https://vault.azure.net"

// Service answers as one vault.
type Service struct {
	url       string
	challenge string
	tokens    *accesstoken.Issuer
	secrets   map[string]secret
	names     []string // sorted
	name      *regexp.Regexp
	version   *regexp.Regexp
}

type secret struct {
	value   string
	version string
	created int64
}

// New returns the vault of that name with its secrets, name to value. Each has
// one version, new in every vault.
func New(vault, tenant string, secrets map[string]string, tokens *accesstoken.Issuer) *Service {
	s := &Service{
		url: "https://" + Host(vault),
		// The space after the comma matters: azsecrets' challenge policy splits there.
		challenge: `Bearer authorization="https://login.microsoftonline.com/` + tenant + `", resource="` + audience + `"`,
		tokens:    tokens,
		secrets:   make(map[string]secret, len(secrets)),
		names:     slices.Sorted(maps.Keys(secrets)),
		// "a 1-127 character string … 0-9, a-z, A-Z, and -" (about-keys-secrets-certificates).
		name:    regexp.MustCompile(`^[0-9A-Za-z-]{1,127}$`),
		version: regexp.MustCompile(`^[0-9a-fA-F]{32}$`),
	}
	for name, value := range secrets {
		id := make([]byte, 16)
		_, _ = rand.Read(id) // crypto/rand: never returns an error
		s.secrets[name] = secret{value: value, version: hex.EncodeToString(id), created: time.Now().Unix()}
	}
	return s
}

// Host returns the host name of a vault.
func Host(vault string) string { return vault + ".vault.azure.net" }

// Serve answers a request that Identify has named.
func (s *Service) Serve(w http.ResponseWriter, r *http.Request, rec *requestlog.Record) {
	h := w.Header()
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Ms-Keyvault-Region", "eastus2")
	h.Set("X-Ms-Request-Id", rand.Text())
	// Who asks comes before what is asked: a stranger learns nothing of the vault.
	if refused := s.authenticate(r, rec); refused != nil {
		h.Set("WWW-Authenticate", s.challenge)
		refused.write(w, rec)
		return
	}
	if refused := s.answer(w, r, rec); refused != nil {
		refused.write(w, rec)
	}
}

func (s *Service) authenticate(r *http.Request, rec *requestlog.Record) *refusal {
	token, auth := bearer.Read(r.Header)
	rec.Auth = auth
	unauthorized := func(message string) *refusal {
		return &refusal{status: http.StatusUnauthorized, code: "Unauthorized", message: message}
	}
	if auth == bearer.None || auth == bearer.Empty {
		return unauthorized("AKV10000: Request is missing a Bearer or PoP token.")
	}
	resource, err := s.tokens.Check(token, time.Now())
	switch {
	case errors.Is(err, accesstoken.ErrExpired):
		return unauthorized("Error validating token: the token has expired.")
	case err != nil:
		return unauthorized("Error validating token: it was not issued for this tenant.")
	case resource != audience && resource != audience+"/":
		return unauthorized("AKV10022: Invalid audience. Expected " + audience + ", found: " + resource + ".")
	}
	rec.Auth = bearer.OK
	return nil
}

// answer serves an authenticated request, or says why not.
func (s *Service) answer(w http.ResponseWriter, r *http.Request, rec *requestlog.Record) *refusal {
	query := r.URL.Query()
	if query.Get("api-version") == "" {
		return badParameter("api-version must be specified")
	}
	if rec.Secret != "" && !s.name.MatchString(rec.Secret) {
		return badParameter("The request URI contains an invalid name: " + rec.Secret)
	}
	switch rec.Op {
	case opGet:
		found, refused := s.find(rec.Secret, rec.Version)
		if refused != nil {
			return refused
		}
		rec.Version = found.version
		answer.JSON(w, http.StatusOK, s.bundle(rec.Secret, found))
		return nil
	case opList:
		return s.list(w, query, "/secrets", s.items())
	case opVersions:
		found, refused := s.find(rec.Secret, "")
		if refused != nil {
			return refused
		}
		return s.list(w, query, "/secrets/"+rec.Secret+"/versions", []item{s.item(rec.Secret+"/"+found.version, found)})
	case opUnknown:
		return &refusal{status: http.StatusNotFound, code: "NotFound", message: "The requested operation does not exist."}
	default:
		return &refusal{status: http.StatusForbidden, code: "Forbidden", inner: "ForbiddenByRbac",
			message: "Caller is not authorized to perform action on resource."}
	}
}

func (s *Service) find(name, version string) (secret, *refusal) {
	found, ok := s.secrets[name]
	if version != "" && !s.version.MatchString(version) {
		return secret{}, badParameter("The request URI contains an invalid secret version: " + version)
	}
	if !ok || version != "" && version != found.version {
		return secret{}, &refusal{status: http.StatusNotFound, code: "SecretNotFound",
			message: "A secret with (name/id) " + strings.TrimSuffix(name+"/"+version, "/") + " was not found in this key vault."}
	}
	return found, nil
}

// refusal is an error of the service: what it answers instead.
type refusal struct {
	status               int
	code, inner, message string
}

func badParameter(message string) *refusal {
	return &refusal{status: http.StatusBadRequest, code: "BadParameter", message: message}
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
