package images

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/image"
	"github.com/moby/moby/api/types/jsonstream"
	"github.com/moby/moby/client"
)

// Labels that every image and container of the project carries; clean-up goes by
// them and touches nothing else.
const (
	LabelImage = "bootrace.image" // the image's kind: base, azure, worker, subject
	labelCA    = "bootrace.ca"    // the azure image's authority, PEM in base64: Podman's builder writes \n for a line's end
)

// Builder makes images. Its zero value lacks an engine and a root.
type Builder struct {
	Engine *client.Client
	Root   string // the module's root directory: Dockerfiles and sources
	Cache  string // directory for built programs, kept between runs
	// Step is told what is being done when something has to be made; may be nil.
	Step func(what string)
}

// Image is an image that the engine has.
type Image struct {
	Ref    string // bootrace/KIND:HASH
	ID     string // sha256:…
	Labels map[string]string

	digests []string // sha256:…, its names in registries
}

func (b *Builder) step(format string, args ...any) {
	if b.Step != nil {
		b.Step(fmt.Sprintf(format, args...))
	}
}

// lookup asks the engine for an image; ok is false when it has none of that name.
func (b *Builder) lookup(ctx context.Context, ref string) (img Image, ok bool, err error) {
	got, err := b.Engine.ImageInspect(ctx, ref)
	if errdefs.IsNotFound(err) {
		return Image{}, false, nil
	}
	if err != nil {
		return Image{}, false, fmt.Errorf("ask the engine for image %s: %w", ref, err)
	}
	img = Image{Ref: ref, ID: got.ID}
	for _, name := range got.RepoDigests {
		if _, digest, ok := strings.Cut(name, "@"); ok {
			img.digests = append(img.digests, digest)
		}
	}
	if got.Config != nil {
		img.Labels = got.Config.Labels
	}
	return img, true, nil
}

// made is an image that the engine was told to make, or to take under the name.
func (b *Builder) made(ctx context.Context, ref string) (Image, error) {
	img, ok, err := b.lookup(ctx, ref)
	if err == nil && !ok {
		err = fmt.Errorf("the engine reported success but has no %s", ref)
	}
	return img, err
}

// Recipe is an image to be: a build context with its Dockerfile, and arguments.
type Recipe struct {
	Kind   string
	Tree   Tree
	Args   map[string]string
	Labels map[string]string
	// Fresh adds what is new in every build and so cannot be part of the hash:
	// more files for the context, more labels. May be nil.
	Fresh func() (Tree, map[string]string, error)
}

func (r Recipe) ref() string {
	h := sha256.New()
	fmt.Fprintln(h, r.Tree.Hash(), "files have times of their own")
	for _, m := range []map[string]string{r.Args, r.Labels} {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			fmt.Fprintf(h, "%q=%q\n", k, m[k])
		}
	}
	return "bootrace/" + r.Kind + ":" + hex.EncodeToString(h.Sum(nil))[:16]
}

// Make returns the recipe's image, building it when the engine does not have it.
func (b *Builder) Make(ctx context.Context, r Recipe) (Image, error) {
	return b.Once(ctx, r, func(ctx context.Context, ref string) error { return b.build(ctx, r, ref) })
}

// Once returns the recipe's image, which make makes under the name ref when the
// engine does not have it.
func (b *Builder) Once(ctx context.Context, r Recipe, make func(ctx context.Context, ref string) error) (Image, error) {
	ref := r.ref()
	if img, ok, err := b.lookup(ctx, ref); err != nil || ok {
		return img, err
	}
	unlock, err := b.lock(ctx, ref)
	if err != nil {
		return Image{}, err
	}
	defer unlock()
	// Another process may have built it while this one waited.
	if img, ok, err := b.lookup(ctx, ref); err != nil || ok {
		return img, err
	}
	b.step("building image %s", ref)
	if err := make(ctx, ref); err != nil {
		return Image{}, err
	}
	return b.made(ctx, ref)
}

