package populate_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/populator/roleenv"
	"bootrace/populator/vault"
	"bootrace/populator/vectorenv"
)

const (
	ingestToken  = "shared-axiom-platform-ingest-token"
	dataset      = "shared-axiom-platform-dataset"
	metricsToken = "shared-axiom-platform-metrics-ingest-token"
	cellID       = "shared-cell-id"
)

func TestWithoutARoleEnvItIsReadyAtOnceOnTheStub(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		w.start()
		assert.Equal(t, time.Duration(0), w.notify.readyAt)
		assert.Equal(t, vectorenv.Placeholder, w.notify.atReady.Kind)
		assert.Contains(t, w.notify.status, "vector.env is a stub; waiting since 2000-01-01 00:00:00Z for worker.env or server.env")
		w.sleep(24 * time.Hour)
		assert.True(t, w.running(), "it waits for as long as the machine lives")
		assert.Empty(t, w.vault.calls())
		assert.Zero(t, w.vector.tries, "Vector reads the stub by itself when it starts")
		assert.Len(t, w.notify.all, 1, "nothing changes, nothing is said")
	})
}

func TestALateRoleEnvReplacesTheStubAndRestartsVectorOnce(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		w.start()
		w.sleep(4 * time.Minute)
		w.put("worker.env", worker("kv-prod"))
		w.sleep(200 * time.Millisecond)
		assert.Equal(t, vectorenv.Real, w.kind(), "fast")
		want := map[string]string{
			vectorenv.Token: "value of " + ingestToken, vectorenv.Dataset: "value of " + dataset,
			vectorenv.MetricsToken: "value of " + metricsToken, vectorenv.MetricsDataset: "value of shared-axiom-platform-metrics-dataset",
			vectorenv.CellID: "value of " + cellID, vectorenv.Region: "westeurope", vectorenv.HostIP: "10.1.2.3",
		}
		assert.Equal(t, want, w.values())
		assert.Equal(t, []map[string]string{want}, w.vector.reloads)
		w.sleep(4700 * time.Millisecond)
		assert.True(t, w.running(), "the script may still edit")
		w.awaitEnd(time.Second)
		assert.Len(t, w.vault.calls(), 1)
		assert.Equal(t, "vector.env has the secrets of key vault kv-prod since 2000-01-01 00:04:00Z; vector.service has been restarted 2000-01-01 00:04:00Z", w.notify.status)
		assert.False(t, w.owed.Exists())
	})
}

func TestARoleEnvThatIsThereGetsTheRealValuesBeforeBootGoesOn(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		w.put("worker.env", worker("kv-prod"))
		w.start()
		w.sleep(500 * time.Millisecond)
		assert.Equal(t, 120*time.Millisecond, w.notify.readyAt, "settled and fetched")
		assert.Equal(t, vectorenv.Real, w.notify.atReady.Kind)
		w.awaitEnd(10 * time.Second)
		assert.Zero(t, w.vector.tries, "Vector had not started yet")
	})
}

func TestBootNeverWaitsLongerThanASecond(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		w.put("worker.env", worker("kv-prod"))
		w.vault.latency = 3 * time.Second
		w.start()
		w.sleep(2 * time.Second)
		assert.Equal(t, time.Second, w.notify.readyAt)
		assert.Equal(t, vectorenv.Placeholder, w.notify.atReady.Kind)
		w.awaitEnd(10 * time.Second)
		assert.Equal(t, vectorenv.Real, w.kind())
		assert.Len(t, w.vector.reloads, 1)
	})
}

