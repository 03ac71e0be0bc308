package page

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheBrowserIsHeardWhenItComplains(t *testing.T) {
	b := newTab(t, browser(t))
	file := filepath.Join(t.TempDir(), "bad.html")
	require.NoError(t, os.WriteFile(file, []byte(`<img src="http://127.0.0.1:9/x.png"><script>console.error("no"); nosuch()</script>`), 0o600))
	b.visit(file)
	got := strings.Join(b.complained(), "\n")
	for _, want := range []string{"request: http://127.0.0.1:9/x.png", "console.error", "exception: Uncaught"} {
		assert.Contains(t, got, want)
	}
}

func TestInABrowser(t *testing.T) {
	chromium := browser(t)
	for name, test := range map[string]func(*testing.T, *tab){
		"forty cases load without a request or an error": func(t *testing.T, b *tab) {
			b.show(forty(300))
			assert.Empty(t, b.complained())
			assert.Equal(t, 40, eval[int](b, `document.querySelectorAll('.case').length`))
		},
		"what a machine wrote is not run": func(t *testing.T, b *tab) {
			for _, s := range hostile {
				b.show(withText(s))
				assert.Empty(t, b.complained(), clip(s, 40))
				assert.Equal(t, 3, eval[int](b, `document.scripts.length + document.querySelectorAll('iframe, img').length + document.styleSheets.length`), clip(s, 40))
			}
		},
		"text and marks stand out in light and in dark": testContrast,
		"a narrow screen scrolls in one direction":      testNarrow,
		"it prints":                                   testPrint,
		"the keyboard is enough":                      testKeyboard,
		"a screen reader finds its way":               testTree,
		"it is whole without scripts":                 testWithoutScripts,
		"a chain can be compared with another boot's": testChains,
		"a link to a case opens it and goes there":    testLinks,
	} {
		t.Run(name, func(t *testing.T) { test(t, newTab(t, chromium)) })
	}
}

// tooFaint finds texts, and marks of pictures, that do not stand out from what
// is behind them: WCAG 2.2, 1.4.3 (4.5 to 1, large text 3 to 1) and 1.4.11 (3 to 1).
const tooFaint = `(() => {
  const rgb = c => { const m = c.match(/[\d.]+/g); return m && (m.length < 4 || +m[3] > 0) ? m.slice(0, 3).map(Number) : null };
  const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b };
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + .05) / (y + .05) };
  const behind = el => { for (; el; el = el.parentElement) { const c = rgb(getComputedStyle(el).backgroundColor); if (c) return c } return [255, 255, 255] };
  const squeezed = rgb(getComputedStyle(document.querySelector('.pause')).fill);
  const bad = new Set(), seen = new Set();
  for (const el of document.querySelectorAll('body *')) {
    const s = getComputedStyle(el), svg = el instanceof SVGElement;
    const own = [...el.childNodes].some(n => n.nodeType === 3 && n.data.trim()) && !el.closest('script, style, title, desc');
    const check = (colour, back, least, what) => {
      const c = rgb(colour), key = [what, colour, back, least].join();
      if (!c || seen.has(key)) return;
      seen.add(key);
      if (ratio(c, back) < least) bad.add(what + ' ' + el.tagName + '.' + el.getAttribute('class') + ' ' + ratio(c, back).toFixed(2));
    };
    const large = parseFloat(s.fontSize) >= 24 || parseFloat(s.fontSize) >= 18.66 && +s.fontWeight >= 600;
    if (own && !svg) check(s.color, behind(el), large ? 3 : 4.5, 'text');
    if (own && svg) for (const back of [behind(el), squeezed]) check(s.fill, back, 4.5, 'text');
    if (svg && el.matches('.s, .a, .r, .this, .that, .here')) check(s.fill, behind(el), 3, 'mark');
    if (svg && el.matches('.failed, .bad, .moment, .v')) check(s.color, behind(el), 3, 'mark');
    if (svg && el.matches('.w, .p, .o, .logged, .delivered, .line, .wrong, .edge')) check(s.stroke, behind(el), 3, 'mark');
  }
  return [seen.size, ...bad];
})()`

