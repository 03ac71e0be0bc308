package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/mattn/go-shellwords"
	"github.com/rhysd/actionlint"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images"
)

// workflow is what is looked at of one beyond what actionlint knows.
type workflow struct {
	Permissions map[string]string
	Concurrency struct{ Group string }
	Jobs        map[string]struct {
		Timeout int `yaml:"timeout-minutes"`
		Steps   []struct {
			Uses string
			Run  string
			If   string
		}
	}
}

func workflows(t *testing.T) map[string]workflow {
	t.Helper()
	root, err := images.FindRoot(".")
	require.NoError(t, err)
	files, err := filepath.Glob(filepath.Join(root, ".github", "workflows", "*.yml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	out := map[string]workflow{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var w workflow
		require.NoError(t, yaml.Unmarshal(text, &w), file)
		out[file] = w
	}
	return out
}

func TestTheWorkflowsAreInOrder(t *testing.T) {
	t.Parallel()
	linter, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{})
	require.NoError(t, err)
	for file, w := range workflows(t) {
		problems, err := linter.LintFile(file, nil)
		require.NoError(t, err)
		for _, p := range problems {
			assert.Fail(t, p.Error())
		}
		assert.Equal(t, map[string]string{"contents": "read"}, w.Permissions, "%s: least permissions", file)
		assert.NotEmpty(t, w.Concurrency.Group, file)
		for name, job := range w.Jobs {
			assert.Positive(t, job.Timeout, "%s: job %s may hang for six hours", file, name)
			for _, s := range job.Steps {
				if s.Uses != "" {
					assert.Regexp(t, `^actions/[a-z-]+@v\d+$`, s.Uses, "%s: official actions, by major version", file)
				}
			}
		}
	}
}

// bootraceLines are the command lines of our own in a script, without bin/bootrace.
func bootraceLines(t *testing.T, script string) [][]string {
	t.Helper()
	var out [][]string
	for line := range strings.Lines(script) {
		words, err := shellwords.Parse(line) // up to a redirection
		require.NoError(t, err, line)
		if len(words) > 0 && words[0] == "bin/bootrace" {
			out = append(out, words[1:])
		}
	}
	return out
}

// understood says why the command would take the line for a mistake.
func understood(root *cobra.Command, line []string) error {
	cmd, rest, err := root.Find(line)
	if err != nil {
		return err
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	return cmd.ValidateArgs(cmd.Flags().Args())
}

func TestTheWorkflowsSayNothingThatTheCommandDoesNotKnow(t *testing.T) {
	t.Parallel()
	verbs := map[string]bool{}
	for file, w := range workflows(t) {
		for _, job := range w.Jobs {
			for _, step := range job.Steps {
				for _, line := range bootraceLines(t, step.Run) {
					verbs[line[0]] = true
					assert.NoError(t, understood(newRoot(streams{}), line), "%s: bootrace %s", file, strings.Join(line, " "))
				}
			}
		}
	}
	for _, verb := range []string{"gate", "verify-certificate", "run", "museum", "report", "doctor"} {
		assert.True(t, verbs[verb], "no workflow has bootrace %s: are the lines still found?", verb)
	}
	for _, rotten := range []string{"gait", "gate --polcy x", "verify-certificate", "report --form"} {
		assert.Error(t, understood(newRoot(streams{}), strings.Fields(rotten)), "bootrace %s", rotten)
	}
}

func TestTheWorkflowsKeepWhatAFailedRunLeaves(t *testing.T) {
	t.Parallel()
	for file, w := range workflows(t) {
		for name, job := range w.Jobs {
			kept := map[string]bool{}
			for _, s := range job.Steps {
				if strings.HasPrefix(s.Uses, "actions/upload-artifact@") || strings.Contains(s.Run, "bin/bootrace report") {
					kept[s.If] = true
					assert.NotEmpty(t, s.If, "%s: job %s: %s%s runs after a success only", file, name, s.Uses, s.Run)
				}
			}
			assert.True(t, kept["${{ !cancelled() }}"], "%s: job %s: nothing is kept of a failure", file, name)
		}
	}
}
