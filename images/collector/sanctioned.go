package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/coreos/go-systemd/v22/dbus"

	"bootrace/harness/pipeline"
	"bootrace/harness/recording"
	"bootrace/images/inside/envfile"
)

// vectorEnv is the file that may hold secrets. What others can do with it is judged by
// files.txt.
const vectorEnv = envfile.Dir + "/vector.env"

// sanctioned are the files that may hold secrets: vector.env, where it is a link that
// to which it leads, and what else is for Vector and for nobody but root and it: what its
// unit has as EnvironmentFile= or LoadCredential=, and what its configuration has as a
// secret backend.
func sanctioned(ctx context.Context, config recording.VectorConfig) []string {
	files := []string{vectorEnv}
	if real, err := filepath.EvalSymlinks(vectorEnv); err == nil {
		files = append(files, real)
	}
	given, binds := givenByUnit(ctx)
	for _, path := range readByBackends(config) {
		given = append(given, outside(path, binds))
	}
	for _, path := range given {
		files = append(files, guarded(path)...)
	}
	return files
}

// credstores are where LoadCredential= and ImportCredential= look for a name that is no path
// (systemd.exec(5)).
var credstores = []string{"/etc/credstore", "/run/credstore", "/usr/local/lib/credstore", "/usr/lib/credstore"}

// bind is a path of Vector's that is another one outside of its mounts (BindPaths=).
type bind struct{ from, to string }

// outside is where a path of Vector's lies for all others.
func outside(path string, binds []bind) string {
	for _, b := range binds {
		if rest, below := strings.CutPrefix(filepath.Clean(path)+"/", filepath.Clean(b.to)+"/"); below {
			return filepath.Join(b.from, rest)
		}
	}
	return path
}

// givenByUnit are the paths that PID 1 reads for Vector, and what it mounts elsewhere for it.
// No answer: none.
func givenByUnit(ctx context.Context) (paths []string, binds []bind) {
	conn, err := dbus.NewSystemdConnectionContext(ctx)
	if err != nil {
		return nil, nil
	}
	defer conn.Close()
	property := func(name string) any { // nil: an older systemd has none of that name
		if p, err := conn.GetServicePropertyContext(ctx, "vector.service", name); err == nil {
			return p.Value.Value()
		}
		return nil
	}
	// Of each pair of EnvironmentFiles, a(sb), the first is the path; of LoadCredential, a(ss), the second.
	for name, at := range map[string]int{"EnvironmentFiles": 0, "LoadCredential": 1, "LoadCredentialEncrypted": 1} {
		pairs, _ := property(name).([][]any)
		for _, pair := range pairs {
			path, _ := pair[at].(string)
			paths = append(paths, inCredstores(path)...)
		}
	}
	imported, _ := property("ImportCredential").([]string)
	for _, name := range imported {
		paths = append(paths, inCredstores(name)...)
	}
	for _, name := range []string{"BindPaths", "BindReadOnlyPaths"} { // a(ssbt): from, to
		list, _ := property(name).([][]any)
		for _, entry := range list {
			from, _ := entry[0].(string)
			to, _ := entry[1].(string)
			binds = append(binds, bind{from, to})
		}
	}
	return paths, binds
}

// inCredstores are the files of a path, or of a name in the stores; both may be patterns.
func inCredstores(name string) []string {
	patterns := []string{name}
	if !filepath.IsAbs(name) {
		patterns = nil
		for _, dir := range credstores {
			patterns = append(patterns, filepath.Join(dir, name))
		}
	}
	var paths []string
	for _, p := range patterns {
		found, _ := filepath.Glob(p)
		paths = append(paths, found...)
	}
	return paths
}

// readByBackends are the paths of Vector's secret backends (vector.dev, "Secrets"): a file, or
// a directory with a file for each.
func readByBackends(config recording.VectorConfig) []string {
	p, _ := pipeline.Parse(config) // what cannot be read names no file; the judging says so
	var paths []string
	for _, s := range p.Secrets {
		if path, _ := s.Options["path"].(string); path != "" && (s.Type == "file" || s.Type == "directory") {
			paths = append(paths, path)
		}
	}
	return paths
}

// guarded are the files at a path, or in the directory there, that nobody but root and Vector
// may read or change.
func guarded(path string) []string {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil
	}
	candidates := []string{real}
	if entries, err := os.ReadDir(real); err == nil {
		candidates = nil
		for _, e := range entries {
			if e.Type().IsRegular() && !strings.HasPrefix(e.Name(), ".") { // no backend reads what somebody left half written
				candidates = append(candidates, filepath.Join(real, e.Name()))
			}
		}
	}
	return slices.DeleteFunc(candidates, func(file string) bool {
		return !envfile.Contained(envfile.Others(file))
	})
}
