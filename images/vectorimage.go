package images

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/moby/moby/client"
)

const (
	// autoAnswer is how long --vector auto waits for a registry's first answer, and
	// realAnswer how long who insists does. A name that does not resolve and a
	// connection that is refused fail at once; where packets vanish nothing does.
	autoAnswer = 800 * time.Millisecond
	realAnswer = 30 * time.Second
	// silentFor is how long auto remembers that nothing answered.
	silentFor = 15 * time.Minute
	// silenceFile remembers it, in the cache.
	silenceFile = "vector-no-answer.json"
)

// errSilent says that a registry did not answer in time.
var errSilent = errors.New("no answer")

// vectorOfImage takes Vector out of an image, pulled if need be.
func (b *Builder) vectorOfImage(ctx context.Context, v Vector, p *VectorProgram) error {
	img, err := b.fetch(ctx, v)
	if err != nil {
		return err
	}
	program, err := b.programOf(ctx, img.ID)
	if err == nil {
		err = b.runsHere(ctx, program)
	}
	if err != nil {
		return fmt.Errorf("--vector, image %s: %w", v.given, err)
	}
	p.files[vectorProgram] = File{Mode: 0o755, Data: program}
	digest := img.ID
	if len(img.digests) > 0 {
		digest = img.digests[0]
	}
	p.Name = realName(v.given, digest)
	return b.ourUnit(p.files)
}

// fetch returns an image that the engine has, without asking anybody, or pulls it.
func (b *Builder) fetch(ctx context.Context, v Vector) (Image, error) {
	img, ok, err := b.lookup(ctx, v.given)
	if err != nil || ok {
		return img, err
	}
	within := realAnswer
	if v.kind == autoVector {
		within = autoAnswer
		if at, ok := b.silentSince(v.given); ok {
			return img, fmt.Errorf("%s: no registry answered at %s, and none is asked before %s", v.given, at.Format(time.TimeOnly), at.Add(silentFor).Format(time.TimeOnly))
		}
	}
	if err := b.pullWithin(ctx, v.given, within); err != nil {
		if errors.Is(err, errSilent) {
			err = errors.Join(err, b.rememberSilence(v.given))
		}
		if v.kind == autoVector { // nobody named it: it is known to be no file
			return img, fmt.Errorf("pull %s: %w", v.given, err)
		}
		return img, fmt.Errorf("--vector: %q is no file, and as an image it cannot be pulled: %w", v.given, err)
	}
	return b.made(ctx, v.given)
}

// pullWithin pulls an image whose registry answers in time.
func (b *Builder) pullWithin(ctx context.Context, ref string, within time.Duration) error {
	ctx, stop := context.WithTimeout(ctx, pullTimeout)
	defer stop()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	answer := time.AfterFunc(within, func() { cancel(errSilent) })
	defer answer.Stop()
	err := b.pullTold(ctx, ref, func() {
		if answer.Stop() {
			b.step("pulling %s", ref)
		}
	})
	if errors.Is(context.Cause(ctx), errSilent) {
		return fmt.Errorf("%w within %s", errSilent, within)
	}
	return err
}

// pullTold pulls an image and tells of each of the engine's messages, the first of
// which follows the registry's answer.
func (b *Builder) pullTold(ctx context.Context, ref string, heard func()) error {
	res, err := b.Engine.ImagePull(ctx, ref, client.ImagePullOptions{})
	if err != nil {
		return err
	}
	for m, err := range res.JSONMessages(ctx) {
		switch {
		case err != nil:
			return err
		case m.Error != nil:
			return m.Error
		}
		heard()
	}
	return ctx.Err()
}

// silence is what the cache remembers of a registry that did not answer.
type silence struct {
	Image string    `json:"image"`
	At    time.Time `json:"at"`
}

// silentSince returns when a registry was lately asked for the image in vain. What
// cannot be read is not known: the registry is asked.
func (b *Builder) silentSince(ref string) (at time.Time, ok bool) {
	var s silence
	data, err := os.ReadFile(filepath.Join(b.Cache, silenceFile))
	if err != nil || json.Unmarshal(data, &s) != nil {
		return at, false
	}
	since := time.Since(s.At)
	return s.At.Local(), s.Image == ref && since >= 0 && since < silentFor
}

func (b *Builder) rememberSilence(ref string) error {
	data, err := json.Marshal(silence{ref, time.Now()})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(b.Cache, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(b.Cache, silenceFile), data, 0o644)
}

// programOf reads Vector out of an image.
func (b *Builder) programOf(ctx context.Context, image string) ([]byte, error) {
	id, shut, err := b.open(ctx, image)
	if err != nil {
		return nil, err
	}
	defer shut()
	for _, p := range vectorPaths {
		res, err := b.Engine.CopyFromContainer(ctx, id, client.CopyFromContainerOptions{SourcePath: p})
		if err != nil {
			continue
		}
		defer res.Content.Close()
		for r := tar.NewReader(res.Content); ; {
			h, err := r.Next()
			if err != nil {
				return nil, fmt.Errorf("read %s: %w", p, err)
			}
			if h.Typeflag == tar.TypeReg && path.Base(h.Name) == "vector" {
				var program bytes.Buffer
				program.Grow(int(min(h.Size, 1<<30)))
				_, err := io.Copy(&program, r)
				return program.Bytes(), err
			}
		}
	}
	return nil, fmt.Errorf("it has no %s", strings.Join(vectorPaths, " or "))
}
