package page

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"bootrace/results"
)

// kind is what a case came to, as the page tells it: by word and by shape, with
// the colour only in addition.
type kind struct {
	ID   string // of its shape and its class
	Word string
	Bad  bool // someone has to look at it
}

// Kinds, the worst first.
var (
	failed         = kind{"fail", "fail", true}
	unexpectedPass = kind{"surprise", "passes, should fail", true}
	flaky          = kind{"flaky", "flaky", true}
	errored        = kind{"error", "error", true}
	invalid        = kind{"invalid", "invalid", true}
	untestable     = kind{"untestable", "untestable", true}
	notJudged      = kind{"not-judged", "not judged", true} // of a log, which proves no clean boot
	notApplicable  = kind{"not-applicable", "not applicable", false}
	expectedFail   = kind{"expected", "fails as expected", false}
	passed         = kind{"pass", "pass", false}
	notRun         = kind{"notrun", "never ran", true}
)

var kinds = []kind{failed, unexpectedPass, flaky, errored, invalid, untestable, notJudged, notRun, notApplicable, expectedFail, passed}

func kindOf(c results.Case) kind {
	switch {
	case c.Verdict == "pass" && c.AsExpected():
		return passed
	case c.Verdict == "pass":
		return unexpectedPass
	case c.Verdict == "fail" && c.AsExpected():
		return expectedFail
	}
	for _, k := range []kind{failed, flaky, errored, invalid, untestable, notJudged, notApplicable} {
		if c.Verdict == k.ID {
			return k
		}
	}
	return kind{errored.ID, cmp.Or(c.Verdict, "no verdict"), true}
}

// view is the page as its template wants it.
type view struct {
	Page
	Title, Vector, Took string
	Tested              string // empty: a page of hosts' logs
	StandIn             bool
	Unfinished          string
	Counts              []count
	Problems            []problem
	Cases               []caseView
	Trends              []trend
	Trended             any
	Chains              map[string][][3]any // for the script: unit, began, ended in nanoseconds
	CSS                 template.CSS
	JS                  template.JS
	CSSHash, JSHash     string
}

type count struct {
	Kind kind
	N    int
}

// problem is what several cases failed of.
type problem struct {
	Check  string // or, where no check failed, the verdict
	Change string
	Cases  []*caseView
}

// First are the cases that are shown at once.
func (p problem) First() []*caseView { return p.Cases[:min(3, len(p.Cases))] }

// Rest are the others.
func (p problem) Rest() []*caseView { return p.Cases[min(3, len(p.Cases)):] }

type caseView struct {
	results.Case
	N        int // in the page, from 1
	Kind     kind
	Why      *Why
	Summary  string // why, or the reason
	Boot     *results.Boot
	Checks   []results.Check
	Main     *picture
	Others   *picture
	Compared *comparison
	Measures []measure
}

// Open reports whether the case's boot is shown at once. Of the cases that someone
// has to look at these are the first few: more would bury each other, and cost the
// browser as much as all the rest of the page.
func (c caseView) Open() bool { return c.Kind.Bad && c.N <= 5 }

// Row are the case's columns in the table of cases.
func (c caseView) Row() []string {
	out := make([]string, 3)
	for i, name := range []string{results.MeasureMultiUser, results.MeasureCredentials, results.MeasureRestarts} {
		out[i] = notMeasured
		if c.Boot != nil {
			out[i] = value(*c.Boot, name, "")
		}
	}
	return out
}

// measure is a figure of a boot.
type measure struct{ Name, Value string }

func (p Page) view() view {
	r := p.Run
	v := view{Page: p, Vector: r.RanVector(), Trends: p.trends(), Trended: trended, Chains: map[string][][3]any{}}
	v.StandIn = strings.Contains(v.Vector, "stand-in")
	if r.Ended.After(r.Started) {
		v.Took = span(r.Ended.Sub(r.Started))
	}
	for _, c := range r.Cases {
		v.Cases = append(v.Cases, p.caseView(c))
		if b := c.Decided().Boot; b != nil && len(b.Chain) > 0 {
			for _, l := range b.Chain {
				v.Chains[c.ID] = append(v.Chains[c.ID], [3]any{l.Unit, l.Began.Nanoseconds(), l.Ended.Nanoseconds()})
			}
		}
	}
	slices.SortStableFunc(v.Cases, func(a, b caseView) int { return cmp.Compare(a.Kind.rank(), b.Kind.rank()) })
	for i := range v.Cases {
		v.Cases[i].N = i + 1
	}
	v.count()
	v.problems()
	switch missing := r.Planned - len(r.Cases); {
	case r.Ended.IsZero():
		v.Unfinished = fmt.Sprintf("The run has no end: it was cut off, or it goes on. %d of %s ended.", len(r.Cases), plural(r.Planned, "planned case"))
	case missing > 0:
		v.Unfinished = fmt.Sprintf("%d of %s never ran.", missing, plural(r.Planned, "planned case"))
	}
	return v
}

