package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"bootrace/harness/explain"
	"bootrace/harness/judge"
	"bootrace/harness/recording"
	"bootrace/harness/run"
	"bootrace/harness/timeline"
	"bootrace/results"
)

// A recording may lie anywhere: without the store, all that is known of its boot is in it.

func isRecording(path string) bool {
	_, err := os.Stat(filepath.Join(path, recording.ManifestFile))
	return err == nil
}

// bareRecording reports whether what a user gave is the directory of a recording, and not a
// case of the store. A path of anything else is an error.
func bareRecording(args []string) (bool, error) {
	if len(args) == 0 || isRecording(args[0]) {
		return len(args) > 0, nil
	}
	if path := args[0]; isDir(path) || filepath.IsAbs(path) || strings.HasPrefix(path, "./") || strings.HasPrefix(path, "../") {
		return false, usage(advice{fmt.Errorf("%s is no recording: there is no %s in it", path, recording.ManifestFile),
			"bootrace show names the directory of each case's recording"})
	}
	return false, nil
}

// bare is the case of a recording: what its boot came to, and the boot.
func bare(dir string) (results.Case, judge.Judgement, error) {
	fsys, _, err := recording.Open(dir)
	if err != nil {
		return results.Case{}, judge.Judgement{}, err
	}
	j, err := judge.Recording(fsys)
	if err != nil {
		return results.Case{}, judge.Judgement{}, fmt.Errorf("%s: %w", dir, err)
	}
	a := run.Judged(dir, j)
	return results.Case{ID: j.Case, Expected: "pass", Verdict: a.Verdict, Reason: a.Reason, Vector: j.Versions["vector"],
		Recording: dir, Attempts: []results.Attempt{a}}, j, nil
}

func showBare(io streams, dir string, asJSON bool) error {
	c, _, err := bare(dir)
	if err != nil {
		return usage(err)
	}
	if asJSON {
		return printJSON(io.out, c)
	}
	fmt.Fprintf(io.out, "%s %s: %s\n", style{io.color}.ofCase(c), c.ID, plain(c.Told()))
	if change := c.Change(); change != "" {
		fmt.Fprintf(io.out, "        change: %s\n", change)
	}
	fmt.Fprintf(io.out, "        Vector: %s\n", results.WithDigest(c.Vector, c.Decided().Versions[results.VersionVectorDigest]))
	fmt.Fprintf(io.out, "        why: bootrace explain %s\n", dir)
	printChecks(io, c, true, "")
	return nil
}

// recorded judges a recording of bootrace, as it was judged live.
func recorded(name, dir string) (judged, error) {
	c, j, err := bare(dir)
	if err != nil {
		return judged{}, err
	}
	out := judged{Host: cmp.Or(name, j.Case), Files: []string{dir}, Verdict: c.Verdict, Headline: c.Reason, Change: c.Change(), Checks: j.Results, from: "a recording of bootrace", picture: c.Decided().Boot}
	if e, ok := explain.Case(c, j.Boot); ok {
		out.Then, out.Notes = e.Then, e.More
		for _, ev := range e.Evidence {
			out.Evidence = append(out.Evidence, timeline.Evidence{File: ev.File, Line: ev.Line, Text: ev.Text})
		}
	}
	return out, nil
}
