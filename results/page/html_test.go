package page

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"bootrace/results"
)

// read writes a page and reads it as a browser does.
func read(t *testing.T, p Page) (text string, doc *html.Node) {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, HTML(&out, p))
	doc, err := html.Parse(&out)
	require.NoError(t, err)
	return contents(doc), doc
}

// contents is the text of a node, scripts and styles apart.
func contents(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	if n.Data == "script" || n.Data == "style" {
		return ""
	}
	var out strings.Builder
	for c := range n.ChildNodes() {
		out.WriteString(contents(c))
	}
	return out.String()
}

// elements counts the elements of each name; attributes gathers those of one.
func elements(doc *html.Node) map[string]int {
	out := map[string]int{}
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode {
			out[n.Data]++
		}
	}
	return out
}

func attributes(doc *html.Node, name string) (out []string) {
	for n := range doc.Descendants() {
		for _, a := range n.Attr {
			if a.Key == name {
				out = append(out, a.Val)
			}
		}
	}
	return out
}

func TestThePageSaysFirstWhatFailedAndWhy(t *testing.T) {
	text, doc := read(t, nightly())
	assert.Equal(t, 1, elements(doc)["h1"])
	at := 0
	for _, s := range []string{"9 of 12 cases not as expected", "2 fail", "1 passes, should fail", "1 flaky", "1 error", "1 invalid", "3 never ran", "1 fails as expected", "2 pass",
		standIn, "Not the real Vector.", "3 of 12 planned cases never ran.", "What failed, and why", "boot-unblocked", "multi-user.target not reached", "let the unit's start end before",
		"no-start-limit", "StartLimitIntervalSec=0", "Every case that ended, the worst first"} {
		i := strings.Index(text[at:], s)
		require.GreaterOrEqual(t, i, 0, "%q is not behind what should be before it", s)
		at += i
	}
	for _, s := range []string{"fails as expected", "its limit is 5 starts in 10s", "the machine could not be created: no space left on device", "the host was busy: PSI 61% in 10 s",
		"journal.json.gz:214", "There is no picture", "the journal could not be read", "not measured"} {
		assert.True(t, strings.Contains(text[at:], s), s)
	}
}

func TestTheTitleIsTheVerdict(t *testing.T) {
	one := func(c results.Case, planned int) Page {
		return Page{Run: results.Run{ID: "r", Planned: planned, Started: began, Ended: began.Add(time.Minute), Cases: []results.Case{c}}}
	}
	for name, tc := range map[string]struct {
		page Page
		want string
		not  string
	}{
		"passed":             {one(booted("a", "pass", "pass", "", goodBoot(0)), 1), "1 case, as expected", "What failed"},
		"failed as expected": {one(booted("a", "fail", "fail", "", goodBoot(0)), 1), "1 case, as expected", "What failed"},
		"failed":             {one(booted("a", "pass", "fail", "", goodBoot(0)), 1), "1 of 1 case not as expected", ""},
		"passed, should not": {one(booted("a", "fail", "pass", "", goodBoot(0)), 1), "1 of 1 case not as expected", ""},
		"invalid":            {one(booted("a", "pass", "invalid", "", nil), 1), "1 of 1 case not as expected", ""},
		"untestable":         {one(booted("a", "pass", "untestable", "", nil), 1), "1 of 1 case not as expected", ""},
		"not applicable":     {one(booted("a", "pass", "not-applicable", "", nil), 1), "No scenario applies to the subject", "as expected"},
		"some word":          {one(booted("a", "pass", "splendid", "", nil), 1), "1 of 1 case not as expected", ""},
		"no word":            {one(booted("a", "pass", "", "", nil), 1), "no verdict", ""},
		"one never ran":      {one(booted("a", "pass", "pass", "", nil), 2), "1 of 2 cases not as expected", ""},
		"nothing ran":        {Page{Run: results.Run{ID: "r", Started: began, Ended: began}}, "Nothing ran", ""},
		"nothing at all":     {Page{}, "The run has no end", ""},
	} {
		t.Run(name, func(t *testing.T) {
			text, _ := read(t, tc.page)
			assert.True(t, strings.Contains(text, tc.want), tc.want)
			assert.False(t, tc.not != "" && strings.Contains(text, tc.not), tc.not)
		})
	}
}

