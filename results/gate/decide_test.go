package gate_test

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/results"
	"bootrace/results/gate"
	"bootrace/results/gate/gatetest"
)

func decide(s gatetest.Setup) gate.Decision { return gate.Decide(s.Policy, s.Plan, s.Run, s.Now) }

func TestARunThatShowsEverythingPasses(t *testing.T) {
	t.Parallel()
	s := gatetest.Passing()
	d := decide(s)
	assert.Equal(t, gate.Passed, d.Result(), d.Reasons)
	assert.False(t, d.Undecided())
	require.Len(t, d.Cases, 8)
	assert.Equal(t, gate.Judged{ID: "late@trixie#1", Base: "trixie", Expected: "pass", Verdict: "pass", Outcome: gate.CasePassed, Boots: 1}, d.Cases[0])
}

func TestEachWayOfNotPassingIsNamedAndItsOppositePasses(t *testing.T) {
	t.Parallel()
	for _, w := range gatetest.Ways() {
		t.Run(w.Name, func(t *testing.T) {
			t.Parallel()
			s := gatetest.Passing()
			w.Spoil(&s)
			d := decide(s)
			assert.Equal(t, gate.NotPassed, d.Result())
			assert.True(t, slices.ContainsFunc(d.Reasons, func(r gate.Reason) bool { return r.Kind == w.Kind }), "%s: %v", w.Kind, d.Reasons)
			for _, r := range d.Reasons {
				assert.NotEmpty(t, r.About)
				assert.NotEmpty(t, r.Text)
			}
			if w.Mend != nil {
				w.Mend(&s)
				d = decide(s)
				assert.NotEqual(t, gate.NotPassed, d.Result(), d.Reasons)
			}
		})
	}
}

func TestEachKindHasItsWay(t *testing.T) {
	t.Parallel()
	for _, k := range gate.Kinds() {
		assert.True(t, slices.ContainsFunc(gatetest.Ways(), func(w gatetest.Way) bool { return w.Kind == k }), "no way of %s", k)
	}
}

func TestAKnownFailureWarns(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*gatetest.Setup)
		waived []string
	}{
		{"waived", func(s *gatetest.Setup) { s.Fail("late", "trixie", "start-rate"); s.Waive() }, []string{"start-rate"}},
		{"expected by its scenario", func(s *gatetest.Setup) { s.Fail("late", "", "start-rate"); s.Expect("late") }, nil},
		{"spoilt by the host, and tolerated", func(s *gatetest.Setup) { s.Spoil(0); s.Policy.MaxInvalid = 1 }, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := gatetest.Passing()
			tt.change(&s)
			d := decide(s)
			assert.Equal(t, gate.Warned, d.Result(), d.Reasons)
			assert.Equal(t, gate.CaseWarned, d.Cases[0].Outcome)
			assert.Equal(t, tt.waived, d.Cases[0].Waived)
			assert.Equal(t, gate.CasePassed, d.Cases[2].Outcome, "the others passed")
		})
	}
}

func TestWhatAnExpiredWaiverWaivedHasFailed(t *testing.T) {
	t.Parallel()
	s := gatetest.Passing()
	s.Fail("late", "", "start-rate")
	s.Waive().Expires = "2026-02-28"
	d := decide(s)
	assert.Equal(t, gate.CaseFailed, d.Cases[0].Outcome)
	assert.Empty(t, d.Cases[0].Waived)
	assert.Contains(t, fmt.Sprint(d.Reasons), "start-rate: too often (it was waived until 2026-02-28)")
}

func TestAFailureOutweighsWhatIsNotKnown(t *testing.T) {
	t.Parallel()
	s := gatetest.Passing()
	s.Spoil(0)
	assert.True(t, decide(s).Undecided())
	s.Fail("never", "", "start-rate")
	assert.False(t, decide(s).Undecided())
}

func TestAWaiverIsNotCalledNeedlessByCasesThatNobodyJudged(t *testing.T) {
	t.Parallel()
	s := gatetest.Passing()
	s.Waive().Base = "trixie"
	s.Spoil(0)
	s.Spoil(4)
	d := decide(s)
	require.NotEmpty(t, d.Reasons)
	for _, r := range d.Reasons {
		assert.Equal(t, gate.Invalid, r.Kind, r)
	}
	assert.True(t, d.Undecided())
	s.Run.Cases[4] = gatetest.Passing().Run.Cases[4]
	assert.False(t, decide(s).Undecided(), "one that passes does")
}

