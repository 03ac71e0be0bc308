package document_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"bootrace/scenarios/document"
)

type mood string

func (mood) Values() []string { return []string{"good", "bad"} }

type file struct {
	Version int                      `yaml:"version" jsonschema:"required,enum=1" jsonschema_description:"Version of this format: 1"`
	Unit    string                   `yaml:"unit" jsonschema:"format=unit"`
	Mood    mood                     `yaml:"mood"`
	Within  map[string]time.Duration `yaml:"within"`
	Days    []string                 `yaml:"days" jsonschema:"uniqueItems=true,format=date"`
	Spare   struct {
		Count int `yaml:"count" jsonschema:"minimum=2"`
	} `yaml:"spare"`
}

// read reads a file, and returns its problems.
func read(source string) (file, []string) {
	p := &document.Problems{File: "f", Source: []byte(source)}
	var f file
	p.Read("file", 1, document.Of(file{}, "file"), &f)
	_ = p.Err()
	var said []string
	for _, problem := range p.List {
		said = append(said, problem.String())
	}
	return f, said
}

func TestAFileIsReadIntoItsType(t *testing.T) {
	t.Parallel()
	f, said := read("version: 1\nunit: a.service\nmood: bad\nwithin: {default: 1m30s}\ndays: [2026-02-28]\nspare: {count: 2}\n")
	assert.Empty(t, said)
	assert.Equal(t, mood("bad"), f.Mood)
	assert.Equal(t, 90*time.Second, f.Within["default"])
	assert.Equal(t, 2, f.Spare.Count)
}

func TestWhatIsWrongIsSaidInWords(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"version: 1\nunit: a":                        `f:2:7: unit: expected a unit's full name, such as vector.service, found "a"`,
		"version: 1\nmood: mixed":                    `f:2:7: mood: expected one of good, bad, found "mixed"`,
		"version: 1\nmodo: bad":                      `f:2:1: unknown key modo: expected days, mood, spare, unit, version, within (did you mean mood?)`,
		"version: 1\nwithin: {a: 5}":                 `f:2:13: within.a: expected a duration such as 45s or 4m, found "5"`,
		"version: 1\nwithin: {1.0: 5}":               `f:2:9: within.1: expected a duration such as 45s or 4m, found keys with values`,
		"version: 1\ndays: [2026-02-30]":             `f:2:8: days[0]: expected a day such as 2026-01-31, found "2026-02-30"`,
		"version: 1\ndays: [2026-02-01, 2026-02-01]": `f:2:20: days[1]: 2026-02-01 is there twice`,
		"version: 1\nspare: {count: 1}":              `f:2:16: spare.count: expected a whole number, at least 2, found "1"`,
		"version: 1\nspare: 3":                       `f:2:8: spare: expected keys with values, found "3"`,
		"unit: a.service":                            `f:1:5: version is missing: Version of this format: 1`,
		"version: 2\nnews: 1":                        `f:1:1: version: this program reads version 1, found 2`,
		"version: 1\nunit: &a a.service":             `f:2:7: anchors, aliases and tags are not taken: write the value out`,
		"version: 1\nwithin: {<<: {a: 1s}}":          `f:2:10: anchors, aliases and tags are not taken: write the value out`,
	} {
		_, said := read(source)
		assert.Equal(t, []string{want}, said, source)
	}
}

// FuzzRead: whatever is read, a problem has a place or is of the whole file.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{"version: 1\nwithin: {1.0: 5, ~: x, true: 1s, [a]: b}", "version: 1\n? a\n: b", "version: 1\ndays: [{a: b}, [c]]", "- version: 1", "version: 1\n\"uni\\u0074\": 5"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		_, said := read(source)
		assert.False(t, slices.Contains(said, ""))
	})
}

func ExampleProblems_Read() {
	p := &document.Problems{File: "mine.yaml", Source: []byte("version: 1\nmoood: good\n")}
	p.Read("file", 1, document.Of(file{}, "file"), &file{})
	fmt.Println(p.Err())
	// Output:
	// mine.yaml:2:1: unknown key moood: expected days, mood, spare, unit, version, within (did you mean mood?)
	//     moood: good
	//     ^
}
