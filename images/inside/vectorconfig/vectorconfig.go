// Package vectorconfig finds what Vector was made to read.
package vectorconfig

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"bootrace/harness/recording"
	"bootrace/images/inside/process"
)

// maxConfig bounds one file of a configuration.
const maxConfig = 1 << 20

// Find finds what Vector reads: by the command line and environment of the one that runs in the unit, else
// by the unit's ExecStart=.
func Find(ctx context.Context) recording.VectorConfig {
	c := recording.VectorConfig{Files: []recording.ConfigFile{}}
	var vars map[string]string
	if pid, argv, environ, ok := runningVector("/proc"); ok {
		c.From, c.Argv, vars = fmt.Sprintf("process %d", pid), argv, environ
	} else {
		out, err := process.Output(ctx, "systemctl", "show", "vector.service", "-p", "ExecStart,Environment")
		if err != nil {
			c.Problems = append(c.Problems, err.Error())
		}
		c.From = "vector.service, ExecStart="
		c.Argv, vars = ofUnit(string(out))
	}
	for _, f := range configFiles(c.Argv, vars) {
		read(&c, f)
	}
	return c
}

func read(c *recording.VectorConfig, f recording.ConfigFile) {
	info, err := os.Stat(f.Path)
	if err == nil && info.Size() > maxConfig {
		err = fmt.Errorf("%d bytes, more than are read", info.Size())
	}
	var text []byte
	if err == nil {
		text, err = os.ReadFile(f.Path)
	}
	if err != nil {
		c.Problems = append(c.Problems, fmt.Sprintf("%s: %v", f.Path, err))
		return
	}
	f.Text = string(text)
	c.Files = append(c.Files, f)
}

// runningVector is the Vector that runs in vector.service: the main process or, below a wrapper, its child. One that
// only validates is none.
func runningVector(proc string) (pid int, argv []string, vars map[string]string, ok bool) {
	dirs, _ := filepath.Glob(proc + "/[0-9]*")
	for _, dir := range dirs {
		data, err := os.ReadFile(dir + "/cmdline")
		if err != nil || process.Unit(dir) != "vector.service" {
			continue
		}
		argv = strings.Split(strings.TrimRight(string(data), "\x00"), "\x00")
		if filepath.Base(argv[0]) != "vector" || slices.Contains(argv, "validate") {
			continue
		}
		environ, err := os.ReadFile(dir + "/environ")
		if err != nil {
			continue
		}
		vars = map[string]string{}
		for kv := range strings.SplitSeq(string(environ), "\x00") {
			if name, value, set := strings.Cut(kv, "="); set && strings.HasPrefix(name, "VECTOR_CONFIG") {
				vars[name] = value
			}
		}
		_, _ = fmt.Sscan(filepath.Base(dir), &pid)
		return pid, argv, vars, true
	}
	return 0, nil, nil, false
}

// ofUnit reads what systemctl shows: `ExecStart={ path=… ; argv[]=a b c ; … }`. Quotes are not in it.
func ofUnit(shown string) (argv []string, vars map[string]string) {
	vars = map[string]string{}
	for line := range strings.Lines(shown) {
		if _, rest, ok := strings.Cut(line, "argv[]="); ok && argv == nil {
			command, _, _ := strings.Cut(rest, " ; ")
			argv = strings.Fields(command)
		}
		if list, ok := strings.CutPrefix(strings.TrimSpace(line), "Environment="); ok {
			for _, kv := range strings.Fields(list) {
				if name, value, set := strings.Cut(strings.Trim(kv, `"`), "="); set && strings.HasPrefix(name, "VECTOR_CONFIG") {
					vars[name] = value
				}
			}
		}
	}
	return argv, vars
}

// configOptions are the options and variables that name files, and the format that they say (`vector --help`); "" goes
// by the file's ending.
var configOptions = []struct{ option, short, variable, format string }{
	{"--config", "-c", "VECTOR_CONFIG", ""},
	{"--config-toml", "", "VECTOR_CONFIG_TOML", "toml"},
	{"--config-json", "", "VECTOR_CONFIG_JSON", "json"},
	{"--config-yaml", "", "VECTOR_CONFIG_YAML", "yaml"},
	{"--config-dir", "-C", "VECTOR_CONFIG_DIR", "dir"},
}

// defaultVectorConfig is what Vector reads when nothing is named.
const defaultVectorConfig = "/etc/vector/vector.yaml"

// configFiles lists the files that a command line and its environment name. A flag goes before its variable; several are
// separated by commas or given several times; patterns are allowed.
func configFiles(argv []string, vars map[string]string) []recording.ConfigFile {
	var out []recording.ConfigFile
	for _, o := range configOptions {
		var values []string
		for i, arg := range argv {
			name, value, inline := strings.Cut(arg, "=")
			if name != o.option && (o.short == "" || name != o.short) {
				continue
			}
			if !inline && i+1 < len(argv) {
				value = argv[i+1]
			}
			values = append(values, value)
		}
		if len(values) == 0 && vars[o.variable] != "" {
			values = []string{vars[o.variable]}
		}
		for _, value := range strings.Split(strings.Join(values, ","), ",") {
			if value != "" {
				out = append(out, named(value, o.format)...)
			}
		}
	}
	if len(out) == 0 {
		out = named(defaultVectorConfig, "")
	}
	return out
}

// sections are the folders below --config-dir whose files are components (vector.dev, "Automatic namespacing").
var sections = []string{"sources", "transforms", "sinks", "enrichment_tables", "tests"}

func named(path, format string) []recording.ConfigFile {
	if format == "dir" {
		var out []recording.ConfigFile
		for _, section := range append([]string{""}, sections...) {
			entries, _ := os.ReadDir(filepath.Join(path, section))
			for _, e := range entries {
				if file := filepath.Join(path, section, e.Name()); !e.IsDir() && formatOf(file) != "" {
					out = append(out, recording.ConfigFile{Path: file, Format: formatOf(file), Section: section})
				}
			}
		}
		if len(out) == 0 {
			out = []recording.ConfigFile{{Path: path, Format: "yaml"}} // reading it says what is wrong
		}
		return out
	}
	files := []string{path}
	if strings.ContainsAny(path, "*?[") {
		if found, err := filepath.Glob(path); err == nil && len(found) > 0 {
			files = found
		}
	}
	var out []recording.ConfigFile
	for _, file := range files {
		f := recording.ConfigFile{Path: file, Format: format}
		if format == "" {
			f.Format = formatOf(file)
		}
		if f.Format == "" {
			f.Format = "toml" // Vector's own guess for another ending
		}
		out = append(out, f)
	}
	return out
}

func formatOf(file string) string {
	switch filepath.Ext(file) {
	case ".yaml", ".yml":
		return "yaml"
	case ".toml":
		return "toml"
	case ".json":
		return "json"
	}
	return ""
}
