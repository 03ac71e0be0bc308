package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// journalSize is what a host that has been up for months sends.
const journalSize = 200 << 20

// sentences are what a host says that is well, and one whose services are started for ever.
var sentences = map[string]func(i int) (ident, pid, msg string){
	"well": func(i int) (ident, pid, msg string) {
		switch {
		case i%20 == 0:
			return "systemd", "1", fmt.Sprintf("Started session-%d.scope - Session %d of User root.", i, i)
		case i%7 == 0:
			return "kernel", "0", fmt.Sprintf("audit: type=1400 audit(1516793712.584:%d): apparmor", i)
		}
		return "nginx", "700", fmt.Sprintf("192.0.2.1 - - GET /index.html HTTP/1.1 200 1234 an agent of some length %d", i)
	},
	"loops": func(i int) (ident, pid, msg string) {
		unit := fmt.Sprintf("svc%d.service", i/5%50)
		return []string{"systemd", "systemd", unit[:len(unit)-8], "systemd", "systemd"}[i%5], []string{"1", "1", "700", "1", "1"}[i%5], []string{
			unit + fmt.Sprintf(": Scheduled restart job, restart counter is at %d.", i/250), "Started " + unit + " - A service.", "fatal: cannot open its configuration",
			unit + ": Main process exited, code=exited, status=1/FAILURE", unit + ": Failed with result 'exit-code'."}[i%5]
	},
}

// bigForms write one entry of a journal that goes on for long.
var bigForms = []struct {
	name  string
	entry func(w *bufio.Writer, i int, ident, pid, msg string)
}{
	{"short", func(w *bufio.Writer, i int, ident, pid, msg string) {
		at := time.Date(2026, 4, 11, 12, 0, 0, 0, time.UTC).Add(time.Duration(i) * 5 * time.Millisecond)
		fmt.Fprintf(w, "%s h1 %s[%s]: %s\n", at.Format("Jan _2 15:04:05"), ident, pid, msg)
	}},
	{"json", func(w *bufio.Writer, i int, ident, pid, msg string) {
		fmt.Fprintf(w, `{"__CURSOR":"s=0adc6b979cee45f995a4f9019f8a6a9b;i=%x;b=3ace50a34b1f48faaa68b34f2764544d;m=14dbd3a03","__REALTIME_TIMESTAMP":"%d","__MONOTONIC_TIMESTAMP":"%d","_BOOT_ID":"3ace50a34b1f48faaa68b34f2764544d",`+
			`"_HOSTNAME":"h1","_PID":%q,"SYSLOG_IDENTIFIER":%q,"_TRANSPORT":"journal","_UID":"0","PRIORITY":"6","MESSAGE":%q}`+"\n", i, 1795473573793979+i*5000, 5599214083+i*5000, pid, ident, msg)
	}},
	{"export", func(w *bufio.Writer, i int, ident, pid, msg string) {
		fmt.Fprintf(w, "__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=3ace50a34b1f48faaa68b34f2764544d\n_HOSTNAME=h1\n_PID=%s\nSYSLOG_IDENTIFIER=%s\n_TRANSPORT=journal\n_UID=0\nPRIORITY=6\nMESSAGE=%s\n\n",
			1795473573793979+i*5000, 5599214083+i*5000, pid, ident, msg)
	}},
}

// BenchmarkJudge judges a journal of 200 MB in each form, and says how much memory it took at
// most: it must be under 10 s and 200 MB.
func BenchmarkJudge(b *testing.B) {
	for _, form := range bigForms {
		for what, say := range sentences {
			b.Run(form.name+"/"+what, func(b *testing.B) {
				path := filepath.Join(b.TempDir(), "big")
				f, err := os.Create(path)
				require.NoError(b, err)
				w := bufio.NewWriter(f)
				for i, size := 0, int64(0); size < journalSize; i++ {
					ident, pid, msg := say(i)
					form.entry(w, i, ident, pid, msg)
					if i%10000 == 0 {
						size, err = f.Seek(0, 2)
						require.NoError(b, err)
					}
				}
				require.NoError(b, w.Flush())
				require.NoError(b, f.Close())
				var most atomic.Uint64
				done := make(chan struct{})
				go func() {
					var m runtime.MemStats
					for {
						select {
						case <-done:
							return
						case <-time.After(20 * time.Millisecond):
							runtime.ReadMemStats(&m)
							most.Store(max(most.Load(), m.Sys-m.HeapReleased))
						}
					}
				}()
				for b.Loop() {
					var out, errs bytes.Buffer
					require.NotEqual(b, exitUsage, Run(b.Context(), streams{out: &out, err: &errs}, []string{"judge", path}), errs.String())
				}
				close(done)
				b.ReportMetric(float64(most.Load())/(1<<20), "MB-at-most")
			})
		}
	}
}