// NotRun is the kind of the cases that there are not.
func (v view) NotRun() kind { return notRun }

// rank is a kind's place among the kinds.
func (k kind) rank() int { return slices.IndexFunc(kinds, func(o kind) bool { return o.ID == k.ID }) }

// count counts the kinds, and says the run in a line.
func (v *view) count() {
	bad := 0
	for _, k := range kinds {
		n := 0
		for _, c := range v.Cases {
			if c.Kind.ID == k.ID {
				n++
			}
		}
		if k == notRun {
			n = max(0, v.Run.Planned-len(v.Run.Cases))
		}
		if n > 0 {
			v.Counts = append(v.Counts, count{k, n})
		}
		if k.Bad {
			bad += n
		}
	}
	all, aside := max(v.Run.Planned, len(v.Run.Cases)), 0
	for _, c := range v.Cases {
		if !c.Applies() {
			aside++
		}
	}
	switch {
	case all == 0:
		v.Title = "Nothing ran"
	case bad == 0 && aside == all:
		v.Title = "No scenario applies to the subject"
	case bad == 0 && aside > 0:
		v.Title = fmt.Sprintf("%s, as expected; %d not applicable", plural(all-aside, "case"), aside)
	case bad == 0:
		v.Title = plural(all, "case") + ", as expected"
	default:
		v.Title = fmt.Sprintf("%d of %s not as expected", bad, plural(all, "case"))
	}
}

// problems gathers the cases that someone has to look at by what they failed of.
func (v *view) problems() {
	for i := range v.Cases {
		c := &v.Cases[i]
		if !c.Kind.Bad {
			continue
		}
		p := problem{Check: c.Kind.Word}
		if c.Why != nil {
			p = problem{Check: c.Why.Check, Change: c.Why.Change}
		}
		at := slices.IndexFunc(v.Problems, func(o problem) bool { return o.Check == p.Check })
		if at < 0 {
			at = len(v.Problems)
			v.Problems = append(v.Problems, p)
		}
		v.Problems[at].Cases = append(v.Problems[at].Cases, c)
	}
}

func (p Page) caseView(c results.Case) caseView {
	v := caseView{Case: c, Kind: kindOf(c), Summary: c.Reason, Boot: c.Decided().Boot, Checks: slices.Clone(c.Decided().Checks)}
	if w, ok := p.Explained[c.ID]; ok {
		v.Why, v.Summary = &w, w.Saw
	}
	slices.SortStableFunc(v.Checks, func(a, b results.Check) int { return cmp.Compare(v.rank(a), v.rank(b)) })
	if v.Boot == nil || v.Boot.End <= 0 { // without a clock there is nothing to draw on
		v.Boot = nil
		return v
	}
	main, others := draw(c, *v.Boot)
	v.Main, v.Others = &main, others
	if cmp, ok := p.against(c); ok {
		v.Compared = &cmp
	}
	v.Measures = figures(*v.Boot)
	return v
}

// rank puts first the check that explains the case, then what a reader came for.
// An outcome that is not known is before all known ones.
func (c caseView) rank(check results.Check) int {
	if c.Why != nil && c.Why.Check == check.Name {
		return -2
	}
	return slices.Index([]string{"fail", "no-evidence", "not-judged", "pass", "not-applicable"}, check.Outcome)
}

// value is a measure as it is shown; one that is absent is not measured.
func value(b results.Boot, name, unit string) string {
	v, ok := b.Measures[name]
	if !ok {
		return notMeasured
	}
	return measured(v, unit)
}

func figures(b results.Boot) []measure {
	lines := value(b, results.MeasureDelivered, "")
	if logged, ok := b.Measures[results.MeasureLines]; ok && lines != notMeasured {
		lines += " of " + number(logged)
	}
	return []measure{
		{"multi-user.target", value(b, results.MeasureMultiUser, "s")},
		{"of the control boot", value(b, results.MeasureControl, "s")},
		{"worker.env to credentials", value(b, results.MeasureCredentials, "s")},
		{"restarts of Vector", value(b, results.MeasureRestarts, "")},
		{"starts left", value(b, results.MeasureHeadroom, "")},
		{"lines delivered", lines},
		{"requests for credentials", value(b, results.MeasureRequests, "")},
	}
}

// span prints how long something took, as people say it.
func span(d time.Duration) string {
	if d < time.Minute {
		return number(float64(d.Round(100*time.Millisecond))/1e9) + " s"
	}
	return d.Round(time.Second).String()
}

// mostSummary bounds a text in a table, in characters.
const mostSummary = 400

var funcs = template.FuncMap{
	"short": func(s string) string { return clip(strings.Join(strings.Fields(s), " "), mostSummary) },
	"clock": clockTime, "span": span, "plural": plural, "word": word, "place": place,
	"took": took, "reached": reached, "middle": middle,
	"dict": func(pairs ...any) map[string]any {
		out := map[string]any{}
		for i := 0; i+1 < len(pairs); i += 2 {
			out[pairs[i].(string)] = pairs[i+1]
		}
		return out
	},
}
