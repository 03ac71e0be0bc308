package results

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Shard says that a run has one part of a plan's cases, so that several hosts share a plan.
type Shard struct {
	Part  int `json:"part"`  // which, from 1
	Of    int `json:"of"`    // parts
	Whole int `json:"whole"` // cases of the plan; 0 until it is made
}

func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.Part, s.Of) }

// ParseShard reads "2/5".
func ParseShard(text string) (Shard, error) {
	part, of, _ := strings.Cut(text, "/")
	p, errPart := strconv.Atoi(part)
	o, errOf := strconv.Atoi(of)
	if errPart != nil || errOf != nil || p < 1 || o < p {
		return Shard{}, fmt.Errorf("%q: expected PART/PARTS such as 2/5, parts counted from 1", text)
	}
	return Shard{Part: p, Of: o}, nil
}

// Take returns a shard's part of a plan's cases: each Of-th, as a plan has the longest first.
func Take[C any](s Shard, plan []C) []C {
	var out []C
	for i := s.Part - 1; i < len(plan); i += s.Of {
		out = append(out, plan[i])
	}
	return out
}

// MergeShards makes of the shards of one plan, in any order, the run that they are. It has the
// first one's id. It is an error if a part is not there or there twice, or if they are not about
// the same subject, plan, Vector and harness. Cases that a shard did not come to stay missing:
// they count as planned.
func MergeShards(parts []Run) (Run, error) {
	if len(parts) == 0 {
		return Run{}, errors.New("there is no run to merge")
	}
	for _, r := range parts {
		if r.Shard == nil {
			return Run{}, fmt.Errorf("run %s is no shard: it was not made with --shard", r.ID)
		}
	}
	parts = slices.SortedFunc(slices.Values(parts), func(a, b Run) int { return cmp.Compare(a.Shard.Part, b.Shard.Part) })
	whole := parts[0]
	whole.Planned, whole.Shard, whole.Request, whole.Dir = 0, nil, nil, ""
	whole.Cases, whole.Found, whole.Shards = nil, nil, nil
	whole.Versions, whole.Labels, whole.Images, whole.Bases = maps.Clone(whole.Versions), maps.Clone(whole.Labels), maps.Clone(whole.Images), maps.Clone(whole.Bases)
	have := map[int]string{} // part -> run
	boots := map[[2]string]string{}
	for _, r := range parts {
		if other := have[r.Shard.Part]; other != "" {
			return Run{}, fmt.Errorf("shard %s is there twice, as runs %s and %s: leave one out", r.Shard, other, r.ID)
		}
		have[r.Shard.Part] = r.ID
		if err := sameShards(parts[0], r); err != nil {
			return Run{}, err
		}
		for _, c := range r.Cases {
			one := [2]string{c.Subject, c.ID}
			if other := boots[one]; other != "" {
				return Run{}, fmt.Errorf("case %s is in runs %s and %s", c.ID, other, r.ID)
			}
			boots[one] = r.ID
		}
		whole.Shards = append(whole.Shards, r.ID)
		whole.Planned += r.Planned
		whole.Cases = append(whole.Cases, r.Cases...)
		for _, f := range r.Found {
			if !slices.Contains(whole.Found, f) {
				whole.Found = append(whole.Found, f)
			}
		}
		whole.Started = earlier(whole.Started, r.Started)
		if whole.Ended.IsZero() || r.Ended.IsZero() {
			whole.Ended = time.Time{} // one of them goes on, or was cut off
		} else if r.Ended.After(whole.Ended) {
			whole.Ended = r.Ended
		}
		alsoSaid(whole.Versions, r.Versions)
		alsoSaid(whole.Labels, r.Labels)
		// Each host bakes its own: a case names the one that it booted.
		maps.DeleteFunc(whole.Images, func(base, id string) bool { return r.Images[base] != id })
		maps.DeleteFunc(whole.Bases, func(base, id string) bool { return r.Bases[base] != id })
	}
	var missing []string
	for p := range parts[0].Shard.Of {
		if s := (Shard{Part: p + 1, Of: parts[0].Shard.Of}); have[s.Part] == "" {
			missing = append(missing, s.String())
		}
	}
	if len(missing) > 0 {
		return Run{}, fmt.Errorf("the plan is not whole: missing shard %s", strings.Join(missing, ", "))
	}
	if whole.Planned != parts[0].Shard.Whole {
		return Run{}, fmt.Errorf("the shards were to boot %d cases, and the plan has %d", whole.Planned, parts[0].Shard.Whole)
	}
	slices.SortStableFunc(whole.Cases, func(a, b Case) int { return a.Started.Compare(b.Started) })
	return whole, nil
}

// sameShards says why two runs are not shards of the same.
func sameShards(a, b Run) error {
	for _, is := range []struct{ what, a, b string }{
		{"the number of shards", strconv.Itoa(a.Shard.Of), strconv.Itoa(b.Shard.Of)},
		{"the number of the plan's cases", strconv.Itoa(a.Shard.Whole), strconv.Itoa(b.Shard.Whole)},
		{"the plan", a.Plan, b.Plan},
		{"the subject", a.Subject, b.Subject},
		{"the subject's hash", a.Hash, b.Hash},
		{"Vector", a.Vector, b.Vector},
		{"bootrace", a.Versions["bootrace"], b.Versions["bootrace"]},
		{"the image", strings.Join(a.Given, " "), strings.Join(b.Given, " ")},
	} {
		if is.a != is.b {
			return fmt.Errorf("runs %s and %s are no shards of the same: %s is %s there and %s here", a.ID, b.ID, is.what, is.a, is.b)
		}
	}
	return nil
}

// alsoSaid adds what another host says of the same, where it is another thing.
func alsoSaid(all, more map[string]string) {
	for name, value := range more {
		switch {
		case all[name] == "":
			all[name] = value
		case !slices.Contains(strings.Split(all[name], ", "), value):
			all[name] += ", " + value
		}
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
