package images

import (
	"context"
	"fmt"
	"path/filepath"
)

// Postgres returns the image of a PostgreSQL that serves on a Unix socket in
// /run/postgresql, user postgres, with the password in the container's
// POSTGRES_PASSWORD. It is for tests of the store.
func (b *Builder) Postgres(ctx context.Context) (Image, error) {
	debian, err := b.debian(ctx, suites[0])
	if err != nil {
		return Image{}, fmt.Errorf("postgres image: %w", err)
	}
	tree := Tree{}
	if err := tree.Dir(filepath.Join(b.Root, "images", "postgres"), ""); err != nil {
		return Image{}, fmt.Errorf("postgres image: %w", err)
	}
	return b.Make(ctx, Recipe{Kind: "postgres", Tree: tree, Args: map[string]string{"DEBIAN": debian.ID}})
}