// build has the engine build a recipe.
func (b *Builder) build(ctx context.Context, r Recipe, ref string) error {
	tree, labels := maps.Clone(r.Tree), map[string]string{LabelImage: r.Kind}
	maps.Copy(labels, r.Labels)
	if r.Fresh != nil {
		files, more, err := r.Fresh()
		if err != nil {
			return fmt.Errorf("image %s: %w", r.Kind, err)
		}
		tree.Merge(files, "")
		maps.Copy(labels, more)
	}
	buildContext, err := tree.Tar()
	if err != nil {
		return fmt.Errorf("image %s: %w", r.Kind, err)
	}
	args := map[string]*string{}
	for k, v := range r.Args {
		args[k] = &v
	}
	res, err := b.Engine.ImageBuild(ctx, bytes.NewReader(buildContext), client.ImageBuildOptions{
		Tags: []string{ref}, Remove: true, ForceRemove: true, BuildArgs: args, Labels: labels,
		NoCache: true, // a layer in it is the same for the same contents, whatever their times (Tree.Tar)
	})
	if err != nil {
		return fmt.Errorf("build image %s: %w", r.Kind, err)
	}
	defer res.Body.Close()
	if err := buildOutcome(res.Body); err != nil {
		return fmt.Errorf("build image %s: %w", r.Kind, err)
	}
	return nil
}

// lock keeps an image from being built twice at the same time: it would be the same
// work, and the second azure image would replace the first one's authority.
func (b *Builder) lock(ctx context.Context, ref string) (unlock func(), err error) {
	if err := os.MkdirAll(b.Cache, 0o755); err != nil {
		return nil, fmt.Errorf("make the cache directory: %w", err)
	}
	// By the hash's first two digits: different images seldom share one, and no file
	// has to be removed while somebody waits for it.
	name := "build-" + ref[strings.LastIndexByte(ref, ':')+1:][:2] + ".lock"
	f, err := os.OpenFile(filepath.Join(b.Cache, name), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock the image builds: %w", err)
	}
	for waits := false; ; waits = true {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			_ = f.Close()
			return nil, fmt.Errorf("lock the image builds: %w", err)
		}
		if !waits {
			b.step("waiting for another build of images")
		}
		select {
		case <-ctx.Done():
			_ = f.Close()
			return nil, fmt.Errorf("wait for another build of images: %w", ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// keptOutput is how many lines of a failed build the error shows.
const keptOutput = 25

// buildOutcome reads the engine's build log to its end; the error of a failed
// step carries the step's last lines.
func buildOutcome(r io.Reader) error {
	var last []string
	dec := json.NewDecoder(r)
	for {
		var m jsonstream.Message
		if err := dec.Decode(&m); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read the engine's build log: %w", err)
		}
		if m.Error != nil {
			return fmt.Errorf("%s\n%s", strings.TrimSpace(m.Error.Message), strings.Join(last, "\n"))
		}
		for l := range strings.Lines(m.Stream) {
			if l = strings.TrimRight(l, "\r\n"); l != "" {
				last = append(last, l)
			}
		}
		if len(last) > keptOutput {
			last = last[len(last)-keptOutput:]
		}
	}
}

// RemoveAll removes every image of ours that no container uses.
func (b *Builder) RemoveAll(ctx context.Context) (removed int, err error) {
	list, err := b.Engine.ImageList(ctx, client.ImageListOptions{All: false, Filters: client.Filters{}.Add("reference", "bootrace/*")})
	if err != nil {
		return 0, fmt.Errorf("list our images: %w", err)
	}
	var errs []error
	// The newest first: an image cannot go while another is built on it.
	slices.SortFunc(list.Items, func(a, b image.Summary) int { return cmp.Compare(b.Created, a.Created) })
	for _, img := range list.Items {
		for _, ref := range img.RepoTags {
			// A pulled Debian has no label of ours; the name that we gave it is.
			if img.Labels[LabelImage] == "" && !strings.HasPrefix(ref, "bootrace/debian:") && !strings.HasPrefix(ref, "bootrace/pulled:") {
				continue
			}
			if _, err := b.Engine.ImageRemove(ctx, ref, client.ImageRemoveOptions{PruneChildren: true}); err != nil {
				errs = append(errs, fmt.Errorf("remove image %s: %w", ref, err))
				continue
			}
			removed++
		}
	}
	// What a build that was broken off left has our label and no name.
	nameless, err := b.Engine.ImageList(ctx, client.ImageListOptions{Filters: client.Filters{}.Add("label", LabelImage).Add("dangling", "true")})
	if err != nil {
		return removed, errors.Join(append(errs, fmt.Errorf("list our images without a name: %w", err))...)
	}
	for _, img := range nameless.Items {
		if _, err := b.Engine.ImageRemove(ctx, img.ID, client.ImageRemoveOptions{PruneChildren: true}); err != nil {
			errs = append(errs, fmt.Errorf("remove image %.19s: %w", img.ID, err))
			continue
		}
		removed++
	}
	return removed, errors.Join(errs...)
}
