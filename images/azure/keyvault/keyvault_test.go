package keyvault_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images/azure/accesstoken"
	"bootrace/images/azure/bearer"
	"bootrace/images/azure/keyvault"
	"bootrace/images/azure/requestlog"
)

const (
	audience = "https://vault.azure.net"
	version  = "?api-version=2025-07-01"
)

// vault is a service and what its tests need to know of it.
type vault struct {
	service *keyvault.Service
	tokens  *accesstoken.Issuer
	value   string
}

func newVault(more ...string) vault {
	v := vault{tokens: accesstoken.New(), value: rand.Text() + " \"'\\$#=<&>\r\n é "}
	secrets := keyvault.Seeds{"a-token": keyvault.Text(v.value), "empty": keyvault.Text("")}
	for _, name := range more {
		secrets[name] = keyvault.Text(rand.Text())
	}
	v.service = keyvault.New(keyvault.Vault{Name: "kv-test", Tenant: "a-tenant", Secrets: secrets}, v.tokens)
	return v
}

func (v vault) ask(method, target, authorization string) (*httptest.ResponseRecorder, requestlog.Record) {
	return v.send(method, target, authorization, "")
}

func (v vault) send(method, target, authorization, body string) (*httptest.ResponseRecorder, requestlog.Record) {
	r := httptest.NewRequest(method, "https://kv-test.vault.azure.net"+target, strings.NewReader(body))
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	var rec requestlog.Record
	w := httptest.NewRecorder()
	v.service.Identify(r, &rec)
	v.service.Serve(w, r, &rec)
	return w, rec
}

func (v vault) bearer(resource string) string {
	return "Bearer " + v.tokens.Issue(resource, time.Now().Add(time.Hour))
}

type errorBody struct {
	Error struct {
		Code, Message string
		InnerError    struct{ Code string }
	}
}

func TestASecretIsReadWithAndWithoutSlashAndByVersion(t *testing.T) {
	t.Parallel()
	v := newVault()
	var ids []string
	for _, target := range []string{"/secrets/a-token", "/secrets/a-token/"} {
		w, rec := v.ask(http.MethodGet, target+version, v.bearer(audience))
		require.Equal(t, http.StatusOK, w.Code, target)
		assert.Equal(t, "secrets.get", rec.Op)
		assert.Equal(t, "a-token", rec.Secret)
		assert.Equal(t, bearer.OK, rec.Auth)
		var got struct {
			Value, ID  string
			Attributes map[string]any
		}
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
		assert.Equal(t, v.value, got.Value, "to the byte")
		assert.Regexp(t, `^https://kv-test\.vault\.azure\.net/secrets/a-token/[0-9a-f]{32}$`, got.ID)
		assert.Equal(t, true, got.Attributes["enabled"])
		ids = append(ids, got.ID)
	}
	assert.Equal(t, ids[0], ids[1])

	byVersion := strings.TrimPrefix(ids[0], "https://kv-test.vault.azure.net")
	w, rec := v.ask(http.MethodGet, byVersion+version, v.bearer(audience+"/"))
	require.Equal(t, http.StatusOK, w.Code)
	assert.Equal(t, byVersion[len(byVersion)-32:], rec.Version)

	w, _ = v.ask(http.MethodGet, "/secrets/empty"+version, v.bearer(audience))
	assert.Contains(t, w.Body.String(), `"value":""`, "an empty value is one")
}

func TestWhoHasNoTokenForTheVaultIsChallenged(t *testing.T) {
	t.Parallel()
	v := newVault()
	tests := map[string]struct {
		authorization string
		auth          bearer.Auth
		message       string
	}{
		"without one":                  {"", bearer.None, "AKV10000"},
		"with an empty one":            {"Bearer ", bearer.Empty, "AKV10000"},
		"with one of another resource": {v.bearer("https://management.azure.com"), bearer.Wrong, "AKV10022"},
		"with one of another cloud":    {newVault().bearer(audience), bearer.Wrong, "Error validating token"},
		"with an expired one":          {"Bearer " + v.tokens.Issue(audience, time.Now().Add(-time.Second)), bearer.Wrong, "expired"},
		"with a variable's name":       {"Bearer ${TOKEN}", bearer.Literal, "Error validating token"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, target := range []string{"/secrets/a-token/", "/secrets", "/nothing"} {
				w, rec := v.ask(http.MethodGet, target+version, tt.authorization)
				assert.Equal(t, http.StatusUnauthorized, w.Code)
				assert.Equal(t, `Bearer authorization="https://login.microsoftonline.com/a-tenant", resource="https://vault.azure.net"`,
					w.Header().Get("WWW-Authenticate"))
				assert.Equal(t, tt.auth, rec.Auth)
				var got errorBody
				require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
				assert.Equal(t, "Unauthorized", got.Error.Code)
				assert.Contains(t, got.Error.Message, tt.message)
			}
		})
	}
}

func TestATokenIsGoodUntilItExpires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := newVault()
		authorization := v.bearer(audience)
		w, _ := v.ask(http.MethodGet, "/secrets/a-token"+version, authorization)
		require.Equal(t, http.StatusOK, w.Code)
		time.Sleep(time.Hour) // the bubble's clock
		w, _ = v.ask(http.MethodGet, "/secrets/a-token"+version, authorization)
		assert.Equal(t, http.StatusUnauthorized, w.Code)
	})
}

