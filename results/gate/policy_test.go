package gate_test

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/results/gate"
)

const policyFile = `# of a test
version: 1
scenarios: [smoke, ./mine.yaml]
bases:
  - trixie
repeat: 3
vector: any
min_cases: 6
max_invalid: 1
waivers:
  - scenario: mine
    base: trixie
    check: start-rate
    reason: Vector 0.57 mends it
    owner: ops@example.org
    expires: 2026-03-31
`

func TestAPolicyIsReadAsItIsWritten(t *testing.T) {
	t.Parallel()
	p, err := gate.Parse("gate.yaml", []byte(policyFile))
	require.NoError(t, err)
	assert.Equal(t, gate.Policy{
		Scenarios: []string{"smoke", "./mine.yaml"}, Bases: []string{"trixie"}, Repeat: 3, Vector: gate.Any, MinCases: 6, MaxInvalid: 1,
		Waivers: []gate.Waiver{{Scenario: "mine", Base: "trixie", Check: "start-rate", Reason: "Vector 0.57 mends it", Owner: "ops@example.org", Expires: "2026-03-31"}},
		File:    "gate.yaml", Source: []byte(policyFile),
	}, p)
}

func TestWhatAPolicyDoesNotSayIsStrict(t *testing.T) {
	t.Parallel()
	p, err := gate.Parse("gate.yaml", []byte("version: 1\nscenarios: [pre]\nbases: [trixie]\n"))
	require.NoError(t, err)
	assert.Equal(t, gate.Real, p.Vector)
	assert.Equal(t, 1, p.Repeat)
	assert.Zero(t, p.MaxInvalid)
	p, err = gate.DefaultPolicy()
	require.NoError(t, err)
	assert.Equal(t, gate.Real, p.Vector)
	assert.Empty(t, p.Waivers)
}

func TestEveryProblemOfAPolicyHasItsPlace(t *testing.T) {
	t.Parallel()
	_, err := gate.Parse("p.yaml", []byte(`version: 1
scenarios: []
bases: [trixie, trixie]
repeat: 0
vector: stand-in
maxinvalid: 1
waivers:
  - scenario: pre
    check: ""
    owner: me
    expires: 2026-02-30
`))
	var problems *gate.Problems
	require.ErrorAs(t, err, &problems)
	for _, want := range []string{
		"p.yaml:2:12: scenarios: expected a list with at least one name, found an empty list",
		"p.yaml:3:17: bases[1]: trixie is there twice",
		"p.yaml:4:9: repeat: expected a whole number, at least 1",
		`p.yaml:5:9: vector: expected one of real, any, found "stand-in"`,
		"p.yaml:6:1: unknown key maxinvalid: expected bases, devel, max_invalid,",
		"p.yaml:8:13: waivers[0].reason is missing",
		"p.yaml:9:12: waivers[0].check: expected a check's name",
		"p.yaml:11:14: waivers[0].expires: expected the last day it holds, such as 2026-01-31",
	} {
		assert.Contains(t, err.Error(), want)
	}
	assert.Len(t, problems.List, 8, err.Error())
}

func TestWhatIsNoPolicyIsRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, source, want string }{
		{"nothing", "# only this\n", "p.yaml: empty"},
		{"no YAML", "version: [1\n", "not YAML"},
		{"no text", "version: 1\x00", "not a text file"},
		{"two documents", policyFile + "---\n" + policyFile, "a second document"},
		{"a list", "- version: 1\n", "p.yaml:1:1: the file: expected keys with values"},
		{"too large", policyFile + strings.Repeat("#\n", 1<<14), "a policy has at most"},
		{"of another version", strings.Replace(policyFile, "version: 1", "version: 2", 1), "this program reads version 1, found 2"},
		{"of no version", strings.Replace(policyFile, "version: 1", "", 1), "version is missing"},
		{"a check that is waived already", policyFile + "  - {scenario: mine, check: start-rate, reason: x, owner: y, expires: 2026-01-01}\n", "p.yaml:17:5: waivers[1]: start-rate in mine is waived already"},
		{"a key twice", policyFile + "repeat: 4\n", `p.yaml:17:1: not YAML: mapping key "repeat" already defined`},
		{"an anchor", strings.Replace(policyFile, "[smoke", "&x [smoke", 1), "p.yaml:3:12: anchors, aliases and tags are not taken"},
		{"a number that is text", strings.Replace(policyFile, "repeat: 3", "repeat: '3'", 1), "repeat: expected a whole number"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, err := gate.Parse("p.yaml", []byte(tt.source))
			require.ErrorContains(t, err, tt.want)
			assert.Empty(t, p.Bases, "a policy with a problem is none")
		})
	}
}

// FuzzParse: what is read can be decided by, what is not has a problem.
func FuzzParse(f *testing.F) {
	f.Add(policyFile)
	f.Add("version: 1\nscenarios: [a]\nbases: [b]\nwaivers: [{}]\n")
	f.Fuzz(func(t *testing.T, source string) {
		p, err := gate.Parse("p.yaml", []byte(source))
		if err != nil {
			assert.NotEmpty(t, err.Error())
			return
		}
		assert.NotEmpty(t, p.Scenarios)
		assert.NotEmpty(t, p.Bases)
		assert.Positive(t, p.Repeat)
		assert.Contains(t, []string{gate.Real, gate.Any}, p.Vector)
		for _, w := range p.Waivers {
			assert.NotEmpty(t, w.Owner)
			assert.NotEmpty(t, w.Reason)
			assert.NotEmpty(t, w.Expires)
		}
	})
}

// What the README shows of a policy can be copied.
func TestTheREADMEsPolicyIsOne(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	_, after, found := strings.Cut(string(text), "\n    version: 1\n")
	require.True(t, found)
	shown, _, _ := strings.Cut("\n    version: 1\n"+after, "\n\n")
	p, err := gate.Parse("README.md", []byte(strings.ReplaceAll(shown, "\n    ", "\n")))
	require.NoError(t, err)
	assert.Len(t, p.Waivers, 1)
}

var update = flag.Bool("update", false, "write policy.schema.json anew")

func TestTheSchemaIsThatOfTheType(t *testing.T) {
	t.Parallel()
	want, err := gate.Schema()
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile("policy.schema.json", want, 0o600))
	}
	got, err := os.ReadFile("policy.schema.json")
	require.NoError(t, err)
	require.True(t, bytes.Equal(want, got), "policy.schema.json is not what the types say; run: go test ./results/gate -run Schema -update, and look at its diff")
}
