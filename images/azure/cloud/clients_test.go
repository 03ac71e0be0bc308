package cloud

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"
	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images/azure/bearer"
	"bootrace/images/azure/config"
	"bootrace/images/azure/imds"
	"bootrace/images/azure/keyvault"
)

// options are the clients' own, with the way to this test's cloud.
func (r *running) options() policy.ClientOptions {
	return policy.ClientOptions{Transport: r.client()}
}

func (r *running) secrets(t *testing.T) *azsecrets.Client {
	t.Helper()
	credential, err := azidentity.NewManagedIdentityCredential(&azidentity.ManagedIdentityCredentialOptions{ClientOptions: r.options()})
	require.NoError(t, err)
	client, err := azsecrets.NewClient("https://kv-test.vault.azure.net", credential, &azsecrets.ClientOptions{ClientOptions: r.options()})
	require.NoError(t, err)
	return client
}

func TestTheRealClientsReadAVault(t *testing.T) {
	if !alone(t) {
		return
	}
	r := start(t)
	client := r.secrets(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()

	got, err := client.GetSecret(ctx, "another", "", nil)
	require.NoError(t, err)
	assert.Equal(t, r.secret, *got.Value)
	assert.Equal(t, "another", got.ID.Name())
	assert.True(t, *got.Attributes.Enabled)
	assert.WithinDuration(t, time.Now(), *got.Attributes.Created, time.Minute)

	version := got.ID.Version()
	got, err = client.GetSecret(ctx, "another", version, nil)
	require.NoError(t, err)
	assert.Equal(t, version, got.ID.Version())

	var names []string
	for pages := client.NewListSecretPropertiesPager(nil); pages.More(); {
		page, err := pages.NextPage(ctx)
		require.NoError(t, err)
		for _, item := range page.Value {
			names = append(names, item.ID.Name())
			assert.Empty(t, item.ID.Version())
		}
	}
	assert.Equal(t, []string{"another", "platform-dataset", "platform-token"}, names)

	var versions []string
	for pages := client.NewListSecretPropertiesVersionsPager("another", nil); pages.More(); {
		page, err := pages.NextPage(ctx)
		require.NoError(t, err)
		for _, item := range page.Value {
			versions = append(versions, item.ID.Version())
		}
	}
	assert.Equal(t, []string{version}, versions)

	_, err = client.GetSecret(ctx, "nothing", "", nil)
	assertRefused(t, err, http.StatusNotFound, "SecretNotFound")
	_, err = client.GetSecret(ctx, "another", strings.Repeat("0", 32), nil)
	assertRefused(t, err, http.StatusNotFound, "SecretNotFound")
	_, err = client.SetSecret(ctx, "another", azsecrets.SetSecretParameters{Value: &version}, nil)
	assertRefused(t, err, http.StatusForbidden, "Forbidden")

	records := r.records(t)
	assert.Equal(t, "ready", records[0].Op)
	challenged, token, replayed := records[1], records[2], records[3]
	assert.Equal(t, bearer.None, challenged.Auth)
	assert.Equal(t, http.StatusUnauthorized, challenged.Status)
	assert.Equal(t, "token", token.Op)
	assert.Equal(t, http.StatusOK, token.Status)
	assert.Equal(t, bearer.OK, replayed.Auth)
	assert.Equal(t, "/secrets/another/", replayed.Path, "the client sends the slash at the end")
	assert.Equal(t, http.StatusOK, replayed.Status)
	assert.Positive(t, replayed.Bytes)
	assert.Positive(t, int64(replayed.Duration))
	assert.Contains(t, replayed.UserAgent, "azsdk-go-azsecrets")
	assert.Equal(t, "169.254.169.254", token.Host)
	for i := 1; i < len(records); i++ {
		assert.Positive(t, records[i].Mono)
		if records[i].Op != "token" {
			assert.Equal(t, "kv-test.vault.azure.net", records[i].Host)
		}
	}
	assert.NotContains(t, r.log.String(), r.secret)
	assert.NotContains(t, r.log.String(), "bootrace-imds-")
}

func TestTheRealClientsWriteAVault(t *testing.T) {
	if !alone(t) {
		return
	}
	r := startAs(t, func(cfg *config.Config) { cfg.Role = keyvault.Officer })
	client := r.secrets(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()

	value, kind := "new-"+r.secret, "text/plain"
	set, err := client.SetSecret(ctx, "another", azsecrets.SetSecretParameters{Value: &value, ContentType: &kind}, nil)
	require.NoError(t, err)
	got, err := client.GetSecret(ctx, "another", "", nil)
	require.NoError(t, err)
	assert.Equal(t, set.Secret, got.Secret)
	backup, err := client.BackupSecret(ctx, "another", nil)
	require.NoError(t, err)

	off := false
	updated, err := client.UpdateSecretProperties(ctx, "another", "", azsecrets.UpdateSecretPropertiesParameters{
		SecretAttributes: &azsecrets.SecretAttributes{Enabled: &off},
	}, nil)
	require.NoError(t, err)
	assert.False(t, *updated.Attributes.Enabled)
	assert.Nil(t, updated.Value)
	_, err = client.GetSecret(ctx, "another", "", nil)
	assertRefused(t, err, http.StatusForbidden, "Forbidden")

	deleted, err := client.DeleteSecret(ctx, "another", nil)
	require.NoError(t, err)
	assert.Equal(t, 7*24*time.Hour, deleted.ScheduledPurgeDate.Sub(*deleted.DeletedDate))
	_, err = client.SetSecret(ctx, "another", azsecrets.SetSecretParameters{Value: &value}, nil)
	assertRefused(t, err, http.StatusConflict, "Conflict")
	_, err = client.RecoverDeletedSecret(ctx, "another", nil)
	require.NoError(t, err)
	_, err = client.RestoreSecret(ctx, azsecrets.RestoreSecretParameters{SecretBackup: backup.Value}, nil)
	assertRefused(t, err, http.StatusConflict, "Conflict")

	_, err = client.DeleteSecret(ctx, "another", nil)
	require.NoError(t, err)
	_, err = client.PurgeDeletedSecret(ctx, "another", nil)
	require.NoError(t, err)
	restored, err := client.RestoreSecret(ctx, azsecrets.RestoreSecretParameters{SecretBackup: backup.Value}, nil)
	require.NoError(t, err)
	assert.Equal(t, set.ID, restored.ID)
	got, err = client.GetSecret(ctx, "another", "", nil)
	require.NoError(t, err)
	assert.Equal(t, value, *got.Value, "as it was backed up: enabled")

	require.NoError(t, r.stop())
	assert.NotContains(t, r.log.String(), r.secret)
}

func TestTheRealClientNamesAnIdentity(t *testing.T) {
	one := imds.Identity{ClientID: uuid.NewString(), ObjectID: uuid.NewString(),
		ResourceID: "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/one"}
	r := startAs(t, func(cfg *config.Config) { cfg.IMDS.UserAssigned = []imds.Identity{one} })
	for _, id := range []azidentity.ManagedIDKind{azidentity.ClientID(one.ClientID), azidentity.ObjectID(one.ObjectID), azidentity.ResourceID(one.ResourceID)} {
		credential, err := azidentity.NewManagedIdentityCredential(&azidentity.ManagedIdentityCredentialOptions{ClientOptions: r.options(), ID: id})
		require.NoError(t, err)
		token, err := credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://vault.azure.net/.default"}})
		require.NoError(t, err, "%T", id)
		assert.NotEmpty(t, token.Token)
	}
}

func TestTheRealClientSaysThatTheMachineHasNoSuchIdentity(t *testing.T) {
	r := start(t)
	credential, err := azidentity.NewManagedIdentityCredential(&azidentity.ManagedIdentityCredentialOptions{
		ClientOptions: r.options(), ID: azidentity.ClientID("0a1b2c3d-0000-4000-8000-0000000000ff"),
	})
	require.NoError(t, err)
	_, err = credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://vault.azure.net/.default"}})
	require.ErrorContains(t, err, "Identity not found")
}

// alone reports whether this is a process for this test alone, and runs it in
// one if it is not: azidentity's token cache is one for the process, and tokens of
// an earlier cloud are worth nothing to the next (go test -count=2).
func alone(t *testing.T) bool {
	t.Helper()
	const marker = "BOOTRACE_TEST_ALONE"
	if os.Getenv(marker) == t.Name() {
		return true
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1")
	cmd.Env = append(os.Environ(), marker+"="+t.Name())
	text, err := cmd.CombinedOutput()
	require.NoError(t, err, string(text))
	return false
}

func assertRefused(t *testing.T, err error, status int, code string) {
	t.Helper()
	var refused *azcore.ResponseError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, status, refused.StatusCode)
	assert.Equal(t, code, refused.ErrorCode)
}
