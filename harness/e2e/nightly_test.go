package e2e

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/museum"
	"bootrace/harness/wire/wiretest"
	"bootrace/images"
	"bootrace/scenarios"
)

// raiseInotify makes room for as many machines as are wanted, for as long as the
// test lasts; without the right to, fewer run at once.
func raiseInotify(t testing.TB) {
	t.Helper()
	const file, wanted = "/proc/sys/fs/inotify/max_user_instances", 8192
	old, err := os.ReadFile(file)
	require.NoError(t, err)
	if n, err := strconv.Atoi(strings.TrimSpace(string(old))); err != nil || n >= wanted {
		return
	}
	if err := os.WriteFile(file, []byte(strconv.Itoa(wanted)), 0); err != nil {
		t.Logf("fewer machines at once: %v", err)
		return
	}
	t.Cleanup(func() { _ = os.WriteFile(file, old, 0) })
}

func TestNightlyTenInARowOnBothBasesAHundredAtOnce(t *testing.T) {
	wiretest.Nightly(t)
	raiseInotify(t)
	lab := wiretest.New(t, nil, images.Suites()...)
	list, err := scenarios.Default()
	require.NoError(t, err)
	again := 0
	for _, c := range lab.Run(t, list, 10, manyAtOnce) {
		assert.Equal(t, "pass", c.Verdict, wiretest.Explain(c))
		again += c.Machines() - 1
	}
	t.Logf("%d machines were spoilt by the host and booted anew", again)
}

func TestNightlyBrokenPopulatorsFailTheSameManyAtOnce(t *testing.T) {
	wiretest.Nightly(t)
	raiseInotify(t)
	for _, b := range brokenSubjects {
		t.Run(b.name, func(t *testing.T) {
			lab := wiretest.New(t, []string{b.write(t)}, images.Suites()...)
			for _, c := range lab.Run(t, wiretest.Find(t, "delay-0s"), 10, manyAtOnce) {
				assert.Equal(t, "fail", c.Verdict, wiretest.Explain(c))
				assert.Contains(t, museum.Failed(c), b.check, wiretest.Explain(c))
			}
		})
	}
}
