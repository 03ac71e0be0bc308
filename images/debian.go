package images

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/client"
)

// Suites are the Debian releases that have been seen to boot.
var suites = []string{"trixie", "bookworm"}

// Suites returns the bases to choose from, the default first.
func Suites() []string { return slices.Clone(suites) }

// IsTarball reports whether a base is given as a file.
func IsTarball(base string) bool {
	name := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(base, ".gz"), ".xz"), ".zst")
	return strings.HasSuffix(name, ".tar")
}

// tarball imports the root file system in a file.
func (b *Builder) tarball(ctx context.Context, file string) (Image, error) {
	f, err := os.Open(file)
	if err != nil {
		return Image{}, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return Image{}, fmt.Errorf("read %s: %w", file, err)
	}
	return b.Once(ctx, Recipe{Kind: "rootfs", Args: map[string]string{"SHA256": hex.EncodeToString(h.Sum(nil))}}, func(ctx context.Context, ref string) error {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		if err := b.importTar(ctx, f, ref, "rootfs"); err != nil {
			return fmt.Errorf("import %s: %w", file, err)
		}
		return nil
	})
}

// importTar makes an image of a tar stream.
func (b *Builder) importTar(ctx context.Context, stream io.Reader, ref, kind string) error {
	res, err := b.Engine.ImageImport(ctx, client.ImageImportSource{Source: stream, SourceName: "-"}, ref,
		client.ImageImportOptions{Changes: []string{"LABEL " + LabelImage + "=" + kind}})
	if err != nil {
		return err
	}
	defer res.Close()
	return buildOutcome(res)
}

// image is one that the engine has, else one that it can pull.
func (b *Builder) image(ctx context.Context, ref string) (Image, error) {
	if img, ok, err := b.lookup(ctx, ref); err != nil || ok {
		return img, err
	}
	ours := pulledAs(ref)
	if img, ok, err := b.lookup(ctx, ours); err != nil || ok {
		return img, err
	}
	if err := b.pull(ctx, ref, ours); err != nil {
		return Image{}, fmt.Errorf("the engine has no such image, it is no suite (%s) and no .tar: %w", strings.Join(suites, ", "), err)
	}
	return b.made(ctx, ours)
}

// pulledAs is our name of an image that was pulled. A tag has at most 128 characters
// (OCI distribution specification), and a name with its digest alone has 64 of them.
func pulledAs(ref string) string {
	sum := sha256.Sum256([]byte(ref))
	return "bootrace/pulled:" + hex.EncodeToString(sum[:])
}

// pullTimeout bounds the wait for a registry that does not answer; a small
// image comes in well under it.
const pullTimeout = 3 * time.Minute

// Base returns an image with systemd and cloud-init: of a suite, of the tarball
// of a root file system, or of an image that the engine has or can pull.
func (b *Builder) Base(ctx context.Context, suite string) (Image, error) {
	from := b.debian
	switch {
	case slices.Contains(suites, suite):
	case IsTarball(suite):
		from = b.tarball
	default:
		from = b.image
	}
	debian, err := from(ctx, suite)
	if err != nil {
		return Image{}, fmt.Errorf("base %s: %w", suite, err)
	}
	return b.baseOn(ctx, suite, debian)
}

// baseOn is the base that is made of an image.
func (b *Builder) baseOn(ctx context.Context, suite string, debian Image) (Image, error) {
	tree := Tree{}
	if err := tree.Dir(filepath.Join(b.Root, "images", "base"), ""); err != nil {
		return Image{}, fmt.Errorf("base %s: %w", suite, err)
	}
	img, err := b.Make(ctx, Recipe{
		Kind: "base",
		Tree: tree,
		// By ID: the name may be given to a newer image.
		Args:   map[string]string{"DEBIAN": debian.ID, "DPKG": strings.Join(slim, " ")},
		Labels: map[string]string{"bootrace.debian": suite},
	})
	if err != nil {
		return img, fmt.Errorf("base %s: %w", suite, err)
	}
	return img, nil
}

// debian returns a plain Debian: what the engine has, else pulled, else
// bootstrapped from Debian's packages.
func (b *Builder) debian(ctx context.Context, suite string) (Image, error) {
	ref := "bootrace/debian:" + suite
	if img, ok, err := b.lookup(ctx, ref); err != nil || ok {
		return img, err
	}
	pullErr := b.pull(ctx, "debian:"+suite, ref)
	if pullErr != nil {
		b.step("no registry has debian:%s for us, bootstrapping it from Debian's packages", suite)
		if err := b.bootstrap(ctx, suite, ref); err != nil {
			return Image{}, fmt.Errorf("neither pull nor bootstrap worked: %w", errors.Join(pullErr, err))
		}
	}
	return b.made(ctx, ref)
}

