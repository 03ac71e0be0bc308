// Package page writes a run as one page of HTML, for people: what failed and why,
// each boot as a picture on one clock, the checks with their evidence, critical
// chains side by side, and trends. It knows results and nothing of how they came
// to be.
//
//	err := page.HTML(w, page.Page{Run: run})
package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"unicode"
	"unicode/utf8"

	"bootrace/results"
)

// Page is what a page of HTML is about.
type Page struct {
	Run       results.Run
	Explained map[string]Why   // by case id; why what failed did
	Trends    []results.Sample // of earlier runs; this run's own are taken from Run
	Against   results.Run      // a run to compare chains with, case by case; its zero value compares within Run
}

// Why is why a case failed, as harness/explain has it.
type Why struct {
	Check  string   // the one that the others follow from
	Saw    string   // what it saw
	More   []string // what the recording adds
	Then   []string // the other failed checks
	Change string   // what would have to change; empty if it is not known
}

//go:embed page.html.tmpl page.css page.js
var sources embed.FS

// HTML writes a run as one page that needs nothing else: no network, which its
// Content-Security-Policy forbids, and no script to be read. Whatever the run
// holds is text to it; what a text has of control characters is made visible.
func HTML(w io.Writer, p Page) error {
	tmpl, err := template.New("page.html.tmpl").Funcs(funcs).ParseFS(sources, "page.html.tmpl")
	if err != nil {
		return fmt.Errorf("write HTML: %w", err)
	}
	v := bounded(p).view()
	if p.Run.Subject != "" {
		v.Tested = bounded(p.Run.Tested()) // of all their names
	}
	if v.CSS, v.CSSHash, err = inline[template.CSS]("page.css"); err != nil {
		return fmt.Errorf("write HTML: %w", err)
	}
	if v.JS, v.JSHash, err = inline[template.JS]("page.js"); err != nil {
		return fmt.Errorf("write HTML: %w", err)
	}
	var out bytes.Buffer
	if err := tmpl.Execute(&out, v); err != nil {
		return fmt.Errorf("write HTML of run %s: %w", p.Run.ID, err)
	}
	if _, err := w.Write(visible(out.Bytes())); err != nil {
		return fmt.Errorf("write HTML of run %s: %w", p.Run.ID, err)
	}
	return nil
}

// inline is a source of ours, and its hash as Content-Security-Policy wants it.
func inline[T ~string](name string) (T, string, error) {
	b, err := sources.ReadFile(name)
	sum := sha256.Sum256(b)
	return T(b), "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'", err
}

// visible replaces what would act on the reader's eye or terminal in place of
// being read: escapes, NULs, marks that turn the direction of text, characters
// without width, and bytes that are no UTF-8. It is done once, to the whole page,
// so that no text can be forgotten.
func visible(page []byte) []byte {
	out := make([]byte, 0, len(page))
	for len(page) > 0 {
		if c := page[0]; c >= ' ' && c < 0x7f || c == '\n' || c == '\t' {
			out, page = append(out, c), page[1:]
			continue
		}
		r, size := utf8.DecodeRune(page)
		switch {
		case r == utf8.RuneError && size == 1:
			out = fmt.Appendf(out, `\x%02x`, page[0])
		case r < ' ':
			out = utf8.AppendRune(out, 0x2400+r) // the picture of the control character
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co):
			out = fmt.Appendf(out, "⟨U+%04X⟩", r)
		default:
			out = append(out, page[:size]...)
		}
		page = page[size:]
	}
	return out
}
