package history

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
)

// shuffles is how often boots are shuffled: the smallest p is a twenty-fifth of Alpha.
const shuffles = 4_999

// enoughBeyond is how many shuffles must have gone beyond the clearest shift for it
// to be plain that nothing moved; it is more than Alpha allows of all shuffles, so
// that stopping there changes no outcome (Besag and Clifford, 1991), and p is known
// to a seventh.
const enoughBeyond = 50

// shuffle finds p for all tests together, by boots that change sides within their
// group.
func shuffle(tests []*test) {
	tests = slices.DeleteFunc(slices.Clone(tests), func(t *test) bool { return t.spread == 0 })
	if len(tests) == 0 {
		return
	}
	var tables []table
	for at := 0; at < len(tests); {
		end := at
		for end < len(tests) && tests[end].group.key == tests[at].group.key {
			end++
		}
		tables = append(tables, newTable(tests[at:end]))
		at = end
	}
	random := rand.New(rand.NewPCG(seed(tests), uint64(len(tests))))
	beyond := make([]int, len(tests))
	done := 0
	for most := 0; done < shuffles && most < enoughBeyond; done++ {
		largest := 0.0
		for i := range tables {
			largest = max(largest, tables[i].shuffle(random))
		}
		for i, t := range tests {
			if largest >= math.Abs(t.z)-1e-9 {
				beyond[i]++
			}
		}
		most = slices.Min(beyond)
	}
	for i, t := range tests {
		t.p = float64(beyond[i]+1) / float64(done+1)
	}
}

// seed is the data's own, so that the same data gives the same answer.
func seed(tests []*test) uint64 {
	h := fnv.New64a()
	for _, t := range tests {
		for _, side := range t.values {
			for _, v := range side {
				_ = binary.Write(h, binary.LittleEndian, v) // a hash takes everything
			}
		}
	}
	return h.Sum64()
}

// table is the boots of one group with their scores in each of its tests.
type table struct {
	width  int       // tests
	scores []float64 // of a boot side by side, already divided by the test's spread
	order  []int     // of the boots
	draw   int       // the smaller side; the other one's sum is its negative
	sums   []float64
}

func newTable(tests []*test) table {
	g := tests[0].group
	n := len(g.boots[0]) + len(g.boots[1])
	t := table{width: len(tests), draw: min(len(g.boots[0]), len(g.boots[1])), sums: make([]float64, len(tests)),
		scores: make([]float64, n*len(tests)), order: make([]int, n)}
	for i := range n {
		t.order[i] = i
		for j, test := range tests {
			t.scores[i*t.width+j] = test.scores[i] / test.spread
		}
	}
	return t
}

// shuffle draws a side anew and returns the largest statistic.
func (t *table) shuffle(random *rand.Rand) float64 {
	clear(t.sums)
	n := len(t.order)
	for i := range t.draw {
		j := i + int(random.Uint32N(uint32(n-i)))
		t.order[i], t.order[j] = t.order[j], t.order[i]
		row := t.scores[t.order[i]*t.width:][:t.width]
		for k, s := range row {
			t.sums[k] += s
		}
	}
	largest := 0.0
	for _, s := range t.sums {
		largest = max(largest, math.Abs(s))
	}
	return largest
}
