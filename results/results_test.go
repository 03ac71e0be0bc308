package results_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"bootrace/results"
)

func TestInputsAreFlakyWhoseRepetitionsDiffer(t *testing.T) {
	of := func(id, verdict string) results.Case { return results.Case{ID: id, Verdict: verdict} }
	r := results.Run{Cases: []results.Case{
		of("pre@trixie#1", "pass"), of("pre@trixie#2", "fail"), of("pre@trixie#3", "pass"),
		of("pre@bookworm#1", "pass"), of("never@trixie#1", "fail"), of("never@trixie#2", "fail"),
		of("delay-0s@trixie#1", "pass"), of("delay-0s@trixie#2", "invalid"),
		of("pr257/pre@trixie#1", "fail"), of("good/pre@trixie#1", "pass"),
		of("pre@./a#1.tar#1", "fail"), of("pre@./a#2.tar#1", "pass"), // a base may have any name
	}}
	assert.Equal(t, []results.Flaky{{Inputs: "pre@trixie", Pass: 2, Fail: 1}}, r.Flaky())
	r.Cases = r.Cases[3:]
	assert.Empty(t, r.Flaky())
}

func TestOnlyAVerdictIsAsExpected(t *testing.T) {
	for _, tt := range []struct {
		expected, verdict string
		want              bool
	}{
		{"pass", "pass", true}, {"fail", "fail", true}, {"pass", "fail", false}, {"fail", "pass", false},
		{"", "", false}, {"invalid", "invalid", false}, {"error", "error", false}, {"flaky", "flaky", false},
	} {
		c := results.Case{Expected: tt.expected, Verdict: tt.verdict}
		assert.Equal(t, tt.want, c.AsExpected(), "%q, expected %q", tt.verdict, tt.expected)
	}
}

func TestEachVectorThatRanIsNamedOnceWithItsDigest(t *testing.T) {
	ran := func(vector, digest string) results.Case {
		return results.Case{Vector: vector, Recording: "r", Attempts: []results.Attempt{{Recording: "r", Versions: map[string]string{results.VersionVectorDigest: digest}}}}
	}
	for _, tt := range []struct {
		name  string
		cases []results.Case
		want  string
	}{
		{"none yet", nil, "planned"},
		{"one that did not say", []results.Case{ran("unknown", "")}, "planned"},
		{"twice the same", []results.Case{ran("vector 1", "0123456789abcdef"), ran("vector 1", "0123456789abcdef")}, "vector 1 sha256:0123456789ab"},
		{"two programs of one version", []results.Case{ran("vector 1", "aaaaaaaaaaaaaaaa"), ran("vector 1", "bbbbbbbbbbbbbbbb")}, "vector 1 sha256:aaaaaaaaaaaa, vector 1 sha256:bbbbbbbbbbbb"},
		{"an older record", []results.Case{ran("vector 1", "")}, "vector 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, results.Run{Vector: "planned", Cases: tt.cases}.RanVector())
		})
	}
}

func TestWhatWasTestedFitsIntoALine(t *testing.T) {
	t.Parallel()
	for names, want := range map[string]string{
		"populator": "subject populator", "a,b,c": "subjects a, b, c", "a,b,c,d": "4 subjects, a to d",
	} {
		assert.Equal(t, want, results.Run{Subject: names}.Tested())
	}
}
