package axiom

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

func TestRangesHoldJustTheNumbersAdded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		numbers := rapid.SliceOfN(rapid.IntRange(0, 60), 1, 120).Draw(t, "numbers")
		var r ranges
		want := map[int]bool{}
		for _, n := range numbers {
			r.add(n)
			want[n] = true
		}
		var got []int
		for part := range strings.SplitSeq(r.String(), ",") {
			first, last, isRange := strings.Cut(part, "-")
			from, _ := strconv.Atoi(first)
			to := from
			if isRange {
				to, _ = strconv.Atoi(last)
			}
			for n := from; n <= to; n++ {
				got = append(got, n)
			}
		}
		assert.Equal(t, slices.Sorted(maps.Keys(want)), got, r.String())
		for i := 1; i < len(r.sorted); i++ {
			assert.Greater(t, r.sorted[i].First, r.sorted[i-1].Last+1, "adjacent ranges are one: %s", r.String())
		}
	})
}

func TestASetWithTooManyGapsSaysSo(t *testing.T) {
	t.Parallel()
	var r ranges
	for n := range 2 * maxRanges {
		r.add(2 * n)
	}
	assert.Len(t, r.sorted, maxRanges)
	assert.True(t, strings.HasSuffix(r.String(), ",..."))
}

func TestANumberedLineIsFoundInAnEvent(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		event string
		want  map[string]string
	}{
		"that has the fields itself":      {`{"source":"boot-logger","seq":3}`, map[string]string{"boot-logger": "3"}},
		"whose message has them":          {`{"message":"{\"source\":\"boot-logger\",\"seq\":12,\"late_us\":350}","source_type":"journald"}`, map[string]string{"boot-logger": "12"}},
		"not in one without a number":     {`{"source":"x","seq":"three"}`, nil},
		"not in one with half a number":   {`{"source":"x","seq":1.5}`, nil},
		"not in one without a source":     {`{"seq":3}`, nil},
		"not in ordinary text":            {`{"message":"started"}`, nil},
		"not in text that is nearly JSON": {`{"message":"{\"source\":"}`, nil},
		"merged, among other fields":      {`{"host":"w","seq":4,"msg":"serving","source":"opensandbox-worker","cell_id":"c"}`, map[string]string{"opensandbox-worker": "4"}},
		"nested":                          {`{"app":{"line":{"source":"x","seq":1}}}`, map[string]string{"x": "1"}},
		"under another name":              {`{"log":"{\"source\":\"x\",\"seq\":2}"}`, map[string]string{"x": "2"}},
		"in a string of a string":         {`{"message":"{\"message\":\"{\\\"source\\\":\\\"x\\\",\\\"seq\\\":1}\"}"}`, map[string]string{"x": "1"}},
		"in an array":                     {`{"lines":[1,{"source":"x","seq":5}]}`, map[string]string{"x": "5"}},
		"in the middle of a text":         {`{"message":"w1 opensandbox-worker[7]: {\"seq\":9,\"ref\":\"bootrace:opensandbox-worker#9\"}"}`, map[string]string{"opensandbox-worker": "9"}},
		"by its reference alone":          {`{"number":9,"id":"bootrace:boot-logger#9"}`, map[string]string{"boot-logger": "9"}},
		"each of several":                 {`{"message":"bootrace:x#1\nbootrace:x#2\nbootrace:y#7"}`, map[string]string{"x": "1-2", "y": "7"}},
		"not in what only looks like one": {`{"message":"see issue#12, bootrace:#3, bootrace:x#"}`, nil},
		"not below a bounded depth":       {`{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"source":"x","seq":1}}}}}}}}}`, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var l lines
			l.note([]byte(tt.event))
			assert.Equal(t, tt.want, l.text())
		})
	}
}

func TestTheSourcesOfOneBatchAreBounded(t *testing.T) {
	t.Parallel()
	var l lines
	for i := range 10 * maxSources {
		l.note([]byte(`{"source":"s` + strconv.Itoa(i) + `","seq":1}`))
	}
	assert.Len(t, l.text(), maxSources)
}
