package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// File is a file named on the command line or by a variable. Without a format its name tells.
type File struct {
	Path   string
	Format Format
}

// LoadFiles reads files, whose names may be patterns, and directories, as Vector does: `-c` and `--config-dir`. It needs no
// more than Options to be of use to who only looks at a configuration.
func LoadFiles(files []File, dirs []string, o Options) (*Config, error) {
	texts, err := ReadFiles(files, dirs)
	if err != nil {
		return nil, err
	}
	return ParseTexts(texts, o)
}

// ReadFiles reads the files that a configuration is in.
func ReadFiles(files []File, dirs []string) ([]Text, error) {
	var texts []Text
	var problems Errors
	seen := map[string]bool{}
	for _, file := range files {
		paths, err := filepath.Glob(file.Path)
		if err != nil || len(paths) == 0 {
			problems = append(problems, fmt.Sprintf("Config file not found in path. path=%q", file.Path))
			continue
		}
		slices.Sort(paths)
		for _, path := range paths {
			if seen[path] {
				continue
			}
			seen[path] = true
			text, err := readFile(path)
			if err != nil {
				problems = append(problems, err.Error())
				continue
			}
			if text.Format, _ = FormatOf(path); file.Format != "" {
				text.Format = file.Format
			}
			texts = append(texts, text)
		}
	}
	for _, dir := range dirs {
		more, err := readDir(dir)
		if err != nil {
			problems = append(problems, err.Error())
		}
		texts = append(texts, more...)
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return texts, nil
}

func readFile(path string) (Text, error) {
	raw, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Text{}, fmt.Errorf("Config file not found in path. path=%q", path)
	case err != nil:
		return Text{}, fmt.Errorf("Config file could not be opened. path=%q: %s", path, plain(err))
	}
	return Text{Text: string(raw)}, nil
}

// readDir reads a directory's own files and, in its folders, those of one component each.
func readDir(dir string) ([]Text, error) {
	texts, err := readFolder(dir, "")
	if err != nil {
		return nil, err
	}
	for _, section := range []string{"sources", "transforms", "sinks", "tests", "enrichment_tables"} {
		more, err := readFolder(filepath.Join(dir, section), section)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		texts = append(texts, more...)
	}
	for i := range texts {
		texts[i].Directory = dir
	}
	return texts, nil
}

func readFolder(dir, section string) ([]Text, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		//lint:ignore ST1005 Vector's words
		return nil, fmt.Errorf("Could not read config dir: %q: %w", dir, err)
	}
	var texts []Text
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		format, known := FormatOf(path)
		info, err := os.Stat(path)
		if !known || err != nil || !info.Mode().IsRegular() {
			continue
		}
		text, err := readFile(path)
		if err != nil {
			return nil, err
		}
		text.Format, text.Section = format, section
		if section != "" {
			text.Name = strings.TrimSuffix(entry.Name(), filepath.Ext(entry.Name()))
		}
		texts = append(texts, text)
	}
	return texts, nil
}