func testContrast(t *testing.T, b *tab) {
	b.show(nightly())
	for _, scheme := range []string{"light", "dark"} {
		b.media("", scheme)
		dark := eval[string](b, `getComputedStyle(document.documentElement).backgroundColor`) != "rgb(255, 255, 255)"
		assert.Equal(t, scheme == "dark", dark)
		got := eval[[]any](b, tooFaint)
		assert.Greater(t, got[0], 20.0, "styles that were looked at")
		assert.Empty(t, got[1:], scheme)
	}
	eval[any](b, `document.querySelector('h1').style.color = '#444', document.querySelector('.a').style.fill = '#222', 1`)
	assert.Len(t, eval[[]any](b, tooFaint), 3, "what is faint is found")
}

// wide are the elements that reach beyond the right edge, and are not within one
// that scrolls by itself.
const wide = `[...document.querySelectorAll('body *')].filter(e => e.checkVisibility() && !e.closest('.defs, .skip') &&
  e.getBoundingClientRect().right > document.documentElement.clientWidth + 1 &&
  !(e.parentElement.closest('.scroll') && getComputedStyle(e.parentElement.closest('.scroll')).overflowX === 'auto')).map(e => e.tagName + '.' + e.getAttribute('class'))`

const openAll = `document.querySelectorAll('details').forEach(d => { d.open = true }), 1`

// hidden are the tables of what must be read that scroll by themselves.
const hidden = `[...document.querySelectorAll('.cases, .checks')].filter(e => e.parentElement.scrollWidth > e.parentElement.clientWidth + 1).map(e => e.className)`

func testNarrow(t *testing.T, b *tab) {
	for _, px := range []int64{390, 768, 1400, 1920} {
		b.width(px)
		b.show(nightly())
		eval[any](b, openAll)
		assert.Empty(t, eval[[]string](b, hidden), "%d px", px)
	}
	eval[any](b, `document.querySelector('.cases').style.minWidth = '3000px', 1`)
	assert.Equal(t, []string{"cases"}, eval[[]string](b, hidden), "what is hidden is found")
	b.width(320)
	for _, p := range []Page{nightly(), withText(strings.Repeat("long", 1000))} {
		b.show(p)
		eval[any](b, openAll)
		assert.Equal(t, 320, eval[int](b, `document.documentElement.scrollWidth`))
		assert.Empty(t, eval[[]string](b, wide))
		assert.Empty(t, eval[[]string](b, cut))
	}
	b.show(nightly())
	for range 60 { // what scrolls by itself is reached by keyboard
		if b.press(kb.Tab); eval[bool](b, `document.activeElement.matches('.scroll')`) {
			break
		}
	}
	assert.True(t, eval[bool](b, `document.activeElement.matches('.scroll') && document.activeElement.scrollWidth > document.activeElement.clientWidth`))
	eval[any](b, `document.querySelector('h1').style.width = '400px', 1`)
	assert.NotEmpty(t, eval[[]string](b, wide), "what is too wide is found")
}

// cut are the texts of pictures that do not fit into them.
const cut = `[...document.querySelectorAll('svg[role=img] text')].filter(e => { const b = e.getBBox(), v = e.ownerSVGElement.viewBox.baseVal;
  return b.x < 0 || b.x + b.width > v.width }).map(e => e.textContent)`

func testPrint(t *testing.T, b *tab) {
	b.show(nightly())
	b.width(720) // A4 less its margins
	b.media("print", "dark")
	assert.Equal(t, "rgb(255, 255, 255)", eval[string](b, `getComputedStyle(document.documentElement).backgroundColor`))
	assert.Empty(t, eval[[]string](b, wide))
	assert.Empty(t, eval[[]string](b, `[...document.querySelectorAll('.scroll, .evidence')].filter(e => e.checkVisibility() && getComputedStyle(e).overflowX !== 'visible' && e.scrollWidth > e.clientWidth).map(e => e.textContent.slice(0, 80))`))
	hidden := eval[[]string](b, `[...document.querySelectorAll('details table, details svg[role=img], details li')].filter(e => !e.getBoundingClientRect().height).map(e => e.closest('.events') ? 'events of ' + e.closest('.case').className : e.outerHTML.slice(0, 80))`)
	for _, h := range hidden {
		assert.Regexp(t, `^events of case of-(pass|expected)$`, h)
	}
	pdf, err := chromedp.Run(b.ctx, chromedp.PrintToPDF(chromedp.PDFPrintBackground()))
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(string(pdf), "%PDF-"))
	assert.Greater(t, strings.Count(string(pdf), "/Type /Page\n"), 5)
}

