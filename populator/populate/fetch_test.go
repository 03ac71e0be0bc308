package populate_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"bootrace/populator/vault"
	"bootrace/populator/vectorenv"
)

func TestWhatIsMendedIsMendedForOptionalSecretsToo(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		failure vault.Error
	}{
		{"a machine that gets its identity later", vault.Error{Service: "managed identity", Status: 400, Permanent: true}},
		{"a vault that gives the role later", vault.Error{Service: "key vault kv-prod", Status: 403, Code: "Forbidden/ForbiddenByRbac", Permanent: true}},
		{"a vault that gets its secrets later", vault.Error{Service: "key vault kv-prod", Status: 404, Code: "SecretNotFound", Permanent: true, Missing: true}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			inWorld(t, func(w *world) {
				w.vault.fail("", &tc.failure)
				w.put("worker.env", worker("kv-prod"))
				w.start()
				w.sleep(time.Minute)
				w.vault.fail("", nil)
				w.awaitEnd(10 * time.Minute)
				assert.Equal(t, "value of "+metricsToken, w.values()[vectorenv.MetricsToken])
			})
		})
	}
}

func TestAVaultThatAskedToWaitIsNotAskedBeforeBecauseAnotherWasWantedMeanwhile(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		w.put("worker.env", worker("kv-prod"))
		w.vault.fail("", &vault.Error{Service: "key vault kv-prod", Status: 429, RetryAfter: 90 * time.Second})
		w.start()
		w.sleep(time.Second)
		w.vault.fail("", &vault.Error{Service: "key vault kv-other", Reason: "it does not resolve"})
		w.put("worker.env", worker("kv-other"))
		w.sleep(10 * time.Second)
		w.vault.fail("", nil)
		w.put("worker.env", worker("kv-prod"))
		w.awaitEnd(5 * time.Minute)
		var asked []time.Duration
		for _, c := range w.vault.calls() {
			if c.vault == "kv-prod" {
				asked = append(asked, c.at)
			}
		}
		assert.Len(t, asked, 2)
		assert.GreaterOrEqual(t, asked[1]-asked[0], 90*time.Second)
	})
}

func TestAServiceThatAnswersIsAskedMoreAndMoreSeldom(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		w.put("worker.env", worker("kv-prod"))
		w.vault.fail(dataset, &vault.Error{Service: "key vault kv-prod", Secret: dataset, Status: 500})
		w.start()
		w.sleep(10 * time.Second)
		assert.LessOrEqual(t, len(w.vault.calls()), 5, "at 0 s, 1 s, 3 s, 7 s, or a third sooner")
		w.sleep(time.Hour)
		assert.Greater(t, len(w.vault.calls()), 40, "once a minute in the end")
	})
}

func TestWhatAnOptionalSecretAskedForIsKeptWhenItsVaultIsWantedAgain(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		w.put("worker.env", worker("kv-prod"))
		w.vault.fail(metricsToken, &vault.Error{Service: "key vault kv-prod", Secret: metricsToken, Status: 404, Permanent: true, Missing: true, RetryAfter: time.Minute})
		w.start()
		w.sleep(time.Second)
		w.put("worker.env", worker("kv-other"))
		w.sleep(time.Second)
		w.put("worker.env", worker("kv-prod"))
		w.sleep(50 * time.Second)
		assert.Len(t, w.vault.calls(), 2, "kv-prod and kv-other, each once")
	})
}

func TestWhatWasAskedForInAnAnswerThatNobodyWaitsForIsKept(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		w.put("worker.env", worker("kv-prod"))
		w.vault.latency = 10 * time.Second // some other answer is
		w.vault.fail(ingestToken, &vault.Error{Service: "key vault kv-prod", Secret: ingestToken, Status: 429, RetryAfter: 90 * time.Second})
		w.start()
		w.sleep(time.Second)
		w.put("worker.env", worker("kv-other"))
		w.sleep(time.Second)
		w.put("worker.env", worker("kv-prod"))
		w.sleep(80 * time.Second)
		asked := 0
		for _, c := range w.vault.calls() {
			if c.vault == "kv-prod" {
				asked++
			}
		}
		assert.Equal(t, 1, asked)
	})
}
