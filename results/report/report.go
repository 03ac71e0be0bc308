// Package report writes a run for the programs and people that look at it
// afterwards: JUnit XML, with a test a case, for CI servers; Markdown, for a
// GitHub step summary, and its annotations; the boots as Chrome trace JSON and as OpenTelemetry
// traces. It knows results and nothing of how they came to be.
//
//	err := report.JUnit(w, run)
//	err := report.Markdown(w, run)
//	err := report.Chrome(w, run)
//	sent, err := report.Collector{URL: "http://localhost:4318/v1/traces"}.Send(ctx, run)
package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"bootrace/results"
)

// The elements of JUnit's XML, as Jenkins, GitLab and GitHub's actions read them.
type (
	suites struct {
		XMLName xml.Name `xml:"testsuites"`
		Name    string   `xml:"name,attr"`
		counts
		Time   string  `xml:"time,attr"`
		Suites []suite `xml:"testsuite"`
	}
	suite struct {
		Name string `xml:"name,attr"`
		counts
		Time       string     `xml:"time,attr"`
		Timestamp  string     `xml:"timestamp,attr"`
		Properties []property `xml:"properties>property"`
		Tested     []tested   `xml:"testcase"`
	}
	counts struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Skipped  int `xml:"skipped,attr"`
	}
	property struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	tested struct {
		Class   string   `xml:"classname,attr"`
		Name    string   `xml:"name,attr"`
		Time    string   `xml:"time,attr"`
		Failure *outcome `xml:"failure"`
		Error   *outcome `xml:"error"`
		Skipped *outcome `xml:"skipped"`
		Out     string   `xml:"system-out,omitempty"`
	}
	outcome struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes a test a case, with its checks as what it printed: it fails where the case came