func TestRepetitionsThatDifferAreCalledFlaky(t *testing.T) {
	first, second := booted("a", "pass", "pass", "", nil), booted("a", "pass", "fail", "", nil)
	second.ID = "a@trixie#2"
	p := Page{Run: results.Run{ID: "r", Planned: 2, Started: began, Ended: began, Cases: []results.Case{first, second}}}
	text, _ := read(t, p)
	assert.Contains(t, text, "Flaky: a@trixie. 1 passed and 1 failed of the same inputs.")
	p.Run.Cases[1].Verdict = "pass"
	text, _ = read(t, p)
	assert.NotContains(t, text, "Flaky")
}

// Unit names and journal lines are whatever the machine wrote.
var hostile = []string{
	`</script><img src=x onerror="alert(1)">`, `"><svg onload=alert(1)>`, `' onmouseover='alert(1)`, `javascript:alert(1)`, `]]></style><script>alert(1)</script>`, `{{.Run}}`, `<!--`, `</title></svg><iframe>`,
	"\x1b[31mred\x1b[0m", "nul\x00nul", "bell\x07\x7f\u009b", "\u202egnirts\u202c", "zero\u200bwidth\ufeff", "line\u2028sep", "bad utf8 \xff\xfe", strings.Repeat("long", 100_000), strings.Repeat("ẞ", 5000),
}

// withText is a page that has the text everywhere.
func withText(s string) Page {
	boot := goodBoot(0)
	for i := range boot.Events {
		if i%2 == 0 {
			boot.Events[i].Name = s
		}
		boot.Events[i].Text = s
	}
	boot.Chain[1].Unit = s
	c := booted(s, "pass", "fail", s, boot, "no-start-limit")
	c.ID, c.Vector, c.Recording, c.Kept, c.Backend = s, s, s, s, s
	c.Attempts[0].Recording, c.Attempts[0].Reason = s, s
	check := &c.Attempts[0].Checks[5]
	check.Note, check.Name = s, s
	check.Findings = []results.Finding{{Summary: s, Unit: s, Evidence: []results.Evidence{{File: s, Text: s}}}}
	c.Attempts = append(c.Attempts, results.Attempt{Verdict: s, Reason: s, Recording: "other"})
	again := c
	again.ID = "again"
	return Page{Run: results.Run{ID: s, Subject: s, Vector: s, Dir: s, Started: began, Planned: 3, Cases: []results.Case{c, again}}, Explained: map[string]Why{s: {s, s, []string{s}, []string{s}, s}},
		Trends:  []results.Sample{{Run: s, Started: began, Scenario: c.Scenario, Base: c.Base, Subject: c.Subject, Backend: s, Verdict: s, Measures: map[string]float64{results.MeasureMultiUser: 1}}},
		Against: results.Run{ID: s, Cases: []results.Case{c}}}
}

// acting are characters that act on whoever shows them.
var acting = regexp.MustCompile("[\x00-\x08\x0b-\x1f\x7f\u0080-\u009f\u200b\u202a-\u202e\u2028\u2066-\u2069\ufeff]")

func TestWhatARunHoldsIsTextAndNothingElse(t *testing.T) {
	_, plain := read(t, withText("harmless"))
	want := elements(plain)
	require.Greater(t, want["use"], 5)
	for _, s := range hostile {
		t.Run(clip(s, 30), func(t *testing.T) {
			var out bytes.Buffer
			require.NoError(t, HTML(&out, withText(s)))
			assert.Empty(t, acting.FindString(out.String()))
			assert.True(t, utf8.Valid(out.Bytes()))
			assert.Less(t, out.Len(), 3_000_000, "what is long is cut")
			doc, err := html.Parse(&out)
			require.NoError(t, err)
			got := elements(doc)
			for _, name := range []string{"script", "style", "img", "iframe", "section", "table", "details", "caption"} {
				assert.Equal(t, want[name], got[name], name)
			}
			for n := range doc.Descendants() {
				for _, a := range n.Attr {
					assert.False(t, strings.HasPrefix(a.Key, "on"), "%s has %s", n.Data, a.Key)
					if a.Key == "href" {
						assert.Regexp(t, `^#[a-z0-9-]+$|^data:,$`, a.Val)
					}
				}
			}
		})
	}
}

