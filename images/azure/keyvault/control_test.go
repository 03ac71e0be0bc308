package keyvault_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images/azure/accesstoken"
	"bootrace/images/azure/keyvault"
)

func TestARoleSaysWhatMayBeDone(t *testing.T) {
	t.Parallel()
	v := newVault()
	requests := map[string]bool{ // whether a reader may
		"GET /secrets/a-token": true, "GET /secrets": true, "GET /secrets/a-token/versions": true,
		"PUT /secrets/a-token": false, "PATCH /secrets/a-token": false, "POST /secrets/a-token/backup": false, "GET /deletedsecrets": false,
	}
	status := func(request string) int {
		method, target, _ := strings.Cut(request, " ")
		w, _ := v.send(method, target+version, v.bearer(audience), `{"value":"x"}`)
		if w.Code == http.StatusForbidden {
			assert.Contains(t, w.Body.String(), "ForbiddenByRbac")
		}
		return w.Code
	}
	for request, reads := range requests {
		v.service.SetRole(keyvault.User)
		assert.Equal(t, reads, status(request) == http.StatusOK, request)
		v.service.SetRole(keyvault.None)
		assert.Equal(t, http.StatusForbidden, status(request), request)
		v.service.SetRole(keyvault.Officer)
		assert.Equal(t, http.StatusOK, status(request), request)
	}
	v.service.SetRole(keyvault.None)
	w, _ := v.ask("GET", "/secrets/a-token"+version, "")
	assert.Equal(t, http.StatusUnauthorized, w.Code, "who asks comes first")

	require.NoError(t, keyvault.Role("").Validate())
	require.ErrorContains(t, keyvault.Role("owner").Validate(), `"owner" is no role: user, officer or none`)
}

func TestWhatHappensToAVaultIsSeenByItsReader(t *testing.T) {
	t.Parallel()
	learnt := make(map[string]string)
	v := vault{tokens: accesstoken.New()}
	v.service = keyvault.New(keyvault.Vault{
		Name: "kv-test", Tenant: "a-tenant", Secrets: keyvault.Seeds{"one": keyvault.Text("first")},
		Learn: func(name, value string) { learnt[value] = name },
	}, v.tokens)
	assert.Equal(t, map[string]string{"first": "one"}, learnt)
	before := v.officer(t, "GET", "/secrets/one", "")

	require.NoError(t, v.service.Set("one", "second"))
	assert.Equal(t, "one", learnt["second"])
	after := v.officer(t, "GET", "/secrets/one", "")
	assert.Equal(t, "second", *after.Value)
	assert.NotEqual(t, before.ID, after.ID)
	assert.Equal(t, "first", *v.officer(t, "GET", "/secrets/one/"+before.version(), "").Value)

	require.NoError(t, v.service.SetEnabled("one", false))
	assert.Equal(t, "SecretDisabled", v.officer(t, "GET", "/secrets/one", "").Error.InnerError.Code)
	require.NoError(t, v.service.SetEnabled("one", true))
	require.NoError(t, v.service.Delete("one"))
	assert.Equal(t, http.StatusNotFound, v.officer(t, "GET", "/secrets/one", "").Status)
	require.ErrorContains(t, v.service.Set("one", "third"), "deleted but recoverable")
	require.NoError(t, v.service.Recover("one"))
	assert.Equal(t, "second", *v.officer(t, "GET", "/secrets/one", "").Value)

	require.ErrorContains(t, v.service.SetEnabled("nothing", true), "SecretNotFound")
	require.ErrorContains(t, v.service.Delete("nothing"), "SecretNotFound")
	require.ErrorContains(t, v.service.Recover("one"), "SecretNotFound")
	require.ErrorContains(t, v.service.Set("one", strings.Repeat("x", 25<<10+1)), "25601 bytes")
	require.NoError(t, v.service.Set("two", "new"))
	assert.Equal(t, "new", *v.officer(t, "GET", "/secrets/two", "").Value)
}
