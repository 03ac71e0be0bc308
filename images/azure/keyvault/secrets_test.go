package keyvault_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images/azure/keyvault"
)

// answered is whatever a vault answers with.
type answered struct {
	Status      int `json:"-"`
	Value       *string
	ID          string
	ContentType *string
	Tags        map[string]string
	Attributes  struct {
		Enabled          bool
		NBF, Exp         *int64
		Created, Updated int64
		RecoveryLevel    string
		RecoverableDays  int
	}
	RecoveryID                      string
	DeletedDate, ScheduledPurgeDate int64
	errorBody
}

// officer asks with every right.
func (v vault) officer(t *testing.T, method, target, body string) answered {
	t.Helper()
	w, rec := v.send(method, target+version, v.bearer(audience), body)
	got := answered{Status: w.Code}
	if w.Body.Len() > 0 {
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got), w.Body.String())
	}
	if got.Status >= 400 {
		assert.NotEmpty(t, rec.Error)
		assert.NotEmpty(t, got.Error.Message)
	}
	return got
}

func newOffice(seeds keyvault.Seeds) vault {
	v := newVault()
	v.service = keyvault.New(keyvault.Vault{Name: "kv-test", Tenant: "a-tenant", Role: keyvault.Officer, Secrets: seeds}, v.tokens)
	return v
}

func (a answered) version() string { return a.ID[strings.LastIndexByte(a.ID, '/')+1:] }

func TestASetSecretIsReadAsItWasSet(t *testing.T) {
	t.Parallel()
	v := newOffice(nil)
	set := v.officer(t, "PUT", "/secrets/one", `{"value":"v \u00e9","contentType":"text/plain","tags":{"a":"b"},"attributes":{"nbf":4000000000,"exp":1}}`)
	require.Equal(t, http.StatusOK, set.Status)
	assert.Equal(t, "v é", *set.Value)
	assert.Equal(t, "text/plain", *set.ContentType)
	assert.Equal(t, map[string]string{"a": "b"}, set.Tags)
	assert.True(t, set.Attributes.Enabled)
	assert.Equal(t, int64(4000000000), *set.Attributes.NBF)
	assert.Equal(t, int64(1), *set.Attributes.Exp)
	assert.Equal(t, "CustomizedRecoverable+Purgeable", set.Attributes.RecoveryLevel)
	assert.Equal(t, 7, set.Attributes.RecoverableDays)
	assert.Regexp(t, `^https://kv-test\.vault\.azure\.net/secrets/one/[0-9a-f]{32}$`, set.ID)

	got := v.officer(t, "GET", "/secrets/one", "")
	assert.Equal(t, set, got, "neither nbf nor exp stops a read")
	assert.Equal(t, set, v.officer(t, "GET", "/secrets/ONE/"+strings.ToUpper(set.version()), ""), "names and versions have no case")

	again := v.officer(t, "PUT", "/secrets/one", `{"value":"w"}`)
	assert.NotEqual(t, set.ID, again.ID, "a version of its own")
	assert.Nil(t, again.ContentType, "with nothing of the one before")
	assert.Nil(t, again.Tags)
	assert.Equal(t, "w", *v.officer(t, "GET", "/secrets/one", "").Value)
	assert.Equal(t, "v é", *v.officer(t, "GET", "/secrets/one/"+set.version(), "").Value)

	w, _ := v.ask("GET", "/secrets/one/versions"+version, v.bearer(audience))
	assert.Contains(t, w.Body.String(), set.ID)
	assert.Contains(t, w.Body.String(), again.ID)
	w, _ = v.ask("GET", "/secrets"+version, v.bearer(audience))
	assert.Equal(t, 1, strings.Count(w.Body.String(), `"id"`))
	assert.NotContains(t, w.Body.String(), again.version())
}

