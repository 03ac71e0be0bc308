package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/run"
	"bootrace/results"
	"bootrace/results/store"
)

// A resumed run is of one subject, on one base, judged by one harness.
func TestARunIsResumedOnlyAsItWas(t *testing.T) {
	t.Parallel()
	now := func() results.Run {
		return results.Run{ID: "r", Dir: "/runs/r", Vector: "stand-in", Hash: "h", Plan: "p", Images: map[string]string{"trixie": "sha256:1"},
			Bases: map[string]string{"trixie": "sha256:2"}, Versions: map[string]string{"kernel": "6.1", "bootrace": "v1"}}
	}
	require.NoError(t, sameRun(now(), now()))
	old := now()
	maps.DeleteFunc(old.Versions, func(name, _ string) bool { return name == "bootrace" })
	require.NoError(t, sameRun(old, now()), "a run of before versions of bootrace were kept")
	for _, tt := range []struct {
		change func(*results.Run)
		want   string
	}{
		{func(r *results.Run) { r.Dir = "/elsewhere/r" }, "resume it there"},
		{func(r *results.Run) { r.Vector = "real Vector from x" }, "Vector was stand-in and is real Vector from x"},
		{func(r *results.Run) { r.Hash = "i" }, "is another one now"},
		{func(r *results.Run) { r.Images["trixie"] = "sha256:3" }, "its worker images were made anew"},
		{func(r *results.Run) { r.Bases["trixie"] = "sha256:3" }, "its bases' images were made anew"},
		{func(r *results.Run) { r.Plan = "q" }, "its scenarios are others now"},
		{func(r *results.Run) { r.Versions["kernel"] = "6.8" }, "kernel was 6.1 and is 6.8"},
		{func(r *results.Run) { r.Versions["bootrace"] = "v2" }, "bootrace was v1 and is v2"},
	} {
		r := now()
		tt.change(&r)
		err := sameRun(now(), r)
		require.ErrorContains(t, err, "run r: ")
		assert.ErrorContains(t, err, tt.want)
	}
}

func TestARunOfSeveralSubjectsIsResumedOnTheImagesThatItHad(t *testing.T) {
	t.Parallel()
	subjects := func(yours string) map[string]run.Subject {
		return map[string]run.Subject{"mine": {Images: map[string]string{"trixie": "sha256:1"}}, "yours": {Images: map[string]string{"trixie": yours}}}
	}
	before := results.Run{ID: "r", Cases: []results.Case{
		{ID: "mine/pre@trixie#1", Subject: "mine", Base: "trixie", Image: "sha256:1"}, {ID: "yours/pre@trixie#1", Subject: "yours", Base: "trixie", Image: "sha256:2"},
	}}
	require.NoError(t, sameImages(before, subjects("sha256:2")))
	require.ErrorContains(t, sameImages(before, subjects("sha256:3")), "run r: the worker image of yours/pre@trixie was made anew since")
	require.Error(t, sameImages(before, nil))
}

func TestNoRunIsResumedWhileItsResultsWait(t *testing.T) {
	state := t.TempDir()
	t.Setenv("BOOTRACE_STATE", state)
	s, err := store.Open(t.Context(), filepath.Join(state, "results.db"))
	require.NoError(t, err)
	r := runOf("20260102-030405-aaaa", time.Unix(1, 0), 2)
	r.Request = &results.Request{Bases: []string{"trixie"}, Repeat: 2}
	require.NoError(t, s.BeginRun(t.Context(), r))
	require.NoError(t, s.Close())

	// A case that has ended, behind a line that the disk has damaged.
	sum := sha256.Sum256([]byte(filepath.Join(state, "results.db")))
	spool := filepath.Join(state, "spool", hex.EncodeToString(sum[:8]))
	require.NoError(t, os.MkdirAll(spool, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(spool, r.ID+".jsonl"), []byte("{\n"), 0o600))
	var stdout, stderr bytes.Buffer
	assert.Equal(t, exitInvalid, Run(t.Context(), streams{out: &stdout, err: &stderr}, []string{"run", "--resume"}))
	assert.Contains(t, stderr.String(), r.ID+".jsonl:1: ")
	assert.Contains(t, stderr.String(), "results of 1 runs wait in "+spool)
}
