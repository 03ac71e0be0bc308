package document

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/invopop/jsonschema"
	validator "github.com/santhosh-tekuri/jsonschema/v6"
)

// Part is what one place of a file may hold.
type Part = jsonschema.Schema

// wanted is the keyword of a part that says in words what is expected there; editors
// show it as well.
const wanted = "errorMessage"

// Schema is what a kind of file may hold, as JSON Schema 2020-12. It is made of the
// Go type that the file is read into and of its fields' tags, as invopop/jsonschema
// reads them: jsonschema:"required,format=unit", where a format is a row of our
// texts; jsonschema_description; and jsonschema_extras:"errorMessage=…".
type Schema struct {
	root     *Part
	text     func() ([]byte, error)
	compiled func() (*validator.Schema, error)
}

// Of makes the schema of a value's type. A type with a method Values() []string is a
// choice of them, one that is or embeds a time.Duration is text such as 45s.
func Of(value any, title string) *Schema {
	r := jsonschema.Reflector{
		Anonymous: true, DoNotReference: true, RequiredFromJSONSchemaTags: true, FieldNameTag: "yaml", Mapper: text,
	}
	s := &Schema{root: r.Reflect(value)}
	s.root.Title = title
	s.text, s.compiled = sync.OnceValues(s.write), sync.OnceValues(s.compile)
	return s
}

// text is the part of a type that is text in a file, nil of others.
func text(t reflect.Type) *Part {
	duration := reflect.TypeFor[time.Duration]()
	if t == duration || t.Kind() == reflect.Struct && t.NumField() == 1 && t.Field(0).Anonymous && t.Field(0).Type == duration {
		return &Part{Type: "string", Format: "duration"}
	}
	choice, ok := reflect.Zero(t).Interface().(interface{ Values() []string })
	if !ok {
		return nil
	}
	return &Part{Type: "string", Enum: Choice(choice.Values())}
}

// Choice is what a text may be, one of these.
func Choice(values []string) []any {
	out := make([]any, len(values))
	for i, v := range values {
		out[i] = v
	}
	return out
}

// At returns the part at a path of keys, and a number for a list's items. It can be
// changed until the schema is first used.
func (s *Schema) At(path ...string) *Part {
	p := s.root
	for _, step := range path {
		switch {
		case p.Properties != nil && p.Properties.Value(step) != nil:
			p = p.Properties.Value(step)
		case p.Items != nil:
			p = p.Items
		case p.PatternProperties != nil:
			for _, p = range p.PatternProperties { // the one that there is
			}
		default:
			p = p.AdditionalProperties
		}
	}
	return p
}

// Keys says of which format the keys of a mapping are.
func (s *Schema) Keys(format string, path ...string) {
	p := s.At(path...)
	p.PatternProperties = map[string]*Part{texts[format].pattern: p.AdditionalProperties}
	p.AdditionalProperties = jsonschema.FalseSchema
}

// JSON is the schema as a file, for editors.
func (s *Schema) JSON() ([]byte, error) { return s.text() }

func (s *Schema) write() ([]byte, error) {
	complete(s.root)
	text, err := json.MarshalIndent(s.root, "", "  ")
	return append(text, '\n'), err
}

// complete puts what a format stands for in its place. No text is empty.
func complete(p *Part) {
	if p == nil {
		return
	}
	if t, ok := texts[p.Format]; ok {
		p.Format, p.Pattern = "", t.pattern
		if p.Extras[wanted] == nil {
			p.Extras = map[string]any{wanted: "expected " + t.want}
		}
	}
	if p.Type == "string" {
		p.MinLength = new(uint64(1))
	}
	if p.Properties != nil {
		for field := range p.Properties.ValuesFromOldest() {
			complete(field)
		}
	}
	complete(p.Items)
	complete(p.AdditionalProperties)
	for _, value := range p.PatternProperties {
		complete(value)
	}
}

func (s *Schema) compile() (*validator.Schema, error) {
	text, err := s.text()
	if err != nil {
		return nil, err
	}
	doc, err := validator.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	c := validator.NewCompiler()
	c.AssertFormat() // a day that no month has is none
	if err := c.AddResource("schema.json", doc); err != nil {
		return nil, fmt.Errorf("the schema of %s: %w", s.root.Title, err)
	}
	return c.Compile("schema.json")
}