func TestADisabledVersionIsNotReadButListedAndEnabledAgain(t *testing.T) {
	t.Parallel()
	v := newOffice(nil)
	first := v.officer(t, "PUT", "/secrets/one", `{"value":"v1"}`)
	second := v.officer(t, "PUT", "/secrets/one", `{"value":"v2","attributes":{"enabled":false}}`)
	require.Equal(t, http.StatusOK, second.Status)
	for _, target := range []string{"/secrets/one", "/secrets/one/" + second.version()} {
		got := v.officer(t, "GET", target, "")
		assert.Equal(t, http.StatusForbidden, got.Status)
		assert.Equal(t, "Forbidden", got.Error.Code)
		assert.Equal(t, "SecretDisabled", got.Error.InnerError.Code)
	}
	assert.Equal(t, http.StatusOK, v.officer(t, "GET", "/secrets/one/"+first.version(), "").Status, "an earlier one is not")
	w, _ := v.ask("GET", "/secrets"+version, v.bearer(audience))
	assert.Contains(t, w.Body.String(), `"enabled":false`)

	require.Equal(t, http.StatusOK, v.officer(t, "PATCH", "/secrets/one", `{"attributes":{"enabled":true}}`).Status)
	assert.Equal(t, "v2", *v.officer(t, "GET", "/secrets/one", "").Value)
}

func TestAnUpdateChangesWhatItNamesAndShowsNoValue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := newOffice(nil)
		first := v.officer(t, "PUT", "/secrets/one", `{"value":"v1","contentType":"a","tags":{"x":"y"},"attributes":{"nbf":5}}`)
		second := v.officer(t, "PUT", "/secrets/one", `{"value":"v2"}`)
		time.Sleep(time.Minute) // the bubble's clock

		got := v.officer(t, "PATCH", "/secrets/one/"+first.version(), `{"attributes":{"exp":9},"tags":null}`)
		assert.Equal(t, first.ID, got.ID)
		assert.Nil(t, got.Value)
		assert.Equal(t, "a", *got.ContentType)
		assert.Equal(t, map[string]string{"x": "y"}, got.Tags)
		assert.Equal(t, int64(5), *got.Attributes.NBF)
		assert.Equal(t, int64(9), *got.Attributes.Exp)
		assert.Equal(t, first.Attributes.Created, got.Attributes.Created)
		assert.Equal(t, first.Attributes.Created+60, got.Attributes.Updated)

		got = v.officer(t, "PATCH", "/secrets/one", `{"tags":{"p":"q"},"contentType":"b","value":"ignored"}`)
		assert.Equal(t, second.ID, got.ID, "without a version, the current one")
		assert.Equal(t, map[string]string{"p": "q"}, got.Tags)
		assert.Equal(t, "v2", *v.officer(t, "GET", "/secrets/one", "").Value)
		got = v.officer(t, "PATCH", "/secrets/one", `{"tags":{}}`)
		assert.Nil(t, got.Tags, "tags are given all or none")
	})
}

