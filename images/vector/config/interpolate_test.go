package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images/vector/config"
)

func TestInterpolate(t *testing.T) {
	t.Parallel()
	vars := map[string]string{"SET": "value", "EMPTY": "", "a.b": "dotted", "TRICKY": "${SET} $SET $1", "LINES": "a\nb"}
	tests := []struct {
		name, text, want string
		problems         []string
	}{
		{"a braced variable", "x: ${SET}", "x: value", nil},
		{"a bare variable ends where the name does", "$SET/$SET", "value/value", nil},
		{"a name may have dots", "${a.b} $a.b", "dotted dotted", nil},
		{"an empty variable is not missing", "[${EMPTY}][$EMPTY]", "[][]", nil},
		{"a missing variable is a problem", "${GONE}", "", []string{`Missing environment variable in config. name = "GONE"`}},
		{"every missing variable is named", "$GONE ${AWAY}", " ", []string{
			`Missing environment variable in config. name = "GONE"`, `Missing environment variable in config. name = "AWAY"`}},
		{"a comment counts, since the text is not YAML yet", "# ${GONE}", "# ", []string{`Missing environment variable in config. name = "GONE"`}},
		{":- gives the default for a missing variable", "${GONE:-default}", "default", nil},
		{":- gives the default for an empty variable", "${EMPTY:-default}", "default", nil},
		{":- leaves a set variable", "${SET:-default}", "value", nil},
		{":- takes a URL", "${GONE:-https://api.axiom.co}", "https://api.axiom.co", nil},
		{"- gives the default for a missing variable", "${GONE-default}", "default", nil},
		{"- leaves an empty variable empty", "[${EMPTY-default}]", "[]", nil},
		{"an empty default is one", "[${GONE:-}]", "[]", nil},
		{":? refuses a missing variable", "${GONE:?set it}", "", []string{`Non-empty environment variable required in config. name = "GONE", error = "set it"`}},
		{":? refuses an empty variable", "${EMPTY:?set it}", "", []string{`Non-empty environment variable required in config. name = "EMPTY", error = "set it"`}},
		{"? refuses a missing variable", "${GONE?set it}", "", []string{`Missing environment variable required in config. name = "GONE", error = "set it"`}},
		{"? takes an empty variable", "[${EMPTY?set it}]", "[]", nil},
		{"two dollars are one, and no variable", "$$SET $${SET}", "$SET ${SET}", nil},
		{"a dollar alone stays", "5 $ and $-", "5 $ and $-", nil},
		{"an unclosed brace stays", "${SET", "${SET", nil},
		{"a value is not interpolated again", "${TRICKY}", "${SET} $SET $1", nil},
		{"a newline in a value is refused, and the variable missing", "[${LINES}]", "[]", []string{
			`Environment variable contains newline character. name = "LINES"`, `Missing environment variable in config. name = "LINES"`}},
		{"a newline is refused where there is a default, too", "${LINES:-x}", "x", []string{`Environment variable contains newline character. name = "LINES"`}},
		{"text without variables stays", "a: b\n", "a: b\n", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, problems := config.Interpolate(tt.text, vars)
			assert.Equal(t, tt.want, got)
			assert.Equal(t, tt.problems, problems)
		})
	}
}

func TestVersionsDecideWhetherAVariableIsPutIn(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, version string
		allowed, want bool
	}{
		{"0.45 interpolates", "0.45.0", false, true},
		{"0.56 interpolates", "0.56.3", false, true},
		{"0.57 does not", "0.57.0", false, false},
		{"0.57 does when asked to", "0.57.0", true, true},
		{"0.58 does not", "0.58", false, false},
		{"1.0 does not", "1.0.0", false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v, err := config.ParseVersion(tt.version)
			require.NoError(t, err)
			assert.Equal(t, tt.want, v.Interpolates(tt.allowed))
		})
	}
	for _, bad := range []string{"", "0", "0.x.1", "0.1.2.3", "-1.0.0"} {
		_, err := config.ParseVersion(bad)
		assert.Error(t, err, "version %q", bad)
	}
}

func load(path string, vars map[string]string, interpolate bool) (*config.Config, error) {
	return config.LoadFiles([]config.File{{Path: path}}, nil, config.Options{Vars: vars, Interpolate: interpolate})
}

func TestLoadOfBothGenerations(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "vector.yaml")
	require.NoError(t, os.WriteFile(path, []byte(`
sources: {journal: {type: journald}}
sinks: {platform: {type: axiom, inputs: [journal], dataset: d, token: "${BOOTRACE_TOKEN}"}}
`), 0o600))
	vars := config.Environ([]string{"BOOTRACE_TOKEN=from the environment"}, "w1")

	cfg, err := load(path, vars, true)
	require.NoError(t, err)
	assert.Equal(t, "from the environment", cfg.Sinks[0].Axiom.Token)

	cfg, err = load(path, vars, false)
	require.NoError(t, err)
	assert.Equal(t, "${BOOTRACE_TOKEN}", cfg.Sinks[0].Axiom.Token, "from 0.57 the text itself is the token, with no error")

	_, err = load(path, config.Environ(nil, ""), true)
	assert.Equal(t, config.Errors{`Missing environment variable in config. name = "BOOTRACE_TOKEN"`}, err)

	_, err = load(path, config.Environ(nil, ""), false)
	assert.NoError(t, err)
}

func TestEnviron(t *testing.T) {
	t.Parallel()
	assert.Equal(t, map[string]string{"A": "1=2", "B": "", "HOSTNAME": "w1"}, config.Environ([]string{"A=1=2", "B="}, "w1"))
	assert.Equal(t, map[string]string{"HOSTNAME": "own"}, config.Environ([]string{"HOSTNAME=own"}, "w1"))
}