// out otherwise than expected, is an error where the case could not be judged, and skipped
// where the scenario does not apply. A case that never ran is an error as well.
func JUnit(w io.Writer, r results.Run) error {
	s := suite{Name: "bootrace " + r.ID, Time: seconds(r.Ended.Sub(r.Started)), Timestamp: stamp(r.Started), Properties: []property{
		{"run", r.ID}, {"subject", r.Subject}, {"vector", r.RanVector()},
	}}
	for _, c := range r.Cases {
		s.add(testOf(c))
	}
	if missing := r.Planned - len(r.Cases); missing > 0 {
		s.add(tested{Class: "bootrace", Name: "not run", Time: seconds(0), Error: &outcome{Message: fmt.Sprintf("%d of %d cases never ran", missing, r.Planned)}})
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("write JUnit XML: %w", err)
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(suites{Name: s.Name, counts: s.counts, Time: s.Time, Suites: []suite{s}}); err != nil {
		return fmt.Errorf("write JUnit XML: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (s *suite) add(t tested) {
	s.Tests++
	switch {
	case t.Failure != nil:
		s.Failures++
	case t.Error != nil:
		s.Errors++
	case t.Skipped != nil:
		s.Skipped++
	}
	s.Tested = append(s.Tested, t)
}

func testOf(c results.Case) tested {
	t := tested{Class: strings.Trim(c.Subject+"."+c.Base, "."), Name: c.ID, Time: seconds(c.Duration), Out: printed(c)}
	said := &outcome{Message: fmt.Sprintf("%s, expected %s: %s", c.Verdict, c.Expected, c.Reason), Text: printable(change(c))}
	switch {
	case c.AsExpected():
	case !c.Applies():
		t.Skipped = said
	case c.Unjudged():
		t.Error = said
	default:
		t.Failure = said
	}
	return t
}

// change is what would have to change, if that is known.
func change(c results.Case) string {
	if c.Change() == "" {
		return ""
	}
	return "change: " + c.Change()
}

// printed are the checks of a case, each with what it found.
func printed(c results.Case) string {
	var out strings.Builder
	for _, boot := range c.Boots() {
		if name := boot.Name(); name != "" {
			fmt.Fprintf(&out, "\n%s: %s", name, boot.Verdict)
		}
		for _, check := range boot.Checks {
			fmt.Fprintf(&out, "\n%-14s %s  %s%s", check.Outcome, check.Name, check.Note, findings(check))
		}
	}
	fmt.Fprintf(&out, "\nrecording: %s\n", c.Recording)
	return printable(out.String())
}

// Annotations writes what GitHub shows beside a workflow's run: an error for each case that
// came out otherwise than expected, and one for those that never ran.
func Annotations(w io.Writer, r results.Run) error {
	var out strings.Builder
	for _, c := range r.Cases {
		if c.AsExpected() || !c.Applies() {
			continue
		}
		text := c.Told()
		if c.Change() != "" {
			text += "\n" + change(c)
		}
		fmt.Fprintf(&out, "::error title=%s::%s\n", inProperty(c.Verdict+" "+c.ID), inMessage(text))
	}
	if missing := r.Planned - len(r.Cases); missing > 0 {
		fmt.Fprintf(&out, "::error title=not run::%d of %d cases never ran\n", missing, r.Planned)
	}
	if _, err := io.WriteString(w, out.String()); err != nil {
		return fmt.Errorf("write GitHub's annotations: %w", err)
	}
	return nil
}

// Workflow commands escape what would end them (actions/toolkit, packages/core/src/command.ts).
func inMessage(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

func inProperty(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(s)
}

func first(c results.Check) string {
	if len(c.Findings) == 0 {
		return c.Note
	}
	return c.Findings[0].Summary
}

func findings(c results.Check) string {
	var out strings.Builder
	for _, f := range c.Findings {
		fmt.Fprintf(&out, "\n  %+.3fs %s", f.At.Seconds(), f.Summary)
		for _, e := range f.Evidence {
			fmt.Fprintf(&out, "\n    %s:%d: %s", e.File, e.Line, e.Text)
		}
	}
	return out.String()
}

// printable leaves out what XML 1.0 cannot hold, escapes of a console above all.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || r >= ' ' && r != 0xfffe && r != 0xffff {
			return r
		}
		return -1
	}, s)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", max(0, d.Seconds())) }

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05") }

// Markdown writes a table of the cases, and below it what is otherwise than
// expected with its first finding.
func Markdown(w io.Writer, r results.Run) error {
	var out strings.Builder
	fmt.Fprintf(&out, "## bootrace %s\n\nTested: %s. Vector: %s.\n\n| case | verdict | took | |\n|---|---|---|---|\n", r.ID, cell(r.Tested()), cell(r.RanVector()))
	for _, c := range r.Cases {
		word := c.Verdict
		switch {
		case !c.Applies():
		case !c.AsExpected():
			word = "**" + word + "**"
		case c.Verdict != "pass":
			word += ", as expected"
		}
		fmt.Fprintf(&out, "| %s | %s | %.1f s | %s |\n", cell(c.ID), word, c.Duration.Seconds(), cell(c.Told()))
	}
	if missing := r.Planned - len(r.Cases); missing > 0 {
		fmt.Fprintf(&out, "\n**%d of %d cases never ran.**\n", missing, r.Planned)
	}
	for _, f := range r.Found {
		if f.Problem {
			fmt.Fprintf(&out, "\n**In the image of %s on %s**: %s\n", cell(f.Subject), cell(f.Base), cell(f.Text))
		}
	}
	for _, f := range r.Flaky() {
		fmt.Fprintf(&out, "\n**Flaky: %s**, %d passed and %d failed of the same inputs.\n", cell(f.Inputs), f.Pass, f.Fail)
	}
	for _, c := range r.Cases {
		if c.AsExpected() || !c.Applies() {
			continue
		}
		fmt.Fprintf(&out, "\n### %s: %s\n\n%s\n\n", c.ID, c.Verdict, cell(c.Told()))
		if c.Change() != "" {
			fmt.Fprintf(&out, "**Change**: %s\n\n", cell(c.Change()))
		}
		for _, check := range c.Decided().Checks {
			if check.Outcome == "fail" {
				fmt.Fprintf(&out, "- **%s**: %s\n", check.Name, cell(first(check)))
			}
		}
		fmt.Fprintf(&out, "\nRecording: `%s`\n", c.Recording)
	}
	if _, err := io.WriteString(w, out.String()); err != nil {
		return fmt.Errorf("write Markdown: %w", err)
	}
	return nil
}

// cell keeps a text within its cell.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "\r", " ", "<", "&lt;").Replace(s)
}