const focused = `(e => e.closest('.case > h3') ? e.textContent.trim().split(/\s+/).pop() : e.id || e.className || e.tagName)(document.activeElement)`

func testKeyboard(t *testing.T, b *tab) {
	b.show(nightly())
	b.press(kb.Tab)
	assert.Equal(t, "skip", eval[string](b, focused))
	assert.Positive(t, eval[float64](b, `document.activeElement.getBoundingClientRect().right`), "it is seen when it has the focus")
	b.press(kb.Enter)
	assert.Equal(t, "main", eval[string](b, focused))
	for range 40 {
		b.press(kb.Tab)
		assert.True(t, eval[bool](b, `document.activeElement.matches(':focus-visible') && getComputedStyle(document.activeElement).outlineStyle !== 'none'`), eval[string](b, focused))
	}

	b.show(nightly())
	step := func(key, want string) {
		t.Helper()
		b.press(key)
		assert.Equal(t, want, eval[string](b, focused))
	}
	step("j", "delay-0s@trixie#1")
	assert.True(t, eval[bool](b, `(r => r.top >= 0 && r.bottom <= innerHeight)(document.activeElement.getBoundingClientRect())`), "it is seen")
	step("j", "imds-503@trixie#1")
	step("j", "museum-pr254@trixie#1")
	step("k", "imds-503@trixie#1")
	open := `document.activeElement.parentNode.querySelector('.boot').open`
	assert.True(t, eval[bool](b, open))
	b.press(kb.Enter)
	assert.False(t, eval[bool](b, open))
	b.press(kb.Enter)
	assert.True(t, eval[bool](b, open))
	b.press("?")
	assert.True(t, eval[bool](b, `document.querySelector('#keys').open && document.querySelector('#keys').contains(document.activeElement)`))
	step("j", "single")
	b.press(kb.Escape)
	assert.False(t, eval[bool](b, `document.querySelector('#keys').open`))

	eval[any](b, `document.querySelector('#f-fail').click(), document.activeElement.blur(), 1`)
	step("j", "museum-pr254@trixie#1") // past what is filtered out
	eval[any](b, `document.querySelector('#single').click(), 1`)
	step("j", "museum-pr254@trixie#1") // the keys are off
}

func testTree(t *testing.T, b *tab) {
	b.show(nightly())
	eval[any](b, openAll)
	_, err := chromedp.Run(b.ctx, chromedp.Poll[bool](`![...document.querySelectorAll('.pick')].some(p => p.hidden)`))
	require.NoError(t, err)
	roles := map[string]int{}
	level := 0
	for _, n := range tree(b) {
		roles[n.role]++
		switch n.role {
		case "image", "img", "table", "region", "link", "button", "checkbox", "combobox", "dialog", "heading", "group", "figure":
			if n.role == "group" || n.role == "figure" {
				break // details and figures are named by what is in them
			}
			assert.NotEmpty(t, n.name, n.role)
		}
		if n.role == "heading" {
			assert.LessOrEqual(t, n.level, level+1, n.name)
			level = n.level
		}
	}
	for role, least := range map[string]int{"banner": 1, "main": 1, "navigation": 1, "contentinfo": 1, "heading": 12, "image": 20, "table": 20, "columnheader": 50, "rowheader": 50, "combobox": 5} {
		assert.GreaterOrEqual(t, roles[role], least, role)
	}
}