func (b *Builder) pull(ctx context.Context, from, ref string) error {
	ctx, cancel := context.WithTimeout(ctx, pullTimeout)
	defer cancel()
	b.step("pulling %s", from)
	if err := b.pullTold(ctx, from, func() {}); err != nil {
		return fmt.Errorf("pull %s: %w", from, err)
	}
	if _, err := b.Engine.ImageTag(ctx, client.ImageTagOptions{Source: from, Target: ref}); err != nil {
		return fmt.Errorf("tag %s as %s: %w", from, ref, err)
	}
	return nil
}

// bootstrap makes a minimal root file system with mmdebstrap and imports it.
func (b *Builder) bootstrap(ctx context.Context, suite, ref string) error {
	if err := b.installMmdebstrap(ctx); err != nil {
		return err
	}
	cmd := bootstrapCommand(ctx, suite)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("bootstrap %s: %w", suite, err)
	}
	// Under a name of its own until the whole tar stream is known to be good.
	part := fmt.Sprintf("bootrace/debian:%s-part-%d", suite, os.Getpid())
	importErr := b.importTar(ctx, stdout, part, "debian")
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("bootstrap %s with mmdebstrap: %w: %s", suite, err, lastLines(stderr.String(), 5))
	}
	if importErr != nil {
		return fmt.Errorf("import %s: %w", part, importErr)
	}
	if _, err := b.Engine.ImageTag(ctx, client.ImageTagOptions{Source: part, Target: ref}); err != nil {
		return fmt.Errorf("tag %s as %s: %w", part, ref, err)
	}
	_, err = b.Engine.ImageRemove(ctx, part, client.ImageRemoveOptions{})
	return err
}

// bootstrapCommand runs mmdebstrap in a mount namespace of its own where it is root's: it mounts
// the host's /proc, /sys and devices, which must be nowhere else if it is killed. Where ctx ends
// it is interrupted, for it removes its directory then.
func bootstrapCommand(ctx context.Context, suite string) *exec.Cmd {
	argv := []string{"mmdebstrap", "--variant=minbase", `--customize-hook=rm "$1"/etc/dpkg/dpkg.cfg.d/99mmdebstrap`}
	for _, option := range slim {
		argv = append(argv, "--dpkgopt="+option)
	}
	argv = append(argv, suite, "-")
	if os.Geteuid() == 0 { // another user's has namespaces of its own
		argv = append([]string{"unshare", "--mount"}, argv...)
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = bootstrapEnds
	return cmd
}

// slim are dpkg's options that leave out what Debian's slim images leave out, a third of the
// files. Nothing in an image says so: what a subject's installer brings is installed whole.
var slim = []string{
	"path-exclude=/usr/share/man/*", "path-exclude=/usr/share/doc/*", "path-exclude=/usr/share/info/*",
	"path-exclude=/usr/share/locale/*", "path-exclude=/usr/share/lintian/*", "path-exclude=/usr/share/groff/*",
	"path-include=/usr/share/doc/*/copyright", "path-include=/usr/share/locale/locale.alias",
}

// bootstrapEnds bounds how long an interrupted mmdebstrap removes its directory, which takes a
// second on an idle host and more than 20 on a busy one.
const bootstrapEnds = time.Minute

// installMmdebstrap sees to it that the program is there: by apt-get where that
// is possible, else by saying what to do.
func (b *Builder) installMmdebstrap(ctx context.Context) error {
	if _, err := exec.LookPath("mmdebstrap"); err == nil {
		return nil
	}
	const fix = "install it (apt-get install mmdebstrap), or let the engine reach a registry that has debian"
	if _, err := exec.LookPath("apt-get"); err != nil || os.Geteuid() != 0 {
		return fmt.Errorf("mmdebstrap is not installed: %s", fix)
	}
	b.step("installing mmdebstrap")
	for _, argv := range [][]string{{"apt-get", "update", "-qq"}, {"apt-get", "install", "-y", "-qq", "--no-install-recommends", "mmdebstrap"}} {
		cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil && argv[1] == "install" {
			return fmt.Errorf("%s: %w: %s; %s", strings.Join(argv, " "), err, lastLines(string(out), 3), fix)
		}
	}
	return nil
}

func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