func TestUsableCredentials(t *testing.T) {
	t.Parallel()
	transient := &vault.Error{Service: "managed identity", Reason: "connection refused"}
	for _, tc := range []struct {
		name    string
		prepare func(w *world)
		reloads int
		check   func(t *testing.T, w *world)
	}{
		{"are kept and found to be the same", func(*world) {}, 0, func(*testing.T, *world) {}},
		{"are replaced when a secret was rotated", func(w *world) { w.vault.set(ingestToken, "rotated") }, 1, func(t *testing.T, w *world) {
			assert.Equal(t, "rotated", w.values()[vectorenv.Token])
		}},
		{"keep an optional secret that cannot be had for the moment", func(w *world) { w.vault.fail(metricsToken, transient) }, 0, func(t *testing.T, w *world) {
			assert.Equal(t, "value of "+metricsToken, w.values()[vectorenv.MetricsToken])
		}},
		{"lose an optional secret that was deleted", func(w *world) { delete(w.vault.secrets, metricsToken) }, 1, func(t *testing.T, w *world) {
			assert.Empty(t, w.values()[vectorenv.MetricsToken])
		}},
		{"keep the host's address while there is no route", func(w *world) { w.hostIP = "" }, 0, func(t *testing.T, w *world) {
			assert.Equal(t, "10.1.2.3", w.values()[vectorenv.HostIP])
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			inWorld(t, func(w *world) {
				w.hold(nil)
				w.put("worker.env", worker("kv-prod"))
				tc.prepare(w)
				w.start()
				assert.Equal(t, time.Duration(0), w.notify.readyAt, "they are usable as they are")
				assert.Equal(t, vectorenv.Real, w.notify.atReady.Kind)
				w.sleep(10 * time.Second)
				assert.Len(t, w.vector.reloads, tc.reloads)
				assert.Equal(t, vectorenv.Real, w.kind())
				tc.check(t, w)
			})
		})
	}
}

func TestWorkingCredentialsAreNeverReplacedByAStub(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		w.hold(nil)
		before := w.values()
		w.put("worker.env", worker("kv-prod"))
		w.vault.fail("", &vault.Error{Service: "managed identity", Status: 503})
		w.start()
		w.sleep(24 * time.Hour)
		assert.Equal(t, before, w.values())
		assert.Zero(t, w.vector.tries)
		assert.True(t, w.running())
		assert.Less(t, len(w.vault.calls()), 24*60*2, "about once a minute")
		assert.Greater(t, len(w.vault.calls()), 24*60/2)
		assert.Contains(t, w.notify.status, "credentials from before; since 2000-01-01 00:00:00Z: managed identity: 503 Service Unavailable, next try 2000-01-0")
	})
}

func TestAVectorEnvOfAnOlderVersionIsCompleted(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		require.NoError(t, os.WriteFile(w.file.Path, []byte(vectorenv.Token+"=t\n"+vectorenv.Dataset+"=d\n"), 0o644))
		w.start()
		assert.Equal(t, vectorenv.Complete(map[string]string{vectorenv.Token: "t", vectorenv.Dataset: "d"}), w.values())
		assert.Equal(t, vectorenv.Real, w.notify.atReady.Kind)
	})
}

func TestRequiredSecrets(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for _, tc := range []struct {
		name   string
		spoil  func(w *world)
		mend   func(w *world)
		status string
		atMost int // requests in a day
	}{
		{"no role", func(w *world) {
			w.vault.fail(dataset, &vault.Error{Service: "key vault kv-prod", Secret: dataset, Status: 403, Code: "Forbidden/ForbiddenByRbac", Permanent: true})
		}, func(w *world) { w.vault.fail(dataset, nil) }, "secret " + dataset + ": 403 Forbidden/ForbiddenByRbac", 450},
		{"not there", func(w *world) { delete(w.vault.secrets, ingestToken) }, func(w *world) { w.vault.set(ingestToken, "there") }, "404 SecretNotFound", 450},
		{"empty", func(w *world) { w.vault.set(ingestToken, "") }, func(w *world) { w.vault.set(ingestToken, "x") }, "secret " + ingestToken + " cannot be used: it is empty", 450},
		{"with a line end", func(w *world) { w.vault.set(ingestToken, "hunter2\r\n") }, func(w *world) { w.vault.set(ingestToken, "x") },
			"secret " + ingestToken + " cannot be used: it has a carriage return at byte 7", 450},
		{"vault down", func(w *world) {
			w.vault.fail("", &vault.Error{Service: "key vault kv-prod", Reason: "connection refused"})
		}, func(w *world) { w.vault.fail("", nil) }, "key vault kv-prod: connection refused", 2300},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			inWorld(t, func(w *world) {
				w.put("worker.env", worker("kv-prod"))
				tc.spoil(w)
				w.start()
				w.sleep(day)
				assert.Equal(t, vectorenv.Placeholder, w.kind(), "nothing half is written")
				assert.Contains(t, w.notify.status, tc.status)
				assert.NotContains(t, strings.Join(w.notify.all, "\n"), "hunter2")
				assert.LessOrEqual(t, len(w.vault.calls()), tc.atMost)
				tc.mend(w)
				w.awaitEnd(10 * time.Minute)
				assert.Equal(t, vectorenv.Real, w.kind())
				assert.Len(t, w.vector.reloads, 1)
			})
		})
	}
}

