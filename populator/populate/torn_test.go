package populate_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"bootrace/populator/vault"
	"bootrace/populator/vectorenv"
)

// write is one thing that happens to the role env.
type write struct {
	after   time.Duration
	name    string
	content string // none: removed
	rename  bool   // put in place by rename, as sed -i does
	mkdir   bool
}

func (w *world) apply(steps []write) {
	for _, s := range steps {
		w.sleep(s.after)
		path := filepath.Join(w.dir, s.name)
		if info, err := os.Stat(path); err == nil && info.IsDir() != s.mkdir {
			require.NoError(w.t, os.RemoveAll(path)) // a file and a directory make way for each other
		}
		switch {
		case s.mkdir:
			require.NoError(w.t, os.MkdirAll(path, 0o755))
			w.signal()
		case s.rename:
			require.NoError(w.t, os.WriteFile(path+".new", []byte(s.content), 0o600))
			require.NoError(w.t, os.Rename(path+".new", path))
			w.signal()
		case s.content == "":
			w.remove(s.name)
		default:
			w.put(s.name, s.content)
		}
		synctest.Wait()
	}
}

func TestTornRoleEnvs(t *testing.T) {
	t.Parallel()
	whole := worker("kv-prod")
	const ms = time.Millisecond
	set := func(after time.Duration, content string) write {
		return write{after: after, name: "worker.env", content: content}
	}
	gone := write{after: 50 * ms, name: "worker.env"}
	for _, tc := range []struct {
		name   string
		steps  []write
		vaults []string // asked, in turn
		within time.Duration
	}{
		{"created empty and filled at once", []write{set(0, "\n"), set(10*ms, whole)}, []string{"kv-prod"}, time.Second},
		{"created empty and filled a minute later", []write{set(0, "\n"), set(time.Minute, whole)}, []string{"kv-prod"}, time.Second},
		{"written line by line", []write{set(0, "A=1\n"), set(60*ms, "A=1\n"+whole[:20]), set(60*ms, "A=1\n"+whole), set(60*ms, "A=1\n"+whole+"B=2\n")}, []string{"kv-prod"}, time.Second},
		{"written line by line, slowly", []write{set(0, "A=1\n"), set(20*time.Second, "A=1\nB=2\n"), set(20*time.Second, "A=1\nB=2\n"+whole)}, []string{"kv-prod"}, time.Second},
		{"cut within the vault's name", []write{set(0, "A=1\nOPENSANDBOX_AZURE_KEY_VAULT_NAME=kv-p"), set(10*time.Second, whole)}, []string{"kv-prod"}, time.Second},
		{"without a last line end, for good", []write{set(0, strings.TrimSuffix(whole, "\n"))}, []string{"kv-prod"}, 31 * time.Second},
		{"a template first, then edited in place", []write{set(0, worker("__VAULT__")), {after: time.Second, name: "worker.env", content: whole, rename: true}}, []string{"kv-prod"}, time.Second},
		{"filled, truncated and written again", []write{set(0, whole), set(50*ms, "\n"), set(time.Second, whole)}, []string{"kv-prod"}, time.Second},
		{"truncated after delivery and written again", []write{set(0, whole), set(time.Second, "\n"), set(10*time.Second, whole)}, []string{"kv-prod"}, time.Second},
		{"replaced by rename", []write{{name: "worker.env", content: whole, rename: true}}, []string{"kv-prod"}, time.Second},
		{"written and removed before it was believed, then written", []write{set(0, whole), gone, set(time.Minute, whole)}, []string{"kv-prod"}, time.Second},
		{"a directory, then a file", []write{{name: "worker.env", mkdir: true}, {after: time.Minute, name: "worker.env"}, set(ms, whole)}, []string{"kv-prod"}, time.Second},
		{"with DOS line ends", []write{set(0, strings.ReplaceAll(whole, "\n", "\r\n"))}, []string{"kv-prod"}, time.Second},
		{"server.env instead", []write{{name: "server.env", content: whole}}, []string{"kv-prod"}, time.Second},
		{"server.env, then worker.env", []write{{name: "server.env", content: worker("kv-server")}, set(time.Second, whole)}, []string{"kv-server", "kv-prod"}, time.Second},
		{"worker.env half-written beside server.env", []write{set(0, "A=1\n"), {name: "server.env", content: worker("kv-server")}, set(10*time.Second, whole)}, []string{"kv-prod"}, time.Second},
		{"a vault corrected", []write{set(0, worker("kv-wrong")), set(time.Second, whole)}, []string{"kv-wrong", "kv-prod"}, time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			inWorld(t, func(w *world) {
				w.start()
				require.Equal(t, time.Duration(0), w.notify.readyAt)
				w.apply(tc.steps)
				w.sleep(tc.within)
				assert.Equal(t, vectorenv.Real, w.kind(), w.notify.status)
				w.awaitEnd(time.Minute)
				var asked []string
				for _, c := range w.vault.calls() {
					asked = append(asked, c.vault)
				}
				assert.Equal(t, tc.vaults, asked)
				require.NotEmpty(t, w.vector.reloads)
				assert.Equal(t, w.values(), w.vector.reloads[len(w.vector.reloads)-1], "Vector has what is in the file")
			})
		})
	}
}

