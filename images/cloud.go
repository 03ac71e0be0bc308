package images

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"path/filepath"

	"bootrace/images/azure/ca"
)

// Azure returns the cloud's image. Its authority is new in every build; worker
// images trust the one named in its label.
func (b *Builder) Azure(ctx context.Context) (Image, error) {
	tree := Tree{}
	if err := errors.Join(
		b.AddProgram(ctx, tree, "images/azure", "azure"),
		tree.Disk(filepath.Join(b.Root, "images", "azure", "Dockerfile"), "Dockerfile", 0o644),
	); err != nil {
		return Image{}, fmt.Errorf("azure image: %w", err)
	}
	return b.Make(ctx, Recipe{Kind: "azure", Tree: tree, Fresh: func() (Tree, map[string]string, error) {
		cert, key, err := ca.New()
		if err != nil {
			return nil, nil, fmt.Errorf("make the certificate authority: %w", err)
		}
		files := Tree{"ca.pem": {Mode: 0o644, Data: cert}, "ca.key": {Mode: 0o600, Data: key}}
		return files, map[string]string{labelCA: base64.StdEncoding.EncodeToString(cert)}, nil
	}})
}
