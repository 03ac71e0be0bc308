package keyvault_test

import (
	"crypto/rand"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images/azure/keyvault"
)

const id = "0123456789abcdef0123456789abcdef"

func TestASecretIsWrittenAsAValueAVersionOrSeveral(t *testing.T) {
	t.Parallel()
	var seeds keyvault.Seeds
	require.NoError(t, json.Unmarshal([]byte(`{
		"plain": "v", "empty": "",
		"whole": {"value": "v", "version": "`+id+`", "content_type": "text/plain", "enabled": false, "nbf": 1, "exp": 2, "tags": {"a": "b"}, "deleted": true},
		"rotated": {"versions": [{"value": "old"}, {"value": "new", "enabled": true}]}
	}`), &seeds))
	require.NoError(t, seeds.Validate())
	assert.Equal(t, keyvault.Text("v"), seeds["plain"])
	assert.Equal(t, keyvault.Text(""), seeds["empty"])
	assert.Equal(t, keyvault.Seed{Deleted: true, Versions: []keyvault.Version{{
		ID: id, Value: "v", ContentType: "text/plain", Enabled: new(false), NotBefore: new(int64(1)), Expires: new(int64(2)), Tags: map[string]string{"a": "b"},
	}}}, seeds["whole"])
	assert.Equal(t, []string{"old", "new"}, seeds["rotated"].Values())
	assert.Equal(t, map[string]string{"plain": "v", "empty": "", "whole": "v", "rotated": "new"}, seeds.Current())

	v := newOffice(seeds)
	assert.Equal(t, "new", *v.officer(t, "GET", "/secrets/rotated", "").Value)
	assert.Equal(t, 404, v.officer(t, "GET", "/secrets/whole", "").Status)
	deleted := v.officer(t, "GET", "/deletedsecrets/whole", "")
	assert.Equal(t, id, deleted.version())
	assert.False(t, deleted.Attributes.Enabled)
	assert.Equal(t, int64(2), *deleted.Attributes.Exp)
}

func TestAWrongSecretIsRefusedByNameAndWithoutItsValue(t *testing.T) {
	t.Parallel()
	value := rand.Text()
	tests := map[string]struct{ text, want string }{
		"a number":                      {`{"a":7}`, `secret "a": neither a string nor an object`},
		"null":                          {`{"a":null}`, `secret "a": neither`},
		"an unknown key":                {`{"a":{"vlaue":"` + value + `"}}`, `secret "a": json: unknown field "vlaue"`},
		"an unknown key of a version":   {`{"a":{"versions":[{"value":"","deleted":true}]}}`, `unknown field "deleted"`},
		"no value":                      {`{"a":{"tags":{}}}`, `secret "a": has neither value nor versions`},
		"a version without a value":     {`{"a":{"versions":[{"value":""},{"enabled":true}]}}`, `secret "a": versions[1] has no value`},
		"a value and versions":          {`{"a":{"value":"` + value + `","versions":[]}}`, `secret "a": has versions`},
		"tags beside versions":          {`{"a":{"tags":{"x":""},"versions":[{"value":""}]}}`, `secret "a": has versions`},
		"no version at all":             {`{"a":{"versions":[]}}`, `secret "a": has no version`},
		"a list of secrets":             {`["a"]`, "secrets: "},
		"a name that cannot be":         {`{"a b":"` + value + `"}`, `secret "a b": a name is`},
		"two names that differ in case": {`{"a":"","A":""}`, `secret "a": is the same name as "A"`},
		"a version's id that cannot be": {`{"a":{"value":"","version":"latest"}}`, `secret "a": version "latest" is not 32`},
		"a version's id twice":          {`{"a":{"versions":[{"value":"","version":"` + id + `"},{"value":"","version":"` + id + `"}]}}`, "there twice"},
		"too large a value":             {`{"a":"` + strings.Repeat(value, 1000) + `"}`, `secret "a": its value has 26000 bytes`},
		"several at once":               {`{"a":1,"b":2}`, `secret "b"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var seeds keyvault.Seeds
			err := json.Unmarshal([]byte(tt.text), &seeds)
			if err == nil {
				err = seeds.Validate()
			}
			require.ErrorContains(t, err, tt.want)
			assert.NotContains(t, err.Error(), value)
		})
	}
}
