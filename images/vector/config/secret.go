package config

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// placeholder is SECRET[backend.key] (vector.dev, "Secrets management").
var placeholder = regexp.MustCompile(`SECRET\[([[:word:]]+)\.([[:word:]./-]+)\]`)

// backend is a row of the secret section.
type backend struct {
	Type, Path string
	Trim       bool
	Command    []string
	Timeout    time.Duration
}

// secrets puts in what the placeholders stand for. No value is ever in a problem.
func (r *reader) secrets(texts []Text) []string {
	wanted := map[string][]string{}
	for _, t := range texts {
		for _, m := range placeholder.FindAllStringSubmatch(t.Text, -1) {
			if !slices.Contains(wanted[m[1]], m[2]) {
				wanted[m[1]] = append(wanted[m[1]], m[2])
			}
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	backends, err := backendsOf(texts)
	if err != nil {
		return []string{err.Error()}
	}
	values := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		b, ok := backends[name]
		if !ok {
			return []string{fmt.Sprintf("Backend %q is required for secret retrieval but was not found in config.", name)}
		}
		got, known, err := b.retrieve(wanted[name])
		if !known {
			r.cannotDecide("secret."+name, "a secret backend of the type `"+b.Type+"` is not played")
			continue
		}
		if err != nil {
			return []string{fmt.Sprintf("Error while retrieving secret from backend %q: %v.", name, err)}
		}
		for key, value := range got {
			values[name+"."+key] = value
		}
	}
	for i := range texts {
		texts[i].Text = placeholder.ReplaceAllStringFunc(texts[i].Text, func(s string) string {
			return values[strings.TrimSuffix(strings.TrimPrefix(s, "SECRET["), "]")]
		})
	}
	return nil
}

func backendsOf(texts []Text) (map[string]backend, error) {
	all := map[string]backend{}
	r := &reader{}
	for _, t := range texts {
		root, err := document(t.Format, t.Text)
		if err != nil {
			return nil, err
		}
		if root == nil || t.Section != "" {
			continue
		}
		r.take(root, "", fields{"secret": func(n *yaml.Node, at string) {
			r.members(n, at, func(name string, n *yaml.Node, at string) {
				b := backend{Timeout: 5 * time.Second}
				r.take(n, at, fields{
					"type":                       r.text(&b.Type),
					"path":                       r.text(&b.Path),
					"remove_trailing_whitespace": r.boolean(&b.Trim),
					"command":                    r.texts(&b.Command),
					"timeout":                    r.seconds(&b.Timeout),
				}, "type")
				all[name] = b
			})
		}})
	}
	if len(r.problems) > 0 {
		return nil, errors.New(strings.Join(r.problems, "; "))
	}
	return all, nil
}

func (b backend) retrieve(keys []string) (values map[string]string, known bool, err error) {
	values = map[string]string{}
	switch b.Type {
	case "file":
		text, err := os.ReadFile(b.Path)
		if err != nil {
			return nil, true, fmt.Errorf("file %q: %s", b.Path, plain(err))
		}
		if json.Unmarshal(text, &values) != nil {
			return nil, true, fmt.Errorf("file %q is not a JSON object of texts", b.Path)
		}
	case "directory":
		for _, key := range keys {
			path := filepath.Join(b.Path, key)
			text, err := os.ReadFile(path)
			if err != nil {
				return nil, true, fmt.Errorf("secret for key '%s' was not retrieved: %s", key, plain(err))
			}
			values[key] = string(text)
			if b.Trim {
				values[key] = strings.TrimRightFunc(values[key], unicode.IsSpace)
			}
		}
	case "exec":
		if values, err = b.ask(keys); err != nil {
			return nil, true, err
		}
	default:
		return nil, false, nil
	}
	for _, key := range keys {
		value, ok := values[key]
		if !ok {
			return nil, true, fmt.Errorf("secret for key '%s' was not retrieved", key)
		}
		if value == "" {
			return nil, true, fmt.Errorf("secret for key '%s' was empty", key)
		}
	}
	return values, true, nil
}

// ask runs the backend's command: the keys go to its input as JSON, what it knows comes by its output.
func (b backend) ask(keys []string) (map[string]string, error) {
	if len(b.Command) == 0 {
		return nil, errors.New("no command")
	}
	query, err := json.Marshal(map[string]any{"version": "1.0", "secrets": keys})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), b.Timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, b.Command[0], b.Command[1:]...)
	cmd.Stdin = bytes.NewReader(query)
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if ctx.Err() != nil {
		//lint:ignore ST1005 Vector's words
		return nil, errors.New("Command timed-out")
	}
	if err != nil && len(out) == 0 {
		return nil, fmt.Errorf("command %q: %w", b.Command[0], err)
	}
	var answers map[string]struct {
		Value *string `json:"value"`
		Error *string `json:"error"`
	}
	if json.Unmarshal(out, &answers) != nil {
		return nil, fmt.Errorf("command %q did not answer in JSON", b.Command[0])
	}
	values := map[string]string{}
	for _, key := range keys {
		answer, ok := answers[key]
		switch {
		case !ok:
		case answer.Error != nil:
			return nil, fmt.Errorf("secret for key '%s' was not retrieved", key)
		case answer.Value == nil:
			values[key] = ""
		default:
			values[key] = *answer.Value
		}
	}
	return values, nil
}
