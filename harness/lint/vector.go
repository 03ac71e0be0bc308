package lint

import (
	"path"
	"regexp"
	"strings"

	"bootrace/images/vector/config"
)

// VectorConfig is the file that Vector reads when nothing else is named.
const VectorConfig = "/etc/vector/vector.yaml"

// variable is how a configuration names a variable, whatever follows.
var variable = regexp.MustCompile(`\$\{?([A-Za-z_][A-Za-z0-9_.]*)`)

// Vector says what can be seen of Vector's configuration where the stand-in is to play it: what it plays otherwise than
// Vector does, and, as undecided, what only a real Vector could tell. What it refuses is a note: variables have no values
// before a boot, and each was given one.
func Vector(text string) (remarks []Remark, undecided string) {
	if text == "" {
		return nil, ""
	}
	vars := map[string]string{}
	for _, m := range variable.FindAllStringSubmatch(text, -1) {
		vars[m[1]] = "value"
		if strings.Contains(m[1], "URL") {
			vars[m[1]] = "http://127.0.0.1:1"
		}
	}
	file := path.Base(VectorConfig)
	cfg, err := config.ParseTexts([]config.Text{{Format: config.YAML, Text: text}}, config.Options{Vars: vars, Interpolate: true, Detached: true})
	if err != nil {
		return []Remark{{Note, vector, file + ": the stand-in refuses it, as Vector is to: " + err.Error()}}, ""
	}
	for _, u := range cfg.Undecided() {
		sentence := strings.TrimPrefix(u.Sentence(), config.UndecidedPrefix)
		remarks = append(remarks, Remark{Problem, vector, file + ": the stand-in cannot decide: " + sentence})
		if undecided == "" {
			undecided = "the stand-in cannot decide: " + sentence
		}
	}
	for _, p := range cfg.Played() {
		text := file + ": " + p.Kind + " " + p.ID + " (" + p.Type + ") is " + p.How + " by the stand-in: " + p.Why
		if p.Unjudged {
			text += "; delivery is not judged by way of it"
		}
		remarks = append(remarks, Remark{Note, vector, text})
	}
	return remarks, undecided
}