func TestWhatCannotBeServedIsRefusedInTheServicesWords(t *testing.T) {
	t.Parallel()
	v := newVault()
	tests := map[string]struct {
		method, target, op string
		status             int
		code, inner        string
	}{
		"a secret that is not there":    {"GET", "/secrets/nothing" + version, "secrets.get", 404, "SecretNotFound", ""},
		"a version that is not there":   {"GET", "/secrets/a-token/" + strings.Repeat("0", 32) + version, "secrets.get", 404, "SecretNotFound", ""},
		"a version that cannot be":      {"GET", "/secrets/a-token/latest" + version, "secrets.get", 400, "BadParameter", ""},
		"a name that cannot be":         {"GET", "/secrets/a_token" + version, "secrets.get", 400, "BadParameter", ""},
		"a slash in a name":             {"GET", "/secrets/a%2Ftoken" + version, "secrets.get", 400, "BadParameter", ""},
		"versions of no secret":         {"GET", "/secrets/nothing/versions" + version, "secrets.versions", 404, "SecretNotFound", ""},
		"no version of the interface":   {"GET", "/secrets/a-token", "secrets.get", 400, "BadParameter", ""},
		"what is no version of it":      {"GET", "/secrets/a-token?api-version=latest", "secrets.get", 400, "BadParameter", ""},
		"too long a page":               {"GET", "/secrets" + version + "&maxresults=26", "secrets.list", 400, "BadParameter", ""},
		"a page nobody was promised":    {"GET", "/secrets" + version + "&$skiptoken=-1", "secrets.list", 400, "BadParameter", ""},
		"setting":                       {"PUT", "/secrets/a-token" + version, "secrets.set", 403, "Forbidden", "ForbiddenByRbac"},
		"deleting":                      {"DELETE", "/secrets/a-token" + version, "secrets.delete", 403, "Forbidden", "ForbiddenByRbac"},
		"updating":                      {"PATCH", "/secrets/a-token" + version, "secrets.update", 403, "Forbidden", "ForbiddenByRbac"},
		"backing up":                    {"POST", "/secrets/a-token/backup" + version, "secrets.backup", 403, "Forbidden", "ForbiddenByRbac"},
		"recovering":                    {"POST", "/deletedsecrets/a-token/recover" + version, "deletedsecrets.recover", 403, "Forbidden", "ForbiddenByRbac"},
		"purging":                       {"DELETE", "/deletedsecrets/a-token" + version, "deletedsecrets.purge", 403, "Forbidden", "ForbiddenByRbac"},
		"restoring":                     {"POST", "/secrets/restore" + version, "secrets.restore", 403, "Forbidden", "ForbiddenByRbac"},
		"what was deleted":              {"GET", "/deletedsecrets" + version, "deletedsecrets.list", 403, "Forbidden", "ForbiddenByRbac"},
		"what no vault has":             {"GET", "/keys" + version, "unknown", 404, "NotFound", ""},
		"an empty name":                 {"GET", "/secrets//" + version, "unknown", 404, "NotFound", ""},
		"a path that climbs":            {"GET", "/secrets/../secrets/a-token/x/y" + version, "unknown", 404, "NotFound", ""},
		"the vault itself":              {"GET", "/" + version, "unknown", 404, "NotFound", ""},
		"a method that does not belong": {"OPTIONS", "/secrets" + version, "unknown", 404, "NotFound", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, rec := v.ask(tt.method, tt.target, v.bearer(audience))
			assert.Equal(t, tt.status, w.Code)
			assert.Equal(t, tt.op, rec.Op)
			assert.Contains(t, []string{tt.code, tt.inner}, rec.Error)
			var got errorBody
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
			assert.Equal(t, tt.code, got.Error.Code)
			assert.Equal(t, tt.inner, got.Error.InnerError.Code)
			assert.NotEmpty(t, got.Error.Message)
		})
	}
}

func TestEveryVersionOfTheInterfaceIsTaken(t *testing.T) {
	t.Parallel()
	v := newVault()
	for _, of := range []string{"2016-10-01", "7.0", "7.4", "7.6-preview.2", "7.5-preview", "2025-07-01", "2026-04-01", "2026-04-01-preview"} {
		w, _ := v.ask(http.MethodGet, "/secrets/a-token?api-version="+of, v.bearer(audience))
		assert.Equal(t, http.StatusOK, w.Code, of)
	}
}

func TestListsAreInPagesAndHaveNoValues(t *testing.T) {
	t.Parallel()
	var more []string
	for i := range 28 {
		more = append(more, fmt.Sprintf("more-%02d", i))
	}
	v := newVault(more...) // and a-token, empty
	var ids []string
	next := "/secrets" + version
	for pages := 0; next != ""; pages++ {
		require.Less(t, pages, 3)
		w, rec := v.ask(http.MethodGet, next, v.bearer(audience))
		require.Equal(t, http.StatusOK, w.Code)
		assert.Equal(t, "secrets.list", rec.Op)
		assert.NotContains(t, w.Body.String(), `"value":"`)
		var got struct {
			Value    []struct{ ID string }
			NextLink *string
		}
		assert.Contains(t, w.Body.String(), `"nextLink":`)
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
		for _, item := range got.Value {
			ids = append(ids, item.ID)
		}
		next = ""
		if got.NextLink != nil {
			next = strings.TrimPrefix(*got.NextLink, "https://kv-test.vault.azure.net")
		}
	}
	require.Len(t, ids, 30)
	assert.Equal(t, "https://kv-test.vault.azure.net/secrets/a-token", ids[0])
	assert.Equal(t, "https://kv-test.vault.azure.net/secrets/more-27", ids[29])

	w, _ := v.ask(http.MethodGet, "/secrets/a-token/versions"+version, v.bearer(audience))
	assert.Regexp(t, `"id":"https://kv-test\.vault\.azure\.net/secrets/a-token/[0-9a-f]{32}"`, w.Body.String())
	assert.Contains(t, w.Body.String(), `"nextLink":null`)
}
