package conformance

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// program is what the rows are held against.
type program struct {
	path        string
	says        string // its --version
	standIn     bool
	generations []generation
}

// scratch is where the stand-in is built; other users may read it.
var scratch string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	flag.Parse()
	// Rows wait, they do not compute: two at once, one for each core, would take minutes.
	if given := false; true {
		flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
		if !given {
			_ = flag.Set("test.parallel", "24")
		}
	}
	var err error
	if scratch, err = os.MkdirTemp("", "conformance-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(scratch)
	if err := os.Chmod(scratch, 0o755); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// underTest is the program that VECTOR names, else the stand-in, built from this tree.
func underTest(t *testing.T) program {
	t.Helper()
	p, err := find()
	require.NoError(t, err)
	return p
}

var find = sync.OnceValues(func() (program, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	path := os.Getenv("VECTOR")
	if path == "" {
		path = filepath.Join(scratch, "vector")
		build := exec.CommandContext(ctx, "go", "build", "-o", path, "bootrace/images/vector")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return program{}, fmt.Errorf("build the stand-in: %w\n%s", err, out)
		}
	}
	path, err := executable(path)
	if err != nil {
		return program{}, err
	}
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return program{}, fmt.Errorf("%s --version: %w", path, err)
	}
	p := program{path: path, says: strings.TrimSpace(string(out))}
	p.standIn = strings.Contains(p.says, "stand-in")
	if p.standIn {
		p.generations = []generation{gen56, gen58}
		return p, nil
	}
	g, err := generationOf(p.says)
	p.generations = []generation{g}
	return p, err
})

// executable finds VECTOR from here or from the repository's root, where make runs.
func executable(path string) (string, error) {
	if !filepath.IsAbs(path) {
		if _, err := os.Stat(path); err != nil {
			path = filepath.Join("..", "..", "..", path)
		}
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
		return "", fmt.Errorf("VECTOR=%s: %s is no program: give the binary itself (of a .deb: dpkg-deb -x FILE DIR, then DIR/usr/bin/vector)", os.Getenv("VECTOR"), path)
	}
	return path, nil
}

// generationOf reads `vector X.Y.Z (…)`. What rows have no word of goes by the nearest: older ones by 0.56, newer by 0.58.
func generationOf(says string) (generation, error) {
	var major, minor int
	if _, err := fmt.Sscanf(says, "vector %d.%d", &major, &minor); err != nil {
		return generation{}, fmt.Errorf("--version says %q, want `vector MAJOR.MINOR…`: %w", says, err)
	}
	if cmp.Or(cmp.Compare(major, 0), cmp.Compare(minor, 57)) < 0 {
		return gen56, nil
	}
	return gen58, nil
}
