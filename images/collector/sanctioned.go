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
	for _, path := range slices.Concat(givenByUnit(ctx), readByBackends(config)) {
		files = append(files, guarded(path)...)
	}
	return files
}

// credstores are where LoadCredential= looks for a name that is no path (systemd.exec(5)).
var credstores = []string{"/etc/credstore", "/run/credstore", "/usr/local/lib/credstore", "/usr/lib/credstore"}

// givenByUnit are the paths that PID 1 reads for Vector. No answer: none.
func givenByUnit(ctx context.Context) []string {
	conn, err := dbus.NewSystemdConnectionContext(ctx)
	if err != nil {
		return nil
	}
	defer conn.Close()
	var paths []string
	// Of each pair of EnvironmentFiles, a(sb), the first is the path; of LoadCredential, a(ss), the second.
	for name, at := range map[string]int{"EnvironmentFiles": 0, "LoadCredential": 1, "LoadCredentialEncrypted": 1} {
		p, err := conn.GetServicePropertyContext(ctx, "vector.service", name)
		if err != nil {
			continue // an older systemd has no such property
		}
		pairs, _ := p.Value.Value().([][]any)
		for _, pair := range pairs {
			path, _ := pair[at].(string)
			if filepath.IsAbs(path) {
				paths = append(paths, path)
				continue
			}
			for _, dir := range credstores {
				paths = append(paths, filepath.Join(dir, path))
			}
		}
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