func TestWhatCannotBeWrittenIsRefusedInTheServicesWords(t *testing.T) {
	t.Parallel()
	v := newOffice(keyvault.Seeds{"there": keyvault.Text("x"), "gone": {Versions: keyvault.Text("y").Versions, Deleted: true}})
	var tags []string
	for i := range 16 {
		tags = append(tags, fmt.Sprintf(`"t%d":""`, i))
	}
	large := func(n int) string { return `{"value":"` + strings.Repeat("a", n) + `"}` }
	tests := map[string]struct {
		method, target, body string
		status               int
		code, inner          string
	}{
		"a value of 25 kB is taken":           {"PUT", "/secrets/large", large(25 << 10), 200, "", ""},
		"one byte more is not":                {"PUT", "/secrets/large", large(25<<10 + 1), 400, "BadParameter", ""},
		"a body without end":                  {"PUT", "/secrets/large", large(1 << 20), 413, "RequestEntityTooLarge", ""},
		"no value":                            {"PUT", "/secrets/a", `{"contentType":"x"}`, 400, "BadParameter", ""},
		"a value that is no string":           {"PUT", "/secrets/a", `{"value":1}`, 400, "BadParameter", ""},
		"no JSON":                             {"PUT", "/secrets/a", `value=1`, 400, "BadParameter", ""},
		"two bodies":                          {"PUT", "/secrets/a", `{"value":""}{}`, 400, "BadParameter", ""},
		"sixteen tags":                        {"PUT", "/secrets/a", `{"value":"","tags":{` + strings.Join(tags, ",") + `}}`, 400, "BadParameter", ""},
		"sixteen tags later":                  {"PATCH", "/secrets/there", `{"tags":{` + strings.Join(tags, ",") + `}}`, 400, "BadParameter", ""},
		"a long tag":                          {"PUT", "/secrets/a", `{"value":"","tags":{"t":"` + strings.Repeat("t", 257) + `"}}`, 400, "BadParameter", ""},
		"a long content type":                 {"PUT", "/secrets/a", `{"value":"","contentType":"` + strings.Repeat("t", 256) + `"}`, 400, "BadParameter", ""},
		"a date that is text":                 {"PUT", "/secrets/a", `{"value":"","attributes":{"exp":"2030-01-01"}}`, 400, "BadParameter", ""},
		"a name that cannot be":               {"PUT", "/secrets/a_b", `{"value":""}`, 400, "BadParameter", ""},
		"setting what is deleted":             {"PUT", "/secrets/gone", `{"value":""}`, 409, "Conflict", "ObjectIsDeletedButRecoverable"},
		"setting it in another case":          {"PUT", "/secrets/GONE", `{"value":""}`, 409, "Conflict", "ObjectIsDeletedButRecoverable"},
		"reading what is deleted":             {"GET", "/secrets/gone", "", 404, "SecretNotFound", ""},
		"deleting it again":                   {"DELETE", "/secrets/gone", "", 404, "SecretNotFound", ""},
		"updating what is not there":          {"PATCH", "/secrets/nothing", `{}`, 404, "SecretNotFound", ""},
		"updating a version that is not":      {"PATCH", "/secrets/there/" + strings.Repeat("0", 32), `{}`, 404, "SecretNotFound", ""},
		"backing up what is not there":        {"POST", "/secrets/nothing/backup", "", 404, "SecretNotFound", ""},
		"restoring nothing":                   {"POST", "/secrets/restore", `{}`, 400, "BadParameter", ""},
		"restoring what is no backup":         {"POST", "/secrets/restore", `{"value":"AAAA"}`, 400, "BadParameter", ""},
		"restoring what is not base64url":     {"POST", "/secrets/restore", `{"value":"+/="}`, 400, "BadParameter", ""},
		"the deleted one that is not deleted": {"GET", "/deletedsecrets/there", "", 404, "SecretNotFound", ""},
		"purging it":                          {"DELETE", "/deletedsecrets/there", "", 404, "SecretNotFound", ""},
		"recovering it":                       {"POST", "/deletedsecrets/there/recover", "", 404, "SecretNotFound", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := v.officer(t, tt.method, tt.target, tt.body)
			assert.Equal(t, tt.status, got.Status)
			assert.Equal(t, tt.code, got.Error.Code)
			assert.Equal(t, tt.inner, got.Error.InnerError.Code)
		})
	}
}

func TestAVaultIsUsedByManyAtOnce(t *testing.T) {
	t.Parallel()
	v := newOffice(keyvault.Seeds{"one": keyvault.Text("x")})
	authorization := v.bearer(audience)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 20 {
				name := fmt.Sprintf("/secrets/s%d", i%2)
				for _, step := range [][2]string{
					{"PUT", name}, {"PATCH", name}, {"GET", name}, {"GET", name + "/versions"}, {"GET", "/secrets"}, {"POST", name + "/backup"},
					{"DELETE", name}, {"GET", "/deletedsecrets"}, {"POST", "/deleted" + name[1:] + "/recover"},
				} {
					w, _ := v.send(step[0], step[1]+version, authorization, `{"value":"`+rand.Text()+`","attributes":{"enabled":true},"tags":{"a":"b"}}`)
					assert.Less(t, w.Code, 500)
				}
				_ = v.service.Set("one", rand.Text())
				v.service.SetRole(keyvault.Officer)
			}
		})
	}
	all.Wait()
	assert.Equal(t, http.StatusOK, v.officer(t, "GET", "/secrets/one", "").Status)
}
