package main

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// labelsOf are where a run is made: the host, and in CI the commit, the branch and a link to the
// job, as GitHub and GitLab tell them; and what the user gives, which counts for more.
func labelsOf(given map[string]string) map[string]string {
	labels := map[string]string{}
	put := func(name, value string) {
		if value != "" {
			labels[name] = value
		}
	}
	host, _ := os.Hostname() // without one the others say enough
	put("host", host)
	put("commit", cmp.Or(os.Getenv("GITHUB_SHA"), os.Getenv("CI_COMMIT_SHA")))
	put("branch", cmp.Or(os.Getenv("GITHUB_HEAD_REF"), os.Getenv("GITHUB_REF_NAME"), os.Getenv("CI_COMMIT_REF_NAME")))
	if run := os.Getenv("GITHUB_RUN_ID"); run != "" {
		put("ci", fmt.Sprintf("%s/%s/actions/runs/%s", os.Getenv("GITHUB_SERVER_URL"), os.Getenv("GITHUB_REPOSITORY"), run))
	} else {
		put("ci", os.Getenv("CI_JOB_URL"))
	}
	maps.Copy(labels, given)
	return labels
}

// labelFlag has a verb look at the runs with these labels alone.
func labelFlag(flags *pflag.FlagSet, labels *map[string]string) {
	flags.StringToStringVar(labels, "label", nil, "only runs with `NAME=VALUE`")
}

// labelled is a run's labels in a line.
func labelled(labels map[string]string) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		out = append(out, plain(name+" "+labels[name]))
	}
	return strings.Join(out, ", ")
}
