package conformance

import (
	"cmp"
	"context"
	"errors"
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
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		_ = flag.Set("test.parallel", "24")
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
	if errors.Is(err, errNoFile) {
		t.Skip(err)
	}
	require.NoError(t, err)
	if n := len(p.generations); testing.Short() && n > 1 {
		p.generations = p.generations[n-1:] // half the time
	}
	return p
}

// errNoFile is of a VECTOR for `bootrace run`, which takes images by name as well. make conformance gives a path, and
// one that is not there fails.
var errNoFile = errors.New("VECTOR names no file; the rows want the program itself")

var find = sync.OnceValues(func() (program, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	path, err := provide(ctx, os.Getenv("VECTOR"))
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

// provide builds the stand-in, or finds what VECTOR names, from here or from the repository's root, where make runs.
func provide(ctx context.Context, vector string) (string, error) {
	if vector == "" {
		path := filepath.Join(scratch, "vector")
		build := exec.CommandContext(ctx, "go", "build", "-o", path, "bootrace/images/vector")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return "", fmt.Errorf("build the stand-in: %w\n%s", err, out)
		}
		return path, nil
	}
	path, err := filepath.Abs(vector)
	if err != nil {
		return "", err
	}
	if !filepath.IsAbs(vector) {
		if _, err := os.Stat(path); err != nil {
			path = filepath.Join("../../..", vector)
		}
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("VECTOR=%s: %w", vector, errNoFile)
		}
		if path, err = filepath.Abs(path); err != nil {
			return "", err
		}
	}
	if strings.HasSuffix(path, ".deb") {
		if out, err := exec.CommandContext(ctx, "dpkg-deb", "-x", path, scratch).CombinedOutput(); err != nil {
			return "", fmt.Errorf("VECTOR=%s: unpack: %w: %s", vector, err, out)
		}
		path = filepath.Join(scratch, "usr/bin/vector")
	}
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
		return "", fmt.Errorf("VECTOR=%s: %s is no program; give Vector's binary or its .deb", vector, path)
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
