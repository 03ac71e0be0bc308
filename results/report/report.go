// Package report writes a run for the programs and people that look at it
// afterwards: JUnit XML, with a test a check, for CI servers; Markdown, for a
// GitHub step summary; the boots as Chrome trace JSON and as OpenTelemetry
// traces. It knows results and nothing of how they came to be.
//
//	err := report.JUnit(w, run)
//	err := report.Markdown(w, run)
//	err := report.Chrome(w, run)
//	sent, err := report.Collector{URL: "http://localhost:4318/v1/traces"}.Send(ctx, run)
package report

import (
	"cmp"
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
		XMLName  xml.Name `xml:"testsuites"`
		Name     string   `xml:"name,attr"`
		Tests    int      `xml:"tests,attr"`
		Failures int      `xml:"failures,attr"`
		Errors   int      `xml:"errors,attr"`
		Skipped  int      `xml:"skipped,attr"`
		Time     string   `xml:"time,attr"`
		Suites   []suite  `xml:"testsuite"`
	}
	suite struct {
		Name       string     `xml:"name,attr"`
		Tests      int        `xml:"tests,attr"`
		Failures   int        `xml:"failures,attr"`
		Errors     int        `xml:"errors,attr"`
		Skipped    int        `xml:"skipped,attr"`
		Time       string     `xml:"time,attr"`
		Timestamp  string     `xml:"timestamp,attr"`
		Properties []property `xml:"properties>property"`
		Tested     []tested   `xml:"testcase"`
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
	}
	outcome struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes a test suite a case, in it a test a check, and the test verdict:
// it fails where the case came out otherwise than expected, and is an error
// where the case is invalid. A case that never ran is an error as well.
func JUnit(w io.Writer, r results.Run) error {
	all := suites{Name: "bootrace " + r.ID, Time: seconds(r.Ended.Sub(r.Started))}
	for _, c := range r.Cases {
		s := caseSuite(r, c)
		all.Tests, all.Failures, all.Errors, all.Skipped = all.Tests+s.Tests, all.Failures+s.Failures, all.Errors+s.Errors, all.Skipped+s.Skipped
		all.Suites = append(all.Suites, s)
	}
	if missing := r.Planned - len(r.Cases); missing > 0 {
		s := suite{Name: "not run", Timestamp: stamp(r.Started), Time: seconds(0)}
		s.add(tested{Class: "bootrace", Name: "cases", Time: seconds(0), Error: &outcome{Message: fmt.Sprintf("%d of %d cases never ran", missing, r.Planned)}})
		all.Tests, all.Errors = all.Tests+1, all.Errors+1
		all.Suites = append(all.Suites, s)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("write JUnit XML: %w", err)
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(all); err != nil {
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

func caseSuite(r results.Run, c results.Case) suite {
	s := suite{Name: c.ID, Time: seconds(c.Duration), Timestamp: stamp(c.Started), Properties: []property{
		{"run", r.ID}, {"subject", c.Subject}, {"base", c.Base}, {"vector", c.Vector}, {"recording", c.Recording},
	}}
	verdict := tested{Class: c.ID, Name: "verdict", Time: seconds(c.Duration)}
	said := &outcome{Message: fmt.Sprintf("%s, expected %s: %s", c.Verdict, c.Expected, c.Reason), Text: "recording: " + c.Recording}
	switch {
	case c.AsExpected():
	case !c.Applies():
		verdict.Skipped = said
	case c.Unjudged():
		verdict.Error = said
	default:
		verdict.Failure = said
	}
	s.add(verdict)
	for _, boot := range c.Boots() {
		class := strings.TrimSuffix(c.ID+", "+boot.Name(), ", ")
		for _, check := range boot.Checks {
			t := tested{Class: class, Name: check.Name, Time: seconds(0)}
			switch {
			case check.Outcome == "pass":
			case check.Outcome == "fail" && c.Expected == "fail" && c.AsExpected():
				t.Skipped = &outcome{Message: "fails as expected"}
			case check.Outcome == "fail" && c.Unjudged(): // the verdict is an error already
				t.Skipped = &outcome{Message: "not judged: " + first(check)}
			case check.Outcome == "fail":
				t.Failure = &outcome{Message: first(check), Text: findings(check)}
			case check.Outcome == "not-applicable":
				t.Skipped = &outcome{Message: check.Note}
			case check.Outcome == "not-judged":
				t.Skipped = &outcome{Message: "not judged: " + check.Note}
			default:
				t.Error = &outcome{Message: cmp.Or(check.Note, check.Outcome)}
			}
			s.add(t)
		}
	}
	return s
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
		fmt.Fprintf(&out, "\n%+.3fs %s\n", f.At.Seconds(), f.Summary)
		for _, e := range f.Evidence {
			fmt.Fprintf(&out, "  %s:%d: %s\n", e.File, e.Line, e.Text)
		}
	}
	return printable(out.String())
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
	fmt.Fprintf(&out, "## bootrace %s\n\nSubject %s. Vector: %s.\n\n| case | verdict | took | |\n|---|---|---|---|\n", r.ID, cell(r.Subject), cell(r.RanVector()))
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
		fmt.Fprintf(&out, "\n### %s: %s\n\n", c.ID, c.Verdict)
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
