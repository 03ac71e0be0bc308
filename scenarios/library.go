package scenarios

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"bootrace/scenarios/document"
)

//go:embed */*.yaml
var library embed.FS

// Library reads all scenarios that bootrace ships, in the order of their names'
// folders and names.
func Library() ([]Scenario, error) {
	files, err := fs.Glob(library, "*/*.yaml")
	if err != nil {
		return nil, err
	}
	var out []Scenario
	var errs []error
	for _, file := range files {
		source, err := library.ReadFile(file)
		if err != nil {
			return nil, err
		}
		s, err := Parse("scenarios/"+file, source)
		if want := strings.TrimSuffix(path.Base(file), ".yaml"); err == nil && s.Name != want {
			err = fmt.Errorf("scenarios/%s: its name is %s, and must be %s as the file's", file, s.Name, want)
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out = append(out, s)
	}
	return out, errors.Join(errs...)
}

// IsFile reports whether a scenario's name is that of a file: it has a slash or
// ends in .yaml or .yml.
func IsFile(name string) bool {
	return strings.ContainsRune(name, '/') || strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")
}

// Find returns a scenario of the library by its name, or reads a file.
func Find(name string) (Scenario, error) {
	if IsFile(name) {
		source, err := os.ReadFile(name)
		if err != nil {
			return Scenario{}, fmt.Errorf("read scenario: %w", err)
		}
		return Parse(name, source)
	}
	all, err := Library()
	if err != nil {
		return Scenario{}, err
	}
	candidates := names(Sizes())
	for _, s := range all {
		if s.Name == name {
			return s, nil
		}
		candidates = append(candidates, s.Name)
	}
	return Scenario{}, fmt.Errorf("there is no scenario %q%s; bootrace scenarios lists them, a file is given by its path", name, document.DidYouMean(name, candidates))
}

// Default is what a run without names takes: the delays.
func Default() ([]Scenario, error) {
	all, err := Library()
	return slices.DeleteFunc(all, func(s Scenario) bool { return !strings.HasPrefix(s.File, "scenarios/delay/") }), err
}

// Choose returns the scenarios that are asked for: by name, by file, all of a size, or all
// whose name a pattern such as vault-* matches. Without any it is those of [Default].
func Choose(asked []string) ([]Scenario, error) {
	if len(asked) == 0 {
		return Default()
	}
	var out []Scenario
	var errs []error
	for _, name := range asked {
		found, err := set(name)
		if len(found) == 0 && err == nil {
			var s Scenario
			s, err = Find(name)
			found = []Scenario{s}
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, s := range found {
			if slices.ContainsFunc(out, func(o Scenario) bool { return o.Name == s.Name }) {
				errs = append(errs, fmt.Errorf("scenario %s is named twice; --repeat boots it more often", s.Name))
			}
			out = append(out, s)
		}
	}
	return out, errors.Join(errs...)
}

// set is the library's scenarios of a size or of a pattern, none if name is neither.
func set(name string) ([]Scenario, error) {
	var in func(Scenario) bool
	switch {
	case slices.Contains(Sizes(), Size(name)):
		in = func(s Scenario) bool { return s.In(Size(name)) }
	case strings.ContainsAny(name, "*?[") && !IsFile(name):
		if _, err := path.Match(name, ""); err != nil {
			return nil, fmt.Errorf("scenarios %q: %w", name, err)
		}
		in = func(s Scenario) bool { ok, _ := path.Match(name, s.Name); return ok }
	default:
		return nil, nil
	}
	all, err := Library()
	all = slices.DeleteFunc(all, func(s Scenario) bool { return !in(s) })
	if len(all) == 0 && err == nil {
		err = fmt.Errorf("no scenario's name is like %q; bootrace scenarios lists them", name)
	}
	return all, err
}
