package explain_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/verdict"
)

// transports are what happens to a log on its way to whoever judges it.
var transports = map[string]func(line string) string{
	"CRLF":             func(l string) string { return l + "\r" },
	"docker logs -t":   func(l string) string { return "2026-11-27T10:00:00.123456789Z " + l },
	"a CI runner":      func(l string) string { return "2026-11-27T10:00:00.1234567Z \x1b[36m" + l + "\x1b[0m" },
	"kubectl --prefix": func(l string) string { return "[pod/worker-0/boot] " + l },
	"docker compose":   func(l string) string { return "worker-1  | " + l },
	"kubectl's file":   func(l string) string { return "2026-11-27T10:00:00.123456789+00:00 stdout F " + l },
	"packer":           func(l string) string { return "    azure-arm: " + l },
	"ts(1)":            func(l string) string { return "Nov 27 10:00:00 " + l },
	"Jenkins":          func(l string) string { return "[2026-11-27T10:00:00.123Z] " + l },
	"quoted":           func(l string) string { return "> " + l },
	"indented":         func(l string) string { return "    " + l },
	"a 3270":           func(l string) string { return strings.ReplaceAll(strings.ReplaceAll(l, "[", "¬"), "]", "|") },
	"wrapped at 80":    func(l string) string { return wrapped(l, 80) },
}

func wrapped(line string, at int) string {
	var out []string
	for r := []rune(line); ; r = r[at:] {
		if len(r) <= at {
			return strings.Join(append(out, string(r)), "\n")
		}
		out = append(out, string(r[:at]))
	}
}

// changed are forms that a transport makes something else of: what stands in columns, and
// what other programs print.
var changed = regexp.MustCompile(`json|blame|critical-chain|list-`)

// TestALogIsToldTheSameHoweverItCame: what carried a log changes nothing of its cause.
func TestALogIsToldTheSameHoweverItCame(t *testing.T) {
	for name, w := range logs {
		data, err := os.ReadFile(filepath.Join("testdata", "logs", name))
		require.NoError(t, err)
		for how, carry := range transports {
			if changed.MatchString(name) {
				continue
			}
			t.Run(fmt.Sprintf("%s/%s", name, how), func(t *testing.T) {
				t.Parallel()
				var out bytes.Buffer
				for line := range strings.Lines(string(data)) {
					out.WriteString(carry(strings.TrimSuffix(line, "\n")) + "\n")
				}
				path := filepath.Join(t.TempDir(), "log")
				require.NoError(t, os.WriteFile(path, out.Bytes(), 0o600))
				j, story := told(t, path)
				assert.Equal(t, w.verdict, j.Verdict, story.Headline)
				if w.verdict == verdict.Fail {
					assert.Regexp(t, w.headline, story.Headline)
				}
			})
		}
	}
}
