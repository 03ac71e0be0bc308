// Package keyvault emulates the secrets data plane of one Azure Key Vault: the
// challenge, every operation that azsecrets has, and their errors.
//
// https://learn.microsoft.com/rest/api/keyvault/secrets/
//
// It is no safe: values are kept in memory, in the clear. Keys and certificates
// it does not have.
package keyvault

import (
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"time"

	"bootrace/images/azure/accesstoken"
	"bootrace/images/azure/answer"
	"bootrace/images/azure/bearer"
	"bootrace/images/azure/requestlog"
)

// audience is the resource that tokens for any vault of the public cloud are for.
const audience = "https://vault.azure.net"

// Vault says what a vault is like when it starts.
type Vault struct {
	Name    string
	Tenant  string
	Role    Role // of whoever has a token; none given is User
	Secrets Seeds
	// Learn, if there is one, is told of every value before anybody can read it.
	Learn func(name, value string)
}

// Service answers as one vault; it is safe for concurrent use.
type Service struct {
	url        string
	challenge  string
	tokens     *accesstoken.Issuer
	store      *store
	seal       cipher.AEAD // of backups
	name       *regexp.Regexp
	version    *regexp.Regexp
	apiVersion *regexp.Regexp
	state      state
}

// New returns a vault. What identifies a secret's version and was not given is
// new in every vault.
func New(vault Vault, tokens *accesstoken.Issuer) *Service {
	s := &Service{
		url: "https://" + Host(vault.Name),
		// The space after the comma matters: azsecrets' challenge policy splits there.
		challenge: `Bearer authorization="https://login.microsoftonline.com/` + vault.Tenant + `", resource="` + audience + `"`,
		tokens:    tokens,
		store:     newStore(vault),
		seal:      newSeal(),
		name:      regexp.MustCompile(namePattern),
		version:   regexp.MustCompile(`^[0-9a-fA-F]{32}$`),
		// 2016-10-01, 7.0 to 7.6 with their previews, then dates again (REST API,
		// "API versions"): whichever it is, secrets are the same.
		apiVersion: regexp.MustCompile(`^(7\.\d|\d{4}-\d{2}-\d{2})(-preview(\.\d+)?)?$`),
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
	body, refused := s.answer(w, r, rec)
	switch {
	case refused != nil:
		refused.write(w, rec)
	case body == nil:
		w.WriteHeader(http.StatusNoContent)
	default:
		answer.JSON(w, http.StatusOK, body)
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

// answer returns the body for an authenticated request, nil where the answer has
// none, or says why not.
func (s *Service) answer(w http.ResponseWriter, r *http.Request, rec *requestlog.Record) (any, *refusal) {
	query := r.URL.Query()
	version := query.Get("api-version")
	switch {
	case version == "":
		return nil, badParameter("api-version must be specified")
	case !s.apiVersion.MatchString(version):
		return nil, badParameter("api-version " + version + " is not supported")
	case rec.Secret != "" && !s.name.MatchString(rec.Secret):
		return nil, badParameter("The request URI contains an invalid name: " + rec.Secret)
	case rec.Version != "" && !s.version.MatchString(rec.Version):
		return nil, badParameter("The request URI contains an invalid secret version: " + rec.Version)
	}
	if s.state.refuses != nil {
		return nil, s.state.refuses(rec)
	}
	for _, o := range operations() {
		if o.op != rec.Op {
			continue
		}
		if !s.store.mayDo(o) {
			return nil, noRole()
		}
		return o.serve(s, &call{
			secret: rec.Secret, version: strings.ToLower(rec.Version), query: query, body: http.MaxBytesReader(w, r.Body, o.most), rec: rec,
		})
	}
	return nil, &refusal{status: http.StatusNotFound, code: "NotFound", message: "The requested operation does not exist."}
}
