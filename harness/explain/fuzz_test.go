package explain_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bootrace/harness/boot"
	"bootrace/harness/check"
	"bootrace/harness/derive"
	"bootrace/harness/explain"
	"bootrace/harness/judge"
	"bootrace/harness/timeline"
	"bootrace/harness/verdict"
	"bootrace/scenarios"
)

// FuzzJudge takes anything all the way: whatever is read as a log of a boot is judged without
// a panic, is never a pass, has a headline, and makes a scenario that loads.
func FuzzJudge(f *testing.F) {
	paths, err := filepath.Glob("testdata/logs/*")
	require.NoError(f, err)
	for _, p := range paths {
		data, err := os.ReadFile(p)
		require.NoError(f, err)
		f.Add(string(data))
	}
	f.Add(`[    2.000000] w7 systemd[1]: systemd 257.9-1 running in system mode (+PAM)
[    2.400000] w7 populate-vector-env[412]: level=INFO msg="vector.env is a stub; waiting since 2026-11-23 22:34:43Z for worker.env or server.env in /etc/opensandbox"
[    2.500000] w7 systemd[1]: Started vector.service - Vector.
[    3.400000] w7 systemd[1]: Starting cloud-final.service - Cloud-init: Final Stage...
[  243.400000] w7 populate-vector-env[412]: level=WARN msg="vector.env is a stub; since 2026-11-23 22:38:33Z: managed identity: 503 Service Unavailable"
[  244.400000] w7 populate-vector-env[412]: level=WARN msg="vector.env is a stub; since 2026-11-23 22:38:33Z: key vault kv, secret a-b: 403 Forbidden"
[  250.400000] w7 populate-vector-env[412]: level=INFO msg="vector.env has the secrets of key vault kv-prod-7 since 2026-11-23 22:38:40Z"
[  251.400000] w7 systemd[1]: Started vector.service - Vector.
[  951.400000] w7 systemd[1]: Started vector.service - Vector.
`)
	f.Fuzz(func(t *testing.T, data string) {
		if strings.HasPrefix(data, "LPKSHHRH") {
			t.Skip("journalctl's to read")
		}
		boots, err := timeline.ReadLogs(t.Context(), []timeline.LogFile{{Name: "f", Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(data)), nil }}})
		if err != nil {
			return
		}
		for _, b := range boots {
			tl := b.Timeline()
			j := judge.Log(tl, check.Limits{BootBudget: time.Second}, boot.Control{MultiUser: time.Second})
			if j.Verdict != verdict.Fail && j.Verdict != verdict.NotJudged {
				t.Fatalf("%s: %s", j.Verdict, j.Reason)
			}
			if story := explain.Log(j.Boot, j.Results); story.Headline == "" {
				t.Fatal("no headline")
			}
			text := derive.Scenario("f", j.Boot)
			if _, err := scenarios.Parse("f.yaml", []byte(text)); err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			_ = j.Boot.Delays()
		}
	})
}
