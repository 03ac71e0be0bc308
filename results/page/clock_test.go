package page

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func at(seconds ...float64) []mark {
	var out []mark
	for _, s := range seconds {
		out = append(out, mark{at: time.Duration(s * float64(time.Second))})
	}
	return out
}

func asking(seconds ...float64) []mark {
	out := at(seconds...)
	for i := range out {
		out[i].minor = true
	}
	return out
}

func TestTheClockIsSqueezedWhereNothingHappens(t *testing.T) {
	every := func(from, to, step float64) (out []float64) {
		for s := from; s <= to; s += step {
			out = append(out, s)
		}
		return out
	}
	for name, tc := range map[string]struct {
		marks    []mark
		to       time.Duration
		squeezed []string
	}{
		"a boot without a pause":                       {at(0, 1, 2, 3, 5, 8), 9 * time.Second, nil},
		"four minutes for worker.env":                  {at(0, 1, 2, 242, 243), 244 * time.Second, []string{"2.25-241.75"}},
		"two pauses":                                   {at(0, 2, 20, 21, 40), 41 * time.Second, []string{"2.25-19.75", "21.25-39.75"}},
		"requests in a pause are part of it":           {append(at(0, 2, 60), asking(10, 20, 30, 40, 50)...), 61 * time.Second, []string{"2.25-59.75"}},
		"a unit in a pause is not":                     {append(at(0, 2, 30, 60), asking(10, 20, 40, 50)...), 61 * time.Second, []string{"2.25-29.75", "30.25-59.75"}},
		"the end after a pause":                        {at(0, 2), 60 * time.Second, []string{"2.25-59.75"}},
		"of many pauses those go together that can":    {at(every(0, 240, 8)...), 240 * time.Second, []string{"0.25-207.75", "208.25-215.75", "216.25-223.75", "224.25-231.75", "232.25-239.75"}},
		"a storm in a pause is its own, with its room": {at(append(every(30, 31, 0.125), 0, 60)...), 60 * time.Second, []string{"0.25-29.75", "31.25-59.75"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, p := range newClock(tc.marks, 0, tc.to, 0, 800).parts {
				if p.squeezed {
					got = append(got, number(p.from.Seconds())+"-"+number(p.to.Seconds()))
				}
			}
			assert.Equal(t, tc.squeezed, got)
		})
	}
}

// A boot of three seconds in four minutes still has a good part of the picture.
func TestABootBeforeALongPauseCanBeSeen(t *testing.T) {
	b := goodBoot(4 * time.Minute)
	var marks []mark
	for _, e := range b.Events {
		marks = append(marks, mark{at: e.At})
	}
	c := newClock(marks, 0, b.End, 0, 800)
	assert.Greater(t, c.x(2600*ms), 250.0)
	assert.Less(t, c.x(2600*ms), 700.0)
}

// Whatever happened: time never runs backwards, nothing leaves the picture, the
// parts leave no hole, and ticks are where they say and do not touch.
func TestTheClockIsAClock(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var marks []mark
		for range rapid.IntRange(0, 60).Draw(t, "marks") {
			marks = append(marks, mark{time.Duration(rapid.Int64Range(0, int64(10*time.Minute)).Draw(t, "at")), rapid.Bool().Draw(t, "minor")})
		}
		to := time.Duration(rapid.Int64Range(0, int64(10*time.Minute)).Draw(t, "to"))
		for _, m := range marks {
			to = max(to, m.at)
		}
		c := newClock(marks, 0, to, 100, 800)
		end := 100.0
		var until time.Duration
		for _, p := range c.parts {
			require.InDelta(t, end, p.x, 1e-6)
			require.Equal(t, until, p.from)
			require.Greater(t, p.to, p.from)
			end, until = p.x+p.width, p.to
		}
		require.InDelta(t, 900, end, 1e-6)
		was := c.x(-time.Second)
		require.InDelta(t, 100, was, 1e-6)
		for s := time.Duration(0); s <= to; s += to/200 + 1 {
			x := c.x(s)
			require.GreaterOrEqual(t, x, was)
			was = x
		}
		require.LessOrEqual(t, c.x(to+time.Hour), 900.0001)
		ticks := c.ticks()
		for i := 1; i < len(ticks); i++ {
			require.GreaterOrEqual(t, ticks[i].X-ticks[i-1].X, 43.0)
		}
	})
}
