// Package imds emulates what a virtual machine's Instance Metadata Service says
// to a worker: access tokens of its managed identities, the instance's description, and
// that no maintenance is planned.
//
// https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token
// https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service
//
// https://learn.microsoft.com/azure/virtual-machines/linux/scheduled-events
//
// There are no attested data.
package imds

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"bootrace/images/azure/accesstoken"
	"bootrace/images/azure/answer"
	"bootrace/images/azure/requestlog"
)

// tokenLifetime is what managed identities get: "managed identity tokens are
// valid for 24 hours" (managed-identities-faq).
const tokenLifetime = 24 * time.Hour

// Operations, as the request log names them.
const (
	opToken           = "token"
	opInstance        = "instance"
	opVersions        = "versions"
	opScheduledEvents = "scheduledevents"
	opUnknown         = "unknown"
)

// Service answers as the metadata service of one machine.
type Service struct {
	tenant     string
	identities Identities
	version    *regexp.Regexp
	instance   map[string]any
	issue      func(resource string, expires time.Time) string
}

// New returns the metadata service of a machine in a tenant.
func New(tenant string, identities Identities, tokens *accesstoken.Issuer) *Service {
	return &Service{
		tenant:     tenant,
		identities: identities,
		version:    regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`),
		instance:   description(),
		issue:      tokens.Issue,
	}
}

// Identify names the operation that a request asks for.
func (s *Service) Identify(r *http.Request, rec *requestlog.Record) {
	rec.Service, rec.Op = "imds", opUnknown
	switch path := strings.TrimSuffix(r.URL.Path, "/"); {
	case path == "/metadata/identity/oauth2/token":
		rec.Op = opToken
	case path == "/metadata/instance", strings.HasPrefix(path, "/metadata/instance/"):
		rec.Op = opInstance
	case path == "/metadata/versions":
		rec.Op = opVersions
	case path == "/metadata/scheduledevents":
		rec.Op = opScheduledEvents
	}
}

// Serve answers a request that Identify has named.
func (s *Service) Serve(w http.ResponseWriter, r *http.Request, rec *requestlog.Record) {
	// "requests … must contain the header Metadata: true, and must not contain
	// an X-Forwarded-For header" (instance-metadata-service, Security).
	trusted := strings.EqualFold(r.Header.Get("Metadata"), "true") && r.Header.Get("X-Forwarded-For") == ""
	switch {
	case rec.Op == opToken:
		s.token(w, r, rec, trusted)
	case rec.Op == opInstance:
		s.describe(w, r, rec, trusted)
	case rec.Op == opVersions:
		s.versions(w, r, rec, trusted)
	case rec.Op == opScheduledEvents:
		s.scheduledEvents(w, r, rec, trusted)
	default:
		rec.Error = "not_found"
		answer.JSON(w, http.StatusNotFound, instanceError{Error: "Not found"})
	}
}

// tokenAnswer has strings only, numbers included, as the service has it.
type tokenAnswer struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	ExpiresIn    string `json:"expires_in"`
	ExpiresOn    string `json:"expires_on"`
	NotBefore    string `json:"not_before"`
	Resource     string `json:"resource"`
	TokenType    string `json:"token_type"`
}

type tokenError struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

func (s *Service) token(w http.ResponseWriter, r *http.Request, rec *requestlog.Record, trusted bool) {
	refuse := func(status int, code, description string) {
		rec.Error = code
		answer.JSON(w, status, tokenError{Error: code, Description: description})
	}
	query := r.URL.Query()
	resource := query.Get("resource")
	missing := s.identities.choose(query)
	switch {
	case !trusted:
		refuse(http.StatusBadRequest, "bad_request_102", "Required metadata header not specified")
	case r.Method != http.MethodGet:
		w.Header().Set("Allow", http.MethodGet)
		refuse(http.StatusMethodNotAllowed, "invalid_request", "Method not allowed")
	case !s.version.MatchString(query.Get("api-version")):
		refuse(http.StatusBadRequest, "invalid_request", "Required query variable 'api-version' is missing")
	case resource == "":
		refuse(http.StatusBadRequest, "invalid_request", "Required query variable 'resource' is missing")
	case missing != "":
		refuse(http.StatusBadRequest, "invalid_request", missing)
	case !isResource(resource):
		// Entra ID's error codes: AADSTS500011, InvalidResourceServicePrincipalNotFound.
		refuse(http.StatusBadRequest, "invalid_resource", "AADSTS500011: The resource principal named "+resource+
			" was not found in the tenant named "+s.tenant+".")
	default:
		now := time.Now()
		expires := now.Add(tokenLifetime)
		answer.JSON(w, http.StatusOK, tokenAnswer{
			AccessToken: s.issue(resource, expires),
			ExpiresIn:   strconv.Itoa(int(tokenLifetime.Seconds())),
			ExpiresOn:   strconv.FormatInt(expires.Unix(), 10),
			NotBefore:   strconv.FormatInt(now.Unix(), 10),
			Resource:    resource,
			TokenType:   "Bearer",
		})
	}
}

func isResource(resource string) bool {
	known := []string{"https://vault.azure.net", "https://management.azure.com", "https://storage.azure.com", "https://graph.microsoft.com"}
	return slices.Contains(known, strings.TrimSuffix(resource, "/"))
}
