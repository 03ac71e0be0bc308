package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"bootrace/harness/boot"
	"bootrace/harness/capsule"
	"bootrace/harness/check"
	"bootrace/harness/explain"
	"bootrace/harness/judge"
	"bootrace/harness/timeline"
	"bootrace/harness/verdict"
	"bootrace/results"
	"bootrace/scenarios"
)

func judgeCommand(io streams) *cobra.Command {
	j := judging{io: io}
	cmd := &cobra.Command{
		Use: "judge FILE...|DIR|-", Short: "Judge a boot that was recorded anywhere: a journal, a console, a cloud-init log",
		Long: `judge reads what a host kept of its boot: journalctl in any output form (-o export and
json say most; packed or not), syslog, dmesg, a serial console, cloud-init.log,
cloud-init analyze dump, systemd-analyze critical-chain, plot and dump, what a log store or
a cloud exports of them (JSON, a table), a .journal file where journalctl is, or a recording
or a capsule of bootrace. Several files are of one boot, unless
they say otherwise. A directory is a fleet: each file or directory in it a host.

What is wrong is said with its line, the cause first. A log cannot prove that nothing is:
then the answer is not-judged, with what it does not show.

Exit codes: 0 a recording that passes, 1 something failed, 2 usage or no log of a boot,
3 not judged.`,
		Example: "  journalctl -b -o export | bootrace judge -\n  bootrace judge console.txt journal.txt\n  bootrace judge --boot -1 all-boots.json.zst\n  bootrace judge ./hosts",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && capsule.Is(args[0]) {
				return lookInto(args[0], func(c capsule.Capsule) error { return j.run(cmd.Context(), []string{c.Recording()}) })
			}
			return j.run(cmd.Context(), args)
		},
	}
	cmd.Flags().StringVar(&j.boot, "boot", "", "of several boots in a file: its number from 1, as with journalctl 0 for the last and -1 for the one before, or its ID (default: all, the worst explained)")
	cmd.Flags().StringVar(&j.control, "control", "", "a log of the same image's boot as it should be, to compare multi-user.target with")
	cmd.Flags().BoolVar(&j.asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&j.html, "html", false, "print a page for a browser")
	return cmd
}

// judging is one call of judge.
type judging struct {
	io            streams
	boot, control string
	asJSON, html  bool
	expected      boot.Control
}

// judged is one boot and what was said of it.
type judged struct {
	Host     string              `json:"host"`
	Boot     string              `json:"boot,omitempty"`
	Files    []string            `json:"files"`
	Verdict  string              `json:"verdict"`
	Headline string              `json:"headline"`
	Then     []string            `json:"then,omitempty"`
	Notes    []string            `json:"notes,omitempty"`
	Change   string              `json:"change,omitempty"`
	Evidence []timeline.Evidence `json:"evidence,omitempty"`
	Checks   []check.Result      `json:"checks,omitempty"`
	from     string
	picture  *results.Boot
}

// limits are those of scenarios, where they say nothing else.
func limits() check.Limits {
	return check.Limits{BootBudget: scenarios.BootBudget, CredentialsWithin: scenarios.CredentialsWithin}
}

func (j *judging) run(ctx context.Context, args []string) error {
	if j.control != "" {
		if err := j.readControl(ctx); err != nil {
			return usage(err)
		}
	}
	var all []judged
	var strange []error
	fleet := false
	if dir := args[0]; len(args) == 1 && isDir(dir) && !isRecording(dir) {
		fleet = true
		entries, err := os.ReadDir(dir)
		if err != nil {
			return usage(err)
		}
		all, strange = j.hosts(ctx, dir, entries)
		if len(all) == 0 {
			return usage(advice{fmt.Errorf("%s: no file in it is a log of a boot%s", dir, first(strange)), "give a directory with a file, or a directory, for each host"})
		}
	} else {
		found, err := j.host(ctx, "", args...)
		if a := (adviser)(nil); errors.As(err, &a) {
			return usage(err)
		}
		if err != nil {
			return usage(advice{err, "give what journalctl -b -o export printed, a serial console, or cloud-init.log; bootrace judge --help lists the forms"})
		}
		all = found
	}
	slices.SortStableFunc(all, func(x, y judged) int { return worse(y.Verdict) - worse(x.Verdict) })
	if err := j.print(all, strange, fleet); err != nil {
		return err
	}
	switch verdict.Verdict(all[0].Verdict) {
	case verdict.Pass:
		return nil
	case verdict.Fail:
		return exitError{exitFailure, nil}
	}
	return exitError{exitInvalid, nil}
}

// hosts judges the hosts of a fleet, as many at once as there are processors.
func (j *judging) hosts(ctx context.Context, dir string, entries []os.DirEntry) (all []judged, strange []error) {
	found, errs := make([][]judged, len(entries)), make([]error, len(entries))
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for i, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		slots <- struct{}{}
		wg.Go(func() {
			found[i], errs[i] = j.host(ctx, e.Name(), filepath.Join(dir, e.Name()))
			<-slots
		})
	}
	wg.Wait()
	for i := range entries {
		all = append(all, found[i]...)
		if errs[i] != nil {
			strange = append(strange, errs[i])
		}
	}
	return all, strange
}