func TestABootWithoutAClockIsNotDrawn(t *testing.T) {
	for _, boot := range []*results.Boot{nil, {}} {
		text, doc := read(t, Page{Run: results.Run{ID: "r", Planned: 1, Cases: []results.Case{booted("a", "pass", "invalid", "no manifest", boot)}}})
		assert.True(t, strings.Contains(text, "There is no picture"))
		assert.NotContains(t, attributes(doc, "role"), "img")
	}
}

func TestControlCharactersAreMadeVisible(t *testing.T) {
	for in, want := range map[string]string{
		"plain\n\tümlaut 漢字": "plain\n\tümlaut 漢字", "\x1b[0m": "␛[0m", "\x07\r": "␇␍", "\u202e": "⟨U+202E⟩", "\u00ad": "⟨U+00AD⟩", "\x7f": "⟨U+007F⟩", "a\xffb": `a\xffb`, "\ufffd": "\ufffd",
	} {
		assert.Equal(t, want, string(visible([]byte(in))))
	}
}

func TestThePageNeedsNothingElse(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, HTML(&out, nightly()))
	doc, err := html.Parse(bytes.NewReader(out.Bytes()))
	require.NoError(t, err)
	assert.Empty(t, regexp.MustCompile(`(?i)https?:|@import|url\(["']?[^#)]`).FindString(out.String()))
	got := elements(doc)
	assert.Zero(t, got["img"]+got["iframe"]+got["object"]+got["embed"]+got["video"]+got["base"])
	assert.Equal(t, []string{"icon"}, attributes(doc, "rel"))
	assert.Empty(t, attributes(doc, "src"))
	assert.Empty(t, attributes(doc, "style"), "which the policy forbids")
	require.Regexp(t, `^default-src 'none'; style-src 'sha256-\S+'; script-src 'sha256-\S+'; img-src data:; base-uri 'none'; form-action 'none'$`, attributes(doc, "content")[0])
}

// Ids are unique and references lead somewhere; tables have captions and scopes,
// pictures names, and headings no gaps.
func TestThePageIsWellFormedForThoseWhoDoNotSeeIt(t *testing.T) {
	_, doc := read(t, nightly())
	ids := map[string]bool{}
	for _, id := range attributes(doc, "id") {
		require.False(t, ids[id], "id %s twice", id)
		ids[id] = true
	}
	for _, name := range []string{"aria-labelledby", "href"} {
		for _, v := range attributes(doc, name) {
			for ref := range strings.FieldsSeq(v) {
				if ref != "data:," {
					assert.True(t, ids[strings.TrimPrefix(ref, "#")], "%s %s leads nowhere", name, ref)
				}
			}
		}
	}
	level := 0
	for n := range doc.Descendants() {
		switch {
		case n.Type != html.ElementNode:
		case n.Data == "table":
			assert.Equal(t, 1, elements(n)["caption"])
			assert.Positive(t, elements(n)["th"])
		case n.Data == "th":
			assert.Contains(t, attributes(&html.Node{FirstChild: n, LastChild: n}, "scope"), n.Attr[0].Val)
		case regexp.MustCompile(`^h[1-6]$`).MatchString(n.Data):
			now := int(n.Data[1] - '0')
			assert.LessOrEqual(t, now, level+1, "a heading %s after h%d", n.Data, level)
			level = now
		}
	}
}

func TestAWriterThatFailsIsAnError(t *testing.T) {
	r, w := io.Pipe()
	require.NoError(t, r.CloseWithError(errors.New("no space left")))
	assert.ErrorContains(t, HTML(w, nightly()), "write HTML of run 20260102-030405-aaaa: no space left")
}

func TestWhatDoesNotApplyIsSetAsideAndNamed(t *testing.T) {
	t.Parallel()
	text, _ := read(t, Page{Run: results.Run{ID: "r", Planned: 2, Cases: []results.Case{
		booted("a", "pass", "pass", "", goodBoot(0)), booted("b", "pass", "not-applicable", "there is no such unit", nil),
	}}})
	assert.Contains(t, text, "1 case, as expected; 1 not applicable")
	assert.Contains(t, text, "there is no such unit")
	text, _ = read(t, Page{Run: results.Run{ID: "r", Planned: 1, Cases: []results.Case{booted("a", "pass", "pass", "", goodBoot(0))},
		Found: []results.ImageFinding{{Subject: "mine", Base: "trixie", Problem: true, Text: "worker.env is in the image"}, {Text: "only a note"}}}})
	assert.Contains(t, text, "worker.env is in the image")
	assert.NotContains(t, text, "only a note")
}
