package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	collector "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"bootrace/harness/judge"
	"bootrace/harness/picture"
	"bootrace/results/store"
)

// booted stores a run of real boots: one with its picture, one stored before
// pictures were, whose recording is there, and one whose recording is gone.
func booted(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: booted")
	}
	recordings, err := filepath.Abs("../../judge/testdata")
	ts.Check(err)
	r := runOf("20260102-060405-dddd", time.Date(2026, 1, 2, 6, 4, 5, 0, time.UTC), 3,
		caseOf("stored", "pass", "13 checks"), caseOf("old", "fail", "boot-unblocked"), caseOf("gone", "pass", "13 checks"))
	for i, name := range []string{"populator-delay-45s-trixie", "poll-600s-delay-0s-trixie"} {
		c := &r.Cases[i]
		c.Recording = filepath.Join(recordings, name)
		c.Attempts[0].Recording = c.Recording
	}
	j, err := judge.Recording(os.DirFS(r.Cases[0].Recording))
	ts.Check(err)
	boot := picture.Of(j.Boot, j.Expect.Setup, j.Expect.Control)
	r.Cases[0].Attempts[0].Boot = &boot

	ctx := context.Background()
	s, err := store.Open(ctx, filepath.Join(ts.Getenv("BOOTRACE_STATE"), "results.db"))
	ts.Check(err)
	defer func() { ts.Check(s.Close()) }()
	ts.Check(s.BeginRun(ctx, r))
	for _, c := range r.Cases {
		ts.Check(s.PutCase(ctx, r.ID, c))
	}
	ts.Check(s.EndRun(ctx, r))
}

// collecting starts an OTLP/HTTP receiver, and sets COLLECTOR to its address. It
// refuses what is no trace.
func collecting(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: collecting")
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var in collector.ExportTraceServiceRequest
		if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(body, &in) != nil || len(in.GetResourceSpans()) != 1 {
			http.Error(w, "no trace", http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	ts.Defer(s.Close)
	ts.Setenv("COLLECTOR", s.URL)
}
