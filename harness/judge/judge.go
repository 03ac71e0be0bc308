// Package judge takes a recording all the way to its verdict: timeline, checks,
// disturbance, verdict. It is the same for a boot that just ended, a stored one
// and one from testdata, and it needs no engine.
//
//	j, err := judge.Recording(os.DirFS("recordings/late-45s"))
//	fmt.Println(j.Verdict, j.Reason)
package judge

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"bootrace/harness/boot"
	"bootrace/harness/check"
	"bootrace/harness/recording"
	"bootrace/harness/timeline"
	"bootrace/harness/verdict"
)

// Judgement is all there is to say of one recording.
type Judgement struct {
	verdict.Judgement
	Case        string              `json:"case"`
	Results     []check.Result      `json:"results"`
	Disturbance verdict.Disturbance `json:"disturbance"`
	Bounds      verdict.Bounds      `json:"bounds,omitzero"`
	// MultiUser is when multi-user.target was reached, 0 if it was not: of a
	// control boot, what others are compared with.
	MultiUser time.Duration     `json:"multi_user_ns"`
	End       time.Duration     `json:"end_ns"`
	Missing   map[string]string `json:"missing,omitempty"`
	Versions  map[string]string `json:"versions,omitempty"`
	Expect    check.Expect      `json:"expect"`
	// Boot is what was judged. It is the recording over again, and not part of what is
	// written of a judgement.
	Boot boot.Facts `json:"-"`
}

// Recording judges a recording by its own expectation. An error means that
// there is no judging it; what is merely missing in it makes a verdict.
func Recording(fsys fs.FS) (Judgement, error) {
	data, err := fs.ReadFile(fsys, recording.ExpectFile)
	if err != nil {
		return Judgement{}, fmt.Errorf("judge: %w", err)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields() // an expectation that is not understood is not met by passing
	var e check.Expect
	if err := dec.Decode(&e); err != nil {
		return Judgement{}, fmt.Errorf("judge: %s: %w", recording.ExpectFile, err)
	}
	if err := e.Validate(); err != nil {
		return Judgement{}, fmt.Errorf("judge: %s: %w", recording.ExpectFile, err)
	}
	return Expecting(fsys, e)
}

// Expecting judges a recording by the expectation given.
func Expecting(fsys fs.FS, e check.Expect) (Judgement, error) {
	tl, err := timeline.Read(fsys)
	if err != nil {
		return Judgement{}, fmt.Errorf("judge: %w", err)
	}
	b := boot.Of(tl)
	e.Setup = e.Setup.In(b, e.Control)
	d := disturbance(b)
	d.Control = e.Control.Own()
	results := check.Judge(b, e)
	if b.Cut != "" {
		results = soFar(results)
	}
	j := Judgement{Case: tl.Case, Results: results, Disturbance: d, End: tl.End,
		Missing: tl.Missing, Versions: tl.Versions, Expect: e, Boot: b}
	if up, reached := b.Reached(boot.MultiUser).First(); reached {
		j.MultiUser = up.At
	}
	j.Bounds = bounds(b, e)
	j.Judgement = verdict.Of(j.Results, j.Disturbance, j.Bounds)
	if why := lacksCapability(tl); why != "" && j.Verdict == verdict.Invalid && !j.Settled {
		j.Settled = true
		if !strings.Contains(j.Reason, why) { // the host's doing leads, which a calmer one would mend
			j.Reason = "no evidence: " + why + "; " + j.Reason
		}
	}
	return j, nil
}

// soFar are the results of a boot that was ended while it was under way. What happened has
// happened; but the state that it was found in was still to change, such as a file that is
// removed once Vector has read it: the host, for which it was ended, may be the cause of that.
func soFar(results []check.Result) []check.Result {
	happened := func(e timeline.Evidence) bool {
		return slices.Contains([]string{timeline.Journal, timeline.Console, timeline.Cloud}, e.File)
	}
	out := slices.Clone(results)
	for i := range out {
		out[i].Findings = slices.Clone(out[i].Findings)
		for k, f := range out[i].Findings {
			out[i].Findings[k].Intrinsic = f.Intrinsic && slices.ContainsFunc(f.Evidence, happened)
		}
	}
	return out
}

// lacksCapability is what the collector was not allowed to read: it will not be allowed
// to read it in another boot either (images/collector). Empty: nothing.
func lacksCapability(tl timeline.Timeline) string {
	for _, file := range slices.Sorted(maps.Keys(tl.Missing)) {
		if why := tl.Missing[file]; strings.Contains(why, "the collector has not CAP_") {
			return file + ": " + why
		}
	}
	return ""
}
