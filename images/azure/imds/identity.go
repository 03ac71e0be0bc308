package imds

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Identities are the managed identities of a machine.
type Identities struct {
	SystemAssigned *bool      `json:"system_assigned"` // nil is true
	UserAssigned   []Identity `json:"user_assigned"`
}

// Identity is a user-assigned one, which a request can name in three ways.
type Identity struct {
	ClientID   string `json:"client_id"`
	ObjectID   string `json:"object_id"`
	ResourceID string `json:"resource_id"`
}

// Validate tells of every identity that no request could name.
func (i Identities) Validate() error {
	isUUID := regexp.MustCompile(`(?i)^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	isResource := regexp.MustCompile(`(?i)^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.ManagedIdentity/userAssignedIdentities/[^/]+$`)
	var problems []error
	taken := make(map[string]bool)
	for n, of := range i.UserAssigned {
		problem := func(format string, args ...any) {
			problems = append(problems, fmt.Errorf("user_assigned[%d]: "+format, append([]any{n}, args...)...))
		}
		if !isUUID.MatchString(of.ClientID) {
			problem("client_id %q is not a UUID", of.ClientID)
		}
		if !isUUID.MatchString(of.ObjectID) {
			problem("object_id %q is not a UUID", of.ObjectID)
		}
		if !isResource.MatchString(of.ResourceID) {
			problem("resource_id %q is not /subscriptions/…/resourceGroups/…/providers/Microsoft.ManagedIdentity/userAssignedIdentities/…", of.ResourceID)
		}
		for _, id := range []string{of.ClientID, of.ObjectID, of.ResourceID} {
			if id = strings.ToLower(id); taken[id] {
				problem("%q is there twice", id)
			} else {
				taken[id] = true
			}
		}
	}
	return errors.Join(problems...)
}

// selectors are the parameters that name an identity, as two generations of
// clients spell them: azidentity sends msi_res_id, the documentation has
// mi_res_id.
func (i Identity) selectors() map[string]string {
	return map[string]string{
		"client_id": i.ClientID, "object_id": i.ObjectID, "principal_id": i.ObjectID,
		"mi_res_id": i.ResourceID, "msi_res_id": i.ResourceID,
	}
}

// choose reports which identity a request gets, as what the service says where
// there is none: "" for one.
//
// https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/managed-identities-faq
// ("What identity will IMDS default to if I don't specify the identity in the request?")
func (i Identities) choose(query map[string][]string) string {
	const unknown = "Identity not found"
	named := make(map[string]string)
	for selector := range (Identity{}).selectors() {
		if values := query[selector]; len(values) > 0 {
			named[selector] = values[0]
		}
	}
	switch {
	case len(named) > 0:
		for _, of := range i.UserAssigned {
			if of.is(named) {
				return ""
			}
		}
		return unknown
	case i.SystemAssigned == nil || *i.SystemAssigned:
		return ""
	case len(i.UserAssigned) == 0:
		return unknown
	case len(i.UserAssigned) > 1:
		return "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request"
	default:
		return ""
	}
}

// is reports whether each given name is this identity's. UUIDs and resource ids
// have no case.
func (i Identity) is(named map[string]string) bool {
	own := i.selectors()
	for selector, value := range named {
		if !strings.EqualFold(own[selector], value) {
			return false
		}
	}
	return true
}
