package conformance

import (
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// row is one behaviour of Vector.
type row struct {
	name   string
	source string // where the behaviour is known from: measured, or a document
	play   func(*lab) string
	want   want
	slow   string // why it runs only with BOOTRACE_NIGHTLY=1
	left   left   // the stand-in's known difference
}

// want is what a play returns with each generation of Vector.
type want struct{ v56, v58 string }

// both generations were seen to do the same.
func both(seen string) want { return want{seen, seen} }

// left is what the stand-in does instead, and why that was not mended; a row with one fails when it is.
type left struct {
	seen want
	why  string
}

// The sources of most rows.
const (
	measured = "measured: behaviours.py on 0.56.0 and 0.58-dev built from source" // the same in both unless want says otherwise
	only56   = "measured: behaviours.py on 0.56.0; 0.58-dev was not asked, no change is announced"
	findings = "measured: beside 0.56.0 by hand, no output kept"
	released = "measured: 0.58.0 by others, `validate --no-environment`, no output kept"
)

// reference is a page of Vector's documentation.
func reference(page string) string { return "documented: vector.dev/docs/reference/" + page }

// source is a file of Vector's, below src.
func source(file string) string { return "documented: vector src/" + file }

// vrlSource is one of VRL's.
func vrlSource(file string) string { return "documented: vectordotdev/vrl src/" + file }

// upgrade is an upgrade guide of Vector's.
func upgrade(version string) string { return "documented: vector.dev, " + version + " upgrade guide" }

// area is a part of Vector.
type area struct {
	name string
	rows []row
}

var areas = []area{
	{"command line", commandLine},
	{"configurations", configurations},
	{"files", files},
	{"interpolation", interpolation},
	{"secrets", secrets},
	{"delivery", delivery},
	{"answers", answers},
	{"retries", retries},
	{"restarts", restarts},
	{"health", health},
	{"journald", journald},
	{"metrics", metrics},
	{"remap", remap},
	{"reload", reload},
	{"log", logs},
}

// generation is a Vector that rows have words of.
type generation struct {
	name    string // as `vector --version` says it
	literal bool   // ${VAR} stays as it is written (Vector 0.57 upgrade guide)
}

var (
	gen56 = generation{"0.56.0", false}
	gen58 = generation{"0.58.0", true}
)

func (w want) of(g generation) string {
	if g.literal {
		return w.v58
	}
	return w.v56
}

func TestConformance(t *testing.T) {
	t.Parallel()
	p := underTest(t)
	var ran, red, slow, known atomic.Int64
	t.Cleanup(func() {
		var as []string
		for _, g := range p.generations {
			as = append(as, g.name)
		}
		fmt.Printf("conformance: %d rows in %d areas, held against %s as %s: %d runs, %d red, %d with a known difference; %d slow ones left out\n",
			total(), len(areas), p.says, strings.Join(as, " and as "), ran.Load(), red.Load(), known.Load(), slow.Load())
	})
	for _, g := range p.generations {
		for _, a := range areas {
			for _, r := range a.rows {
				t.Run(g.name+"/"+a.name+"/"+r.name, func(t *testing.T) {
					t.Parallel()
					want := r.want.of(g)
					switch {
					case want == "":
						t.Skip("rows of the other generation only")
					case r.slow != "" && os.Getenv("BOOTRACE_NIGHTLY") == "":
						slow.Add(1)
						t.Skip("only with BOOTRACE_NIGHTLY=1: " + r.slow)
					}
					ran.Add(1)
					defer func() {
						if t.Failed() {
							red.Add(1)
						}
					}()
					l := newLab(t, p, g)
					got := r.play(l)
					why := "Vector's behaviour is " + r.source
					if instead := r.left.seen.of(g); p.standIn && instead != "" {
						known.Add(1)
						require.NotEqual(t, want, got, "the stand-in does as Vector does by now: remove the row's `left`")
						want, why = instead, "left: "+r.left.why
					}
					if !assert.Equal(t, want, got, why) {
						t.Logf("what the program said:\n%s", l.log.tail(20))
					}
				})
			}
		}
	}
}

func total() (n int) {
	for _, a := range areas {
		n += len(a.rows)
	}
	return n
}

func TestEveryRowSaysWhereItIsFromAndWhatIsLeft(t *testing.T) {
	t.Parallel()
	for _, a := range areas {
		names := map[string]bool{}
		for _, r := range a.rows {
			at := a.name + "/" + r.name
			assert.False(t, names[r.name], "%s is there twice", at)
			names[r.name] = true
			assert.True(t, strings.HasPrefix(r.source, "measured") || strings.HasPrefix(r.source, "documented"), "%s: source %q", at, r.source)
			assert.NotNil(t, r.play, at)
			assert.NotEqual(t, want{}, r.want, "%s wants nothing of either generation", at)
			assert.Equal(t, r.left.seen == want{}, r.left.why == "", "%s: a difference and its reason go together", at)
			for _, g := range []generation{gen56, gen58} {
				if seen := r.left.seen.of(g); seen != "" {
					assert.NotEqual(t, r.want.of(g), seen, "%s: what is left is no difference", at)
				}
			}
		}
	}
}

func TestAVersionIsHeldToTheRowsOfItsGeneration(t *testing.T) {
	t.Parallel()
	tests := []struct {
		says string
		want string
	}{
		{"vector 0.45.0 (x86_64-unknown-linux-gnu)", "0.56.0"},
		{"vector 0.56.0 (x86_64-unknown-linux-gnu)", "0.56.0"},
		{"vector 0.56.3 (x86_64-unknown-linux-gnu 1234)", "0.56.0"},
		{"vector 0.57.0 (x86_64-unknown-linux-gnu)", "0.58.0"},
		{"vector 0.58.0 (x86_64-unknown-linux-gnu)", "0.58.0"},
		{"vector 0.60.1 (aarch64-unknown-linux-gnu)", "0.58.0"},
		{"vector 1.0.0 (x86_64-unknown-linux-gnu)", "0.58.0"},
	}
	for _, tt := range tests {
		g, err := generationOf(tt.says)
		require.NoError(t, err)
		assert.Equal(t, tt.want, g.name, tt.says)
	}
	_, err := generationOf("nginx version: nginx/1.26")
	assert.Error(t, err)
}