func TestOptionalSecretsNeverHoldBackRequiredOnes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		spoil   func(w *world)
		ends    bool
		token   string
		cell    string
		reloads int
		said    string
	}{
		{"not there", func(w *world) { delete(w.vault.secrets, metricsToken); delete(w.vault.secrets, cellID) }, true, "", "cell-7", 0, ""},
		{"no role", func(w *world) {
			w.vault.fail(metricsToken, &vault.Error{Service: "key vault kv-prod", Secret: metricsToken, Status: 403, Code: "Forbidden", Permanent: true})
		}, true, "", "value of " + cellID, 0, "secret " + metricsToken + ": 403 Forbidden"},
		{"not to be carried", func(w *world) { w.vault.set(metricsToken, "a\nb") }, true, "", "value of " + cellID, 0, "secret " + metricsToken + " cannot be used: it has a line feed"},
		{"an error that may go away", func(w *world) {
			w.vault.fail(metricsToken, &vault.Error{Service: "key vault kv-prod", Secret: metricsToken, Status: 500})
			time.AfterFunc(20*time.Second, func() { w.vault.fail(metricsToken, nil) })
		}, true, "value of " + metricsToken, "value of " + cellID, 1, "secret " + metricsToken + ": 500"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			inWorld(t, func(w *world) {
				w.put("worker.env", worker("kv-prod")+roleenv.CellID+"=cell-7\n")
				tc.spoil(w)
				w.start()
				w.sleep(200 * time.Millisecond)
				assert.Equal(t, vectorenv.Real, w.notify.atReady.Kind)
				w.awaitEnd(2 * time.Minute)
				assert.Equal(t, tc.token, w.values()[vectorenv.MetricsToken])
				assert.Equal(t, tc.cell, w.values()[vectorenv.CellID])
				assert.Len(t, w.vector.reloads, tc.reloads)
				assert.True(t, w.notify.said(tc.said), w.notify.all)
			})
		})
	}
}

func TestRetryAfterIsKept(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		err   vault.Error
		other bool // another vault may be asked before
	}{
		{"of the vault", vault.Error{Service: "key vault kv-prod", Status: 429, RetryAfter: 90 * time.Second}, true},
		{"of IMDS", vault.Error{Service: "managed identity", Status: 429, RetryAfter: 90 * time.Second}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			inWorld(t, func(w *world) {
				w.put("worker.env", worker("kv-prod"))
				w.vault.fail("", &tc.err)
				w.start()
				w.sleep(80 * time.Second)
				assert.Len(t, w.vault.calls(), 1)
				w.put("worker.env", worker("kv-other"))
				w.sleep(time.Second)
				assert.Len(t, w.vault.calls(), map[bool]int{true: 2, false: 1}[tc.other])
			})
		})
	}
}

func TestARoleEnvWithoutAVault(t *testing.T) {
	t.Parallel()
	const none = roleenv.Region + "=westeurope\n"
	t.Run("is said, leaves vector.env alone, and in the end is that", func(t *testing.T) {
		t.Parallel()
		inWorld(t, func(w *world) {
			w.hold(nil)
			before := w.values()
			w.put("worker.env", none)
			w.start()
			w.sleep(31 * time.Second)
			assert.Contains(t, w.notify.status, "there is no vault: "+w.dir+"/worker.env names none; vector.env is left alone")
			assert.True(t, w.running())
			w.awaitEnd(10 * time.Minute)
			assert.Equal(t, before, w.values())
			assert.Empty(t, w.vault.calls())
		})
	})
	t.Run("may get one late", func(t *testing.T) {
		t.Parallel()
		inWorld(t, func(w *world) {
			w.put("worker.env", none)
			w.start()
			w.sleep(5 * time.Minute)
			w.put("worker.env", worker("kv-prod"))
			w.awaitEnd(time.Minute)
			assert.Equal(t, vectorenv.Real, w.kind())
		})
	})
}

