package runbook

import (
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/scenarios"
)

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	b := book(t, late(scenarios.Edited))
	for _, tt := range []struct {
		name    string
		pattern string
		prepare func(h *host)
		as      string // the host's name as it is typed
		says    string // empty: not refused
	}{
		{name: "a development host"},
		{name: "another name", as: "dev-8", says: "this host is dev-7"},
		{name: "no name", as: "-", says: "this host is dev-7"},
		{name: "its role env names production", prepare: func(h *host) {
			h.file("root/etc/opensandbox/worker.env", "A=1\nexport VAULT=ocProdkv01\n", 0o600)
		}, says: "export VAULT in "},
		{name: "vector.env names production", prepare: func(h *host) {
			h.file("root/etc/opensandbox/vector.env", "AXIOM_PLATFORM_DATASET=platform-prd", 0o600)
		}, says: "AXIOM_PLATFORM_DATASET in "},
		{name: "a line that is no variable", prepare: func(h *host) {
			h.file("root/etc/opensandbox/vector.env", "kieselgurdose-prod\n", 0o600)
		}, says: "a line in "},
		{name: "its role env names what is none", prepare: func(h *host) {
			h.file("root/etc/opensandbox/worker.env", "A=kv-nonprod\nB=non-production\nC=product-7\n", 0o600)
		}},
		{name: "IMDS knows it", prepare: func(h *host) {
			h.file("imds", `{"location":"x","name":"w7","tags":"owner:me;env:Production"}`, 0o600)
		}, says: `"tags" in IMDS`},
		{name: "IMDS knows nothing of the kind", prepare: func(h *host) {
			h.file("imds", `{"plan":{"product":""},"name":"w7","tags":"owner:me;env:dev"}`, 0o600)
		}},
		{name: "the operator's pattern", pattern: "^dev-7$", says: "the host's name"},
		{name: "the pattern of another", pattern: "^dev-70$"},
		{name: "worker.env is a link", prepare: func(h *host) {
			require.NoError(h.t, os.Remove(h.path("/etc/opensandbox/worker.env")))
			require.NoError(h.t, os.Symlink("vector.env", h.path("/etc/opensandbox/worker.env")))
		}, says: "no regular file"},
		{name: "there is no worker.env", prepare: func(h *host) {
			require.NoError(h.t, os.Remove(h.path("/etc/opensandbox/worker.env")))
		}, says: "which the scenario needs"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := b
			b.Production = tt.pattern
			h := newHost(t, b)
			if tt.prepare != nil {
				tt.prepare(h)
			}
			before := h.looks()
			as := tt.as
			if as == "" {
				as = name
			}
			code, out := h.run("start", "--yes-this-is-a-development-host", as)
			h.quiet()
			if tt.says == "" {
				require.Zero(t, code, out)
				return
			}
			assert.Equal(t, 2, code, out)
			assert.Contains(t, out, tt.says)
			assert.Equal(t, before, h.looks(), "nothing was changed")
			assert.NotContains(t, out, "ocProdkv01")
			assert.NotContains(t, out, "kieselgur")
		})
	}
}

func TestStepsOutOfOrderAreRefused(t *testing.T) {
	t.Parallel()
	h := newHost(t, book(t, late(scenarios.Edited)))
	before := h.looks()
	refused := func(says string, args ...string) {
		t.Helper()
		code, out := h.run(args...)
		assert.Equal(t, 2, code, out)
		assert.Contains(t, out, says)
	}
	refused("no trial is in progress", "finish")
	refused("--yes-this-is-a-development-host", "start")
	refused("start --yes", "stop")
	h.mustStart()
	refused("a trial is in progress (ready to reboot)", "start", "--yes-this-is-a-development-host", name)
	refused("not rebooted", "finish")
	h.boot()
	assert.Contains(t, h.must("status"), "the scenario was played")
	lock, err := os.Open(h.path(State))
	require.NoError(t, err)
	require.NoError(t, syscall.Flock(int(lock.Fd()), syscall.LOCK_EX))
	refused("another finish or undo", "undo")
	require.NoError(t, lock.Close())
	h.must("undo")
	assert.Equal(t, before, h.looks())
}
