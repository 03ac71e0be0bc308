package keyvault_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images/azure/keyvault"
)

func TestADeletedSecretCanBeRecoveredUntilItIsPurged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := newOffice(nil)
		first := v.officer(t, "PUT", "/secrets/one", `{"value":"v1"}`)
		set := v.officer(t, "PUT", "/secrets/one", `{"value":"v2","contentType":"c","tags":{"a":"b"}}`)
		time.Sleep(time.Minute) // the bubble's clock

		deleted := v.officer(t, "DELETE", "/secrets/one", "")
		require.Equal(t, http.StatusOK, deleted.Status)
		assert.Nil(t, deleted.Value)
		assert.Equal(t, set.ID, deleted.ID)
		assert.Equal(t, "c", *deleted.ContentType)
		assert.Equal(t, set.Attributes, deleted.Attributes)
		assert.Equal(t, "https://kv-test.vault.azure.net/deletedsecrets/one", deleted.RecoveryID)
		assert.Equal(t, time.Now().Unix(), deleted.DeletedDate)
		assert.Equal(t, time.Now().Add(7*24*time.Hour).Unix(), deleted.ScheduledPurgeDate)
		assert.Equal(t, deleted, v.officer(t, "GET", "/deletedsecrets/one", ""))

		recovered := v.officer(t, "POST", "/deletedsecrets/one/recover", "")
		assert.Equal(t, http.StatusOK, recovered.Status)
		assert.Equal(t, set.ID, recovered.ID)
		assert.Nil(t, recovered.Value)
		assert.Equal(t, set, v.officer(t, "GET", "/secrets/one", ""))
		assert.Equal(t, "v1", *v.officer(t, "GET", "/secrets/one/"+first.version(), "").Value, "all versions come back")
		assert.Equal(t, http.StatusNotFound, v.officer(t, "GET", "/deletedsecrets/one", "").Status)

		v.officer(t, "DELETE", "/secrets/one", "")
		assert.Equal(t, http.StatusNoContent, v.officer(t, "DELETE", "/deletedsecrets/one", "").Status)
		assert.Equal(t, http.StatusNotFound, v.officer(t, "POST", "/deletedsecrets/one/recover", "").Status)
		assert.Equal(t, http.StatusOK, v.officer(t, "PUT", "/secrets/one", `{"value":"new"}`).Status, "the name is free")
	})
}

func TestDeletedSecretsAreListedInPagesWithoutValues(t *testing.T) {
	t.Parallel()
	seeds := keyvault.Seeds{"alive": keyvault.Text("x")}
	for i := range 26 {
		seeds[fmt.Sprintf("gone-%02d", i)] = keyvault.Seed{Versions: keyvault.Text("x").Versions, Deleted: true}
	}
	v := newOffice(seeds)
	var got struct {
		Value    []answered
		NextLink *string
	}
	w, rec := v.ask("GET", "/deletedsecrets"+version, v.bearer(audience))
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
	assert.Equal(t, "deletedsecrets.list", rec.Op)
	require.Len(t, got.Value, 25)
	assert.Equal(t, "https://kv-test.vault.azure.net/secrets/gone-00", got.Value[0].ID)
	assert.Equal(t, "https://kv-test.vault.azure.net/deletedsecrets/gone-00", got.Value[0].RecoveryID)
	assert.Positive(t, got.Value[0].ScheduledPurgeDate)
	assert.Nil(t, got.Value[0].Value)

	require.NotNil(t, got.NextLink)
	w, _ = v.ask("GET", strings.TrimPrefix(*got.NextLink, "https://kv-test.vault.azure.net"), v.bearer(audience))
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
	require.Len(t, got.Value, 1)
	assert.Nil(t, got.NextLink)
}

func TestABackupIsRestoredWhereTheNameIsFree(t *testing.T) {
	t.Parallel()
	v := newOffice(nil)
	first := v.officer(t, "PUT", "/secrets/one", `{"value":"plain-v1","attributes":{"enabled":false}}`)
	second := v.officer(t, "PUT", "/secrets/one", `{"value":"plain-v2","tags":{"a":"b"},"attributes":{"exp":7}}`)
	backup := v.officer(t, "POST", "/secrets/one/backup", "")
	require.Equal(t, http.StatusOK, backup.Status)
	assert.Regexp(t, `^[0-9A-Za-z_-]+$`, *backup.Value, "base64url without padding")
	restore := `{"value":"` + *backup.Value + `"}`

	conflict := v.officer(t, "POST", "/secrets/restore", restore)
	assert.Equal(t, http.StatusConflict, conflict.Status)
	assert.Equal(t, "Conflict", conflict.Error.Code)
	assert.Empty(t, conflict.Error.InnerError.Code)
	v.officer(t, "DELETE", "/secrets/one", "")
	conflict = v.officer(t, "POST", "/secrets/restore", restore)
	assert.Equal(t, http.StatusConflict, conflict.Status)
	assert.Equal(t, "ObjectIsDeletedButRecoverable", conflict.Error.InnerError.Code)
	v.officer(t, "DELETE", "/deletedsecrets/one", "")

	w, rec := v.send("POST", "/secrets/restore"+version, v.bearer(audience), restore)
	require.Equal(t, http.StatusOK, w.Code)
	assert.Equal(t, "one", rec.Secret)
	assert.NotContains(t, w.Body.String(), "plain-")
	assert.Equal(t, second, v.officer(t, "GET", "/secrets/one", ""))
	assert.Equal(t, "SecretDisabled", v.officer(t, "GET", "/secrets/one/"+first.version(), "").Error.InnerError.Code)

	foreign := newOffice(nil).officer(t, "POST", "/secrets/restore", restore)
	assert.Equal(t, http.StatusBadRequest, foreign.Status, "another vault cannot read it")
}