func TestEditsInPlaceAfterDelivery(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		edit    string
		calls   int
		reloads int
		check   func(t *testing.T, v map[string]string)
	}{
		{"that change nothing of interest", worker("kv-prod") + "OTHER=1\n", 1, 1, func(*testing.T, map[string]string) {}},
		{"of the region need no request", strings.Replace(worker("kv-prod"), "westeurope", "northeurope", 1), 1, 2, func(t *testing.T, v map[string]string) {
			assert.Equal(t, "northeurope", v[vectorenv.Region])
		}},
		{"of the vault start over", worker("kv-other"), 2, 1, func(*testing.T, map[string]string) {}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			inWorld(t, func(w *world) {
				w.start()
				w.put("worker.env", worker("kv-prod"))
				w.sleep(3 * time.Second)
				w.put("worker.env", tc.edit)
				w.sleep(3 * time.Second)
				assert.True(t, w.running(), "5 s since the last change")
				w.awaitEnd(3 * time.Second)
				assert.Len(t, w.vault.calls(), tc.calls)
				assert.Len(t, w.vector.reloads, tc.reloads)
				tc.check(t, w.values())
			})
		})
	}
}

func TestAReloadThatFailsIsSaidAndTriedAgain(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		w.vector.err = errors.New(`restart vector.service: its job ended with "failed"`)
		w.start()
		w.put("worker.env", worker("kv-prod"))
		w.sleep(time.Hour)
		assert.True(t, w.running())
		assert.Contains(t, w.notify.status, `since 2000-01-01 00:00:00Z: restart vector.service: its job ended with "failed", next try`)
		assert.Less(t, w.vector.tries, 30)
		w.vector.err = nil
		w.awaitEnd(10 * time.Minute)
		assert.Len(t, w.vector.reloads, 1)
	})
}

func TestAReloadThatIsOwedOutlivesTheProcess(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		w.vector.err = errors.New("no bus")
		w.start()
		w.put("worker.env", worker("kv-prod"))
		w.sleep(time.Second)
		require.Equal(t, vectorenv.Real, w.kind())
		w.stop()

		w.vector.err, w.vector.idle = nil, false
		w.notify.readyAt = -1
		w.start()
		w.awaitEnd(time.Minute)
		assert.Len(t, w.vector.reloads, 1, "though this process changed nothing")
		assert.False(t, w.owed.Exists())
	})
}

func TestAVectorThatRunsAlreadyIsRestartedThoughTheFileIsWrittenBeforeReady(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		w.vector.idle = false // systemctl restart populate-vector-env
		w.put("worker.env", worker("kv-prod"))
		w.start()
		w.awaitEnd(time.Minute)
		assert.Equal(t, vectorenv.Real, w.notify.atReady.Kind)
		assert.Len(t, w.vector.reloads, 1)
	})
}

func TestAVectorEnvThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		require.NoError(t, os.Mkdir(w.file.Path, 0o755))
		w.start()
		assert.Equal(t, time.Duration(0), w.notify.readyAt, "boot does not wait for what may never be")
		assert.Contains(t, w.notify.status, "there is no usable vector.env; vector.env cannot be written:")
		w.sleep(time.Minute)
		w.remove("vector.env")
		w.sleep(6 * time.Second)
		assert.Equal(t, vectorenv.Placeholder, w.kind())
		assert.Len(t, w.vector.reloads, 1, "Vector has failed without it")
		w.put("worker.env", worker("kv-prod"))
		w.awaitEnd(time.Minute)
		assert.Equal(t, vectorenv.Real, w.kind())
	})
}