func TestADecisionOnNothingIsNoPass(t *testing.T) {
	t.Parallel()
	assert.Equal(t, gate.NotPassed, gate.Decision{}.Result())
	assert.True(t, gate.Decision{}.Undecided())
	d := gate.Decide(gate.Policy{}, gate.Plan{}, results.Run{}, time.Now())
	assert.Equal(t, gate.NotPassed, d.Result())
	assert.Equal(t, gate.NotPassed, gate.Decision{Cases: []gate.Judged{{}}}.Result(), "nor is a case of no outcome")
}

// spare are the places of a passing setup that say nothing the decision rests on.
var spare = regexp.MustCompile(strings.Join([]string{
	`^Run\.(Vector|Versions\[engine\])$`, // as planned, and of the host: each boot names its own
	`^Run\.Cases\[\d\]\.(Reason|Duration|Waited|Kept)$`,
	`^Run\.Cases\[\d\]\.Attempts\[\d\]\.(Reason|Versions\[engine\])$`,
	`^Run\.Cases\[\d\]\.Attempts\[\d\]\.Boot\.Measures\[restarts\]$`, // reported only
	`^Run\.Cases\[\d\]\.Attempts\[\d\]\.Checks\[\d\]\.(Note|Findings)$`,
	`^Run\.Cases\[\d\]\.Attempts\[\d\]\.Artifacts\[0\]`, // console.log
	`^Policy\.(Scenarios|Scenarios\[\d\]|MaxInvalid|Waivers|File|Source|Source\[\d+\])$`,
}, "|"))

// TestWhateverIsMissingItDoesNotPass takes away one thing after the other.
func TestWhateverIsMissingItDoesNotPass(t *testing.T) {
	t.Parallel()
	s := gatetest.Passing()
	taken := 0
	take(reflect.ValueOf(&s).Elem(), "", func(path string) {
		path = strings.TrimPrefix(path, ".")
		if spare.MatchString(path) || path == "Now" {
			return
		}
		taken++
		assert.Equal(t, gate.NotPassed, decide(s).Result(), "without %s", path)
	})
	assert.Greater(t, taken, 200)
	assert.Equal(t, gate.Passed, decide(s).Result(), "all was put back")
}

// take sets each part of v to its zero value, removes each element, and calls
// looks each time; then it puts it back.
func take(v reflect.Value, path string, looks func(path string)) {
	kept := reflect.New(v.Type()).Elem()
	kept.Set(v)
	if !v.IsZero() {
		v.SetZero()
		looks(path)
		v.Set(kept)
	}
	switch v.Kind() {
	case reflect.Struct:
		if _, ok := v.Interface().(time.Time); ok {
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				take(v.Field(i), path+"."+v.Type().Field(i).Name, looks)
			}
		}
	case reflect.Pointer:
		if !v.IsNil() {
			take(v.Elem(), path, looks)
		}
	case reflect.Slice:
		for i := range v.Len() {
			fewer := reflect.AppendSlice(reflect.MakeSlice(v.Type(), 0, v.Len()), v.Slice(0, i))
			v.Set(reflect.AppendSlice(fewer, kept.Slice(i+1, kept.Len())))
			looks(fmt.Sprintf("%s[%d]", path, i))
			v.Set(kept)
			take(v.Index(i), fmt.Sprintf("%s[%d]", path, i), looks)
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			value := v.MapIndex(k)
			v.SetMapIndex(k, reflect.Value{})
			looks(fmt.Sprintf("%s[%s]", path, k))
			v.SetMapIndex(k, reflect.Zero(value.Type()))
			looks(fmt.Sprintf("%s[%s]", path, k))
			v.SetMapIndex(k, value)
		}
	}
}

func TestWhatDoesNotApplyIsNamedAndNeitherPassesNorFails(t *testing.T) {
	t.Parallel()
	s := gatetest.Passing()
	s.Set(0, "not-applicable", "there is no populator to be killed")
	d := decide(s)
	assert.Equal(t, gate.Warned, d.Result(), d.Reasons)
	assert.Equal(t, gate.CaseAside, d.Cases[0].Outcome)
	assert.Equal(t, "there is no populator to be killed", d.Cases[0].Why)
	for i := range s.Run.Cases {
		s.Set(i, "not-applicable", "x")
	}
	assert.Equal(t, gate.NotPassed, decide(s).Result(), "nothing was judged at all")
}
