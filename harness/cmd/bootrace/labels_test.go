package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"bootrace/results"
)

func TestARunSaysWhereItWasMade(t *testing.T) {
	for _, name := range []string{"GITHUB_SHA", "GITHUB_RUN_ID", "GITHUB_HEAD_REF", "GITHUB_REF_NAME", "CI_COMMIT_SHA", "CI_COMMIT_REF_NAME", "CI_JOB_URL"} {
		t.Setenv(name, "")
	}
	here := labelsOf(nil)
	assert.NotEmpty(t, here["host"])
	assert.Len(t, here, 1, "nothing of a CI that is none")

	t.Setenv("CI_COMMIT_SHA", "abc")
	t.Setenv("CI_JOB_URL", "https://ci.example/7")
	assert.Equal(t, map[string]string{"host": here["host"], "commit": "abc", "ci": "https://ci.example/7"}, labelsOf(nil))

	t.Setenv("GITHUB_SHA", "def")
	t.Setenv("GITHUB_HEAD_REF", "mend")
	t.Setenv("GITHUB_SERVER_URL", "https://hub.example")
	t.Setenv("GITHUB_REPOSITORY", "a/b")
	t.Setenv("GITHUB_RUN_ID", "7")
	got := labelsOf(map[string]string{"branch": "mine", "night": "1"})
	assert.Equal(t, map[string]string{"host": here["host"], "commit": "def", "branch": "mine", "ci": "https://hub.example/a/b/actions/runs/7", "night": "1"}, got)
	assert.Equal(t, "branch mine, ci https://hub.example/a/b/actions/runs/7, commit def, host "+here["host"]+", night 1", labelled(got))

	r := results.Run{Labels: got}
	assert.True(t, r.Labelled(nil))
	assert.True(t, r.Labelled(map[string]string{"night": "1", "branch": "mine"}))
	assert.False(t, r.Labelled(map[string]string{"night": "2"}))
	assert.False(t, r.Labelled(map[string]string{"day": ""}))
}