// TestWhateverHappensItEndsWithTheVaultsValues: however the role env is torn and
// the cloud fails, once both are well the machine has its credentials, boot has
// waited at most a second, and nobody was asked too often.
func TestWhateverHappensItEndsWithTheVaultsValues(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	run := 0
	rapid.Check(t, func(r *rapid.T) {
		run++
		dir := filepath.Join(base, fmt.Sprint(run))
		require.NoError(r, os.Mkdir(dir, 0o755))
		whole := worker("kv-prod")
		millis := func(label string, most int) time.Duration {
			return time.Duration(rapid.IntRange(0, most).Draw(r, label)) * time.Millisecond
		}
		var tears []write
		for range rapid.IntRange(0, 6).Draw(r, "tears") {
			step := write{after: millis("pause", 60_000), name: rapid.SampledFrom([]string{"worker.env", "server.env"}).Draw(r, "name")}
			step.rename = rapid.Bool().Draw(r, "rename")
			text := rapid.SampledFrom([]string{whole, worker("kv-other"), "A=1\n", "\n", "\xff\n"}).Draw(r, "text")
			step.content = text[:rapid.IntRange(1, len(text)).Draw(r, "cut")]
			tears = append(tears, step)
		}
		spoilt := rapid.SampledFrom([]string{"", ingestToken, dataset, metricsToken}).Draw(r, "spoilt")
		failure := &vault.Error{
			Service:    rapid.SampledFrom([]string{"managed identity", "key vault kv-prod"}).Draw(r, "service"),
			Status:     rapid.SampledFrom([]int{0, 403, 404, 429, 500}).Draw(r, "status"),
			RetryAfter: millis("retry after", 120_000),
			Permanent:  rapid.Bool().Draw(r, "permanent"),
		}
		outage := millis("outage", 3_600_000)
		early := rapid.Bool().Draw(r, "before boot")

		var problem string
		// rapid shrinks on r, which a bubble cannot fail: carry it out.
		synctest.Test(t, func(t *testing.T) {
			withWorld(t, dir, func(w *world) {
				problem = survive(w, tears, early, whole, spoilt, failure, outage)
			})
		})
		if problem != "" {
			r.Fatal(problem)
		}
	})
}

func survive(w *world, tears []write, early bool, whole, spoilt string, failure *vault.Error, outage time.Duration) string {
	w.vault.fail(spoilt, failure)
	if early {
		w.put("worker.env", whole)
	}
	w.start()
	w.apply(tears)
	w.sleep(2 * time.Second)
	w.put("worker.env", whole)
	w.sleep(outage)
	w.vault.fail(spoilt, nil)
	if !w.running() {
		// It was done before the last edits: systemd starts it again.
		w.cancel()
		w.vector.idle = false
		w.notify.readyAt, w.notify.began = -1, time.Now()
		<-w.ended
		w.start()
	}
	select {
	case err := <-w.ended:
		if err != nil {
			return err.Error()
		}
	case <-time.After(30 * time.Minute):
		return "it has not ended: " + w.notify.status
	}
	switch asked := len(w.vault.calls()); {
	case w.kind() != vectorenv.Real:
		return "no credentials: " + w.notify.status
	case w.values()[vectorenv.Token] != "value of "+ingestToken:
		return "not the vault's values"
	case w.notify.readyAt < 0 || w.notify.readyAt > time.Second:
		return fmt.Sprintf("ready after %s", w.notify.readyAt)
	case asked > 40+int(time.Since(w.began)/(30*time.Second)):
		return fmt.Sprintf("%d requests in %s", asked, time.Since(w.began))
	case len(w.vector.reloads) > 0 && w.vector.reloads[len(w.vector.reloads)-1][vectorenv.Token] != w.values()[vectorenv.Token]:
		return "Vector runs with other values"
	}
	w.cancel()
	return ""
}