func first(errs []error) string {
	if len(errs) == 0 {
		return ""
	}
	return ": " + errs[0].Error()
}

func worse(v string) int {
	return slices.Index([]string{"pass", "not-judged", "not-applicable", "untestable", "invalid", "error", "flaky", "fail"}, v)
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// host judges the boots of one host, whose files these are.
func (j *judging) host(ctx context.Context, name string, paths ...string) ([]judged, error) {
	var files []timeline.LogFile
	var out []judged
	for _, path := range paths {
		if isRecording(path) {
			r, err := recorded(name, path)
			if err != nil {
				return nil, err
			}
			out = append(out, r)
			continue
		}
		more, err := j.filesOf(path)
		if err != nil {
			return nil, err
		}
		files = append(files, more...)
	}
	if len(files) == 0 && len(out) == 0 {
		return nil, fmt.Errorf("%s: a directory without a file", cmp.Or(name, strings.Join(paths, ", ")))
	}
	boots, err := timeline.ReadLogs(ctx, files)
	if err != nil && (len(paths) > 1 || len(boots) == 0) {
		return out, err
	}
	kept, err := j.chosen(boots)
	if err != nil {
		return out, err
	}
	for _, b := range kept {
		out = append(out, j.one(name, b, len(boots)))
	}
	return out, nil
}

// filesOf are a file, or those in a host's directory.
func (j *judging) filesOf(path string) ([]timeline.LogFile, error) {
	if !isDir(path) {
		return []timeline.LogFile{j.file(path)}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var out []timeline.LogFile
	for _, e := range entries {
		if e.Type().IsRegular() && !strings.HasPrefix(e.Name(), ".") {
			out = append(out, openFile(filepath.Join(path, e.Name()), e.Name()))
		}
	}
	return out, nil
}

func (j *judging) file(path string) timeline.LogFile {
	if path == "-" {
		return timeline.LogFile{Name: "stdin", Open: func() (io.ReadCloser, error) { return io.NopCloser(j.io.in), nil }}
	}
	return openFile(path, filepath.Base(path))
}

func openFile(path, name string) timeline.LogFile {
	return timeline.LogFile{Name: name, Open: func() (io.ReadCloser, error) { return os.Open(path) }}
}

// numbered is a boot with its place in the file.
type numbered struct {
	n   int
	log *timeline.BootLog
}

// chosen are the boots that --boot names.
func (j *judging) chosen(boots []*timeline.BootLog) ([]numbered, error) {
	var all []numbered
	for i, b := range boots {
		all = append(all, numbered{i + 1, b})
	}
	if j.boot == "" || len(all) == 0 {
		return all, nil
	}
	if n, err := strconv.Atoi(j.boot); err == nil && len(j.boot) < 6 {
		if n--; n < 0 { // 0 is the last, -1 the one before, as with journalctl
			n += len(all)
		}
		if n < 0 || n >= len(all) {
			return nil, j.noSuchBoot(fmt.Sprintf("there are %d boots", len(all)))
		}
		return all[n : n+1], nil
	}
	for _, b := range all {
		if id := b.log.ID(); id != "" && strings.HasPrefix(id, j.boot) {
			return []numbered{b}, nil
		}
	}
	return nil, j.noSuchBoot(fmt.Sprintf("no boot has that ID; there are %d boots", len(all)))
}

func (j *judging) noSuchBoot(why string) error {
	return advice{fmt.Errorf("--boot %s: %s", j.boot, why), "without --boot all are listed"}
}

func (j *judging) one(name string, b numbered, of int) judged {
	tl := b.log.Timeline()
	verdict := judge.Log(tl, limits(), j.expected)
	story := explain.Log(verdict.Boot, verdict.Results)
	out := judged{Host: cmp.Or(name, tl.Origin.Host, tl.Origin.Files[0].Name), Verdict: string(verdict.Verdict), Headline: story.Headline, Then: story.Then, Notes: story.Notes,
		Change: story.Change, Evidence: story.Evidence, Checks: verdict.Results, from: tl.Origin.String()}
	if j.html {
		out.picture = pictureOf(verdict)
	}
	for _, f := range tl.Origin.Files {
		out.Files = append(out.Files, f.Name)
	}
	if of > 1 {
		out.Boot = fmt.Sprintf("boot %d of %d", b.n, of)
		if id := tl.Origin.Boot; id != "" {
			out.Boot += " " + id[:min(8, len(id))]
		}
	}
	return out
}

// readControl takes from the control boot's log when multi-user.target was reached.
func (j *judging) readControl(ctx context.Context) error {
	boots, err := timeline.ReadLogs(ctx, []timeline.LogFile{openFile(j.control, filepath.Base(j.control))})
	if err != nil {
		return fmt.Errorf("--control: %w", err)
	}
	tl := boots[len(boots)-1].Timeline()
	up, ok := boot.Of(tl).Reached(boot.MultiUser).First()
	switch {
	case !tl.Origin.Begins:
		return fmt.Errorf("--control %s: PID 1's first words are not in it, so nothing can be counted from them", j.control)
	case !ok || tl.Origin.NoClock:
		return fmt.Errorf("--control %s: it does not say when multi-user.target was reached", j.control)
	}
	j.expected.MultiUser = up.At
	return nil
}
