package main

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images/azure/keyvault"
)

// sdkSuite is azsecrets with its own tests, as its authors run them against the
// real service. The module cache has them; nothing is changed.
const sdkSuite = "github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"

// sdkLive is what makes the suite talk to a vault instead of its recordings
// (sdk/internal/recording), and sign in as the machine: outside of Azure
// Pipelines its credential is DefaultAzureCredential (sdk/internal/test/credential),
// of which the last variable leaves one.
var sdkLive = []string{
	"AZURE_RECORD_MODE=live",
	"AZURE_KEYVAULT_URL=https://kv-test.vault.azure.net",
	"AZURE_TOKEN_CREDENTIALS=ManagedIdentityCredential",
}

func TestTheSDKsOwnSuitePassesLive(t *testing.T) {
	t.Parallel()
	m := newMachine(t, keyvault.Officer, nil)
	suite := filepath.Join(m.dir, "azsecrets.test")
	text, err := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", suite, sdkSuite).CombinedOutput()
	require.NoError(t, err, string(text))

	// A failing test ends the suite with 1, and run fails with what it printed.
	out := m.run(t, nil, sdkLive, suite, "-test.v", "-test.count=1")
	results := make(map[string][]string)
	for _, found := range regexp.MustCompile(`(?m)^--- (PASS|FAIL|SKIP): (\S+)`).FindAllStringSubmatch(out, -1) {
		results[found[1]] = append(results[found[1]], found[2])
	}
	t.Logf("passed: %s", strings.Join(results["PASS"], " "))
	assert.Empty(t, results["FAIL"])
	assert.Empty(t, results["SKIP"])
	// These six ask the vault; the others have a server of their own.
	assert.Subset(t, results["PASS"], []string{
		"TestBackupRestore", "TestCRUD", "TestListDeletedSecrets", "TestListSecrets", "TestListSecretVersions", "TestRecover",
	})

	log := m.log()
	for _, op := range []string{
		"secrets.set", "secrets.get", "secrets.update", "secrets.delete", "secrets.list", "secrets.versions", "secrets.backup", "secrets.restore",
		"deletedsecrets.get", "deletedsecrets.list", "deletedsecrets.purge", "deletedsecrets.recover",
	} {
		assert.Regexp(t, `"op":"`+regexp.QuoteMeta(op)+`".*"status":20[04],`, log, "the suite has asked for it here")
	}
	assert.NotRegexp(t, `"status":5`, log)
	assert.NotContains(t, log, m.token)
}
