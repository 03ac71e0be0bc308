package likeness

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"bootrace/harness/boot"
	"bootrace/harness/journal"
	"bootrace/harness/judge"
	"bootrace/harness/recording"
	"bootrace/harness/timeline"
)

// Read judges a recording, and its journal as if there were no more than the other one has:
// in such a form, and without the words of those who watch a machine of bootrace's.
func Read(ctx context.Context, name string, dir fs.FS, like judge.Judgement) (Boot, error) {
	full, err := judge.Recording(dir)
	if err != nil {
		return Boot{}, err
	}
	var files []timeline.LogFile
	forms := map[journal.Form]bool{}
	for _, f := range like.Boot.Origin.Files {
		for form := range f.Forms {
			forms[form] = true
		}
	}
	fields := forms[journal.Export] || forms[journal.JSON] || forms[journal.Verbose]
	if fields || forms[journal.Text] || forms[journal.Bare] || forms[journal.Status] || forms[journal.Kernel] || !forms[journal.Console] {
		text, err := through(ctx, dir, fields, watched(like.Boot))
		if err != nil {
			return Boot{}, fmt.Errorf("read the journal of %s: %w", name, err)
		}
		files = append(files, timeline.LogFile{Name: recording.JournalFile, Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil }})
	}
	if forms[journal.Console] {
		files = append(files, timeline.LogFile{Name: recording.ConsoleFile, Open: func() (io.ReadCloser, error) { return dir.Open(recording.ConsoleFile) }})
	}
	boots, err := timeline.ReadLogs(ctx, files)
	if err != nil {
		return Boot{}, fmt.Errorf("read the journal of %s: %w", name, err)
	}
	return Boot{Name: name, Full: full, Log: judge.Log(boots[len(boots)-1].Timeline(), like.Expect.Limits, like.Expect.Control)}, nil
}

// watched: the journal is of a machine of bootrace's, whose boot logger and script say what
// becomes of the files. No host has that.
func watched(b boot.Facts) bool {
	return len(b.Of(timeline.EnvFile, timeline.Script)) > 0 || b.Speaks("bootrace-script")
}

// through is the recording's journal with journald's fields or as text, with the words of the
// watchers or without.
func through(ctx context.Context, dir fs.FS, fields, watched bool) ([]byte, error) {
	f, err := dir.Open(recording.JournalFile)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out bytes.Buffer
	_, err = journal.Read(ctx, f, recording.JournalFile, func(e journal.Entry) {
		if !watched && e.Fields["BOOTRACE_EVENT"] != "" {
			return
		}
		if fields {
			line, _ := json.Marshal(e.Fields) // of strings: never fails
			out.Write(append(line, '\n'))
			return
		}
		us := e.Mono.Microseconds()
		from := e.Ident
		if e.PID > 0 {
			from = fmt.Sprintf("%s[%d]", from, e.PID)
		}
		fmt.Fprintf(&out, "[%5d.%06d] %s %s: %s\n", us/1e6, us%1e6, e.Host, from, strings.ReplaceAll(e.Message, "\n", "\n    "))
	})
	return out.Bytes(), err
}