func testWithoutScripts(t *testing.T, b *tab) {
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.show(nightly())
	assert.Empty(t, b.complained())
	assert.False(t, eval[bool](b, `document.querySelector('#help').checkVisibility()`), "what needs a script is not offered")
	assert.Zero(t, eval[int](b, `[...document.querySelectorAll('.pick')].filter(e => e.checkVisibility()).length`))
	rows := `[...document.querySelectorAll('.cases tbody tr, .case')].filter(e => e.checkVisibility()).length`
	assert.Equal(t, 18, eval[int](b, rows))
	require.NoError(t, chromedp.Do(b.ctx, chromedp.Click(chromedp.ID("f-fail"))))
	assert.Equal(t, 14, eval[int](b, rows), "the filter is style")
	require.NoError(t, chromedp.Do(b.ctx, chromedp.Click(chromedp.CSS(".of-pass .boot summary"))))
	assert.Equal(t, 1, eval[int](b, `document.querySelectorAll('.of-pass .boot[open]').length`))
}

// rows is a case's chain table as markup, without the spaces between.
const rows = `[...document.querySelectorAll('.of-fail .chain')][0].querySelector('tbody').innerHTML.replace(/<!--.*?-->|\s+(?=<)/g, '')`

func testChains(t *testing.T, b *tab) {
	b.show(nightly())
	pick := func(name string) {
		eval[any](b, fmt.Sprintf(`(s => { s.value = %q; s.dispatchEvent(new Event('change')) })(document.querySelector('.of-fail .chain select')), 1`, name))
	}
	eval[any](b, `document.querySelector('.of-fail .chain summary').click(), 1`)
	_, err := chromedp.Run(b.ctx, chromedp.Poll[bool](`document.querySelector('.of-fail .pick').checkVisibility()`))
	require.NoError(t, err)
	first := eval[string](b, rows)
	assert.Contains(t, first, "network-wait.service<small>only in this boot</small>")
	pick("delay-45s@trixie#1")
	assert.Equal(t, first, eval[string](b, rows), "the script compares as the page does")
	assert.Equal(t, "Beside it: delay-45s@trixie#1.", eval[string](b, `document.querySelector('.of-fail .chain .other').textContent`))
	pick("imds-503@trixie#1")
	assert.Equal(t, "Beside it: imds-503@trixie#1.", eval[string](b, `document.querySelector('.of-fail .chain .other').textContent`))
	pick("")
	assert.Equal(t, first, eval[string](b, rows))
	assert.Empty(t, b.complained())
}

func testLinks(t *testing.T, b *tab) {
	b.show(nightly())
	last := eval[string](b, `(a => { a.click(); return a.textContent })([...document.querySelectorAll('.cases tbody a')].pop())`)
	_, err := chromedp.Run(b.ctx, chromedp.Poll[bool](`document.activeElement.matches('.case > h3')`))
	require.NoError(t, err)
	assert.Equal(t, last, eval[string](b, focused))
	assert.True(t, eval[bool](b, `document.activeElement.parentNode.querySelector('.boot').open`))
	assert.True(t, eval[bool](b, `(r => r.top >= 0 && r.bottom <= innerHeight)(document.activeElement.getBoundingClientRect())`))
}

// The page of 40 cases with 300 events each: until it is painted, until all of it
// is loaded, and what of that was the work of the page's thread, whatever else the
// host did.
func BenchmarkFortyCasesInABrowser(b *testing.B) {
	chromium := browser(b)
	var painted, loaded, work float64
	for b.Loop() {
		tab := newTab(b, chromium)
		call(tab, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks})
		tab.show(forty(300))
		paint, err := chromedp.Run(tab.ctx, chromedp.Poll[float64](`(performance.getEntriesByName('first-contentful-paint')[0] || {}).startTime`))
		require.NoError(b, err)
		painted += paint
		loaded += eval[float64](tab, `performance.getEntriesByType('navigation')[0].loadEventEnd`)
		for _, m := range call(tab, performance.GetMetrics, cdp.Empty{}).Metrics {
			if m.Name == "TaskDuration" {
				work += m.Value * 1000
			}
		}
	}
	b.ReportMetric(painted/float64(b.N), "ms-to-paint")
	b.ReportMetric(loaded/float64(b.N), "ms-to-load")
	b.ReportMetric(work/float64(b.N), "ms-of-work")
}
