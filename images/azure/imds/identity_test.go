package imds_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images/azure/accesstoken"
	"bootrace/images/azure/imds"
)

func identity(name string) imds.Identity {
	return imds.Identity{
		ClientID: uuid.NewString(), ObjectID: uuid.NewString(),
		ResourceID: "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/" + name,
	}
}

func TestARequestGetsTheIdentityThatItNamesOrTheOnlyOne(t *testing.T) {
	t.Parallel()
	one, two := identity("one"), identity("two")
	const notFound, several = "Identity not found", "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request"
	system := func(is bool, of ...imds.Identity) imds.Identities {
		return imds.Identities{SystemAssigned: &is, UserAssigned: of}
	}
	tests := map[string]struct {
		identities imds.Identities
		query      url.Values
		want       string // what is said where no token is given
	}{
		"a machine has a system-assigned one when nothing is said": {imds.Identities{}, nil, ""},
		"the system-assigned one comes before others":              {system(true, one, two), nil, ""},
		"the only user-assigned one needs no name":                 {system(false, one), nil, ""},
		"of several one has to be named":                           {system(false, one, two), nil, several},
		"a machine without any":                                    {system(false), nil, notFound},
		"by client id":                                             {system(false, one, two), url.Values{"client_id": {two.ClientID}}, ""},
		"by object id":                                             {system(true, one, two), url.Values{"object_id": {two.ObjectID}}, ""},
		"by resource id":                                           {system(true, one), url.Values{"mi_res_id": {one.ResourceID}}, ""},
		"by resource id, as azidentity spells it":                  {system(true, one), url.Values{"msi_res_id": {one.ResourceID}}, ""},
		"in another case":                                          {system(true, one), url.Values{"client_id": {strings.ToUpper(one.ClientID)}}, ""},
		"by a name that nobody has":                                {system(true, one), url.Values{"client_id": {uuid.NewString()}}, notFound},
		"by an empty name":                                         {system(true, one), url.Values{"client_id": {""}}, notFound},
		"by an id of another kind":                                 {system(true, one), url.Values{"client_id": {one.ObjectID}}, notFound},
		"by names of two":                                          {system(true, one, two), url.Values{"client_id": {one.ClientID}, "object_id": {two.ObjectID}}, notFound},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service := imds.New("a-tenant", tt.identities, accesstoken.New())
			w, rec := ask(service, http.MethodGet, tokenPath+"&resource="+vault+"&"+tt.query.Encode(), "Metadata", "true")
			var got map[string]string
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
			if tt.want == "" {
				assert.Equal(t, http.StatusOK, w.Code)
				assert.NotEmpty(t, got["access_token"])
				return
			}
			assert.Equal(t, http.StatusBadRequest, w.Code)
			assert.Equal(t, "invalid_request", rec.Error)
			assert.Equal(t, "invalid_request", got["error"])
			assert.Equal(t, tt.want, got["error_description"])
		})
	}
}

func TestAnIdentityThatNoRequestCouldNameIsRefused(t *testing.T) {
	t.Parallel()
	one := identity("one")
	require.NoError(t, imds.Identities{UserAssigned: []imds.Identity{one, identity("two")}}.Validate())
	err := imds.Identities{UserAssigned: []imds.Identity{one, one, {ClientID: "x", ObjectID: "y", ResourceID: "z"}}}.Validate()
	for _, want := range []string{"user_assigned[1]", "there twice", `client_id "x"`, `object_id "y"`, `resource_id "z"`} {
		require.ErrorContains(t, err, want)
	}
}
