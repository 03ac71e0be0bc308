package page

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// patience bounds every wait; a loaded host takes far less.
const patience = 3 * time.Minute

// browser starts a browser; each tab is a child of its context. Where there is
// none, CI fails and others are told what they miss.
func browser(t testing.TB) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil && path == "" {
			path = p
		}
	}
	if path == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("no chromium: the page must be seen in a browser; apt-get install chromium")
		}
		t.Skip("no chromium, so the page is not seen in a browser: apt-get install chromium")
	}
	// Its end is a kill, which leaves files behind. Not t.TempDir: the name of a
	// socket has at most 107 bytes (unix(7)).
	dir, err := os.MkdirTemp("", "bootrace-browser-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.Env("TMPDIR="+dir), chromedp.WSURLReadTimeout(patience))
	if os.Geteuid() == 0 {
		opts = append(opts, chromedp.NoSandbox) // it refuses to run as root with one
	}
	ctx, stop := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	require.NoError(t, chromedp.Do(ctx))
	return ctx
}

// tab is a page in a browser, and what the browser had to complain of.
type tab struct {
	t   testing.TB
	ctx context.Context

	mu         sync.Mutex
	url        string
	complaints []string
}

// newTab opens a tab; it does not navigate yet.
func newTab(t testing.TB, browser context.Context) *tab {
	t.Helper()
	b := &tab{t: t}
	ctx, stop := chromedp.NewContext(browser, chromedp.WithListener(b.listen))
	t.Cleanup(stop)
	require.NoError(t, chromedp.Do(ctx))
	ctx, cancel := context.WithTimeout(ctx, patience)
	t.Cleanup(cancel)
	b.ctx = ctx
	call(b, network.Enable, network.EnableParams{})
	return b
}

func (b *tab) listen(ev any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	complaint := ""
	switch ev := ev.(type) {
	case *network.EventRequestWillBeSent:
		if u := ev.Request.URL; u != b.url && !strings.HasPrefix(u, "data:") {
			complaint = "request: " + u
		}
	case *runtime.EventExceptionThrown:
		complaint = "exception: " + ev.ExceptionDetails.Text
	case *runtime.EventConsoleAPICalled:
		complaint = fmt.Sprintf("console.%s", ev.Type)
	case *log.EventEntryAdded:
		complaint = "log: " + ev.Entry.Text
	case *page.EventJavascriptDialogOpening:
		complaint = "dialog: " + ev.Message
	}
	if complaint != "" {
		b.complaints = append(b.complaints, complaint)
	}
}

func (b *tab) complained() []string {
	b.t.Helper()
	eval[int](b, `1`) // an answer is heard behind all that the tab has said before
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string{}, b.complaints...)
}

// show writes the page to a file and goes there.
func (b *tab) show(p Page) {
	b.t.Helper()
	file := filepath.Join(b.t.TempDir(), "report.html")
	f, err := os.Create(file)
	require.NoError(b.t, err)
	require.NoError(b.t, HTML(f, p))
	require.NoError(b.t, f.Close())
	b.visit(file)
}

func (b *tab) visit(file string) {
	b.t.Helper()
	url := "file://" + file
	b.mu.Lock()
	b.url = url
	b.mu.Unlock()
	require.NoError(b.t, chromedp.Do(b.ctx, chromedp.Navigate(url)))
}

func eval[T any](b *tab, script string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script))
	require.NoError(b.t, err, script)
	return v
}

// media emulates a medium ("print", or none) and a colour scheme.
func (b *tab) media(medium, scheme string) {
	b.t.Helper()
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: medium, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
}

func (b *tab) width(px int64) {
	b.t.Helper()
	require.NoError(b.t, chromedp.Do(b.ctx, chromedp.EmulateViewport(px, 900)))
}

func (b *tab) press(keys string) {
	b.t.Helper()
	require.NoError(b.t, chromedp.Do(b.ctx, chromedp.KeyEvent(keys)))
}

// call sends the browser a command of its protocol.
func call[P, R any](b *tab, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	r, err := chromedp.Call(b.ctx, command, params)
	require.NoError(b.t, err)
	return r
}

// heard is a node of the accessibility tree: what a screen reader is told.
type heard struct {
	role, name string
	level      int
}

func tree(b *tab) []heard {
	b.t.Helper()
	word := func(v *accessibility.Value) (s string) {
		if v != nil {
			_ = json.Unmarshal(v.Value, &s)
		}
		return s
	}
	var out []heard
	for _, n := range call(b, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{}).Nodes {
		if n.Ignored {
			continue
		}
		h := heard{role: word(n.Role), name: word(n.Name)}
		for _, p := range n.Properties {
			if p.Name == "level" {
				_ = json.Unmarshal(p.Value.Value, &h.level)
			}
		}
		out = append(out, h)
	}
	return out
}
