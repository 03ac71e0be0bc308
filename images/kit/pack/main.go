// Command pack writes the kit that the bootrace command carries, images/kit/kit.tar.zst,
// with programs for the architectures that are its arguments, as Go names them.
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"bootrace/images"
	"bootrace/images/kit"
)

func main() {
	if err := pack(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

func pack(ctx context.Context, architectures []string) error {
	if len(architectures) == 0 {
		return fmt.Errorf("no architecture: go run ./images/kit/pack amd64 arm64")
	}
	root, err := images.FindRoot(".")
	if err != nil {
		return err
	}
	var made bytes.Buffer
	if err := kit.Pack(ctx, root, architectures, &made); err != nil {
		return err
	}
	file := filepath.Join(root, "images", "kit", "kit.tar.zst")
	if was, err := os.ReadFile(file); err == nil && bytes.Equal(was, made.Bytes()) {
		return nil // go build leaves alone what is not newer
	}
	return os.WriteFile(file, made.Bytes(), 0o644)
}
