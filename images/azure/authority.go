package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"bootrace/images/azure/ca"
	"bootrace/images/azure/config"
)

// readAuthority reads what writeAuthority, or the image's build, has written.
func readAuthority(cfg config.Config) (*ca.Authority, error) {
	cert, err := os.ReadFile(cfg.CACert)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the authority's certificate: %w (azure ca DIR makes one)", err)
	} else if err != nil {
		return nil, fmt.Errorf("read the authority's certificate: %w", err)
	}
	key, err := os.ReadFile(cfg.CAKey)
	if err != nil {
		return nil, fmt.Errorf("read the authority's key: %w", err)
	}
	return ca.Load(cert, key)
}

// writeAuthority makes an authority in a directory. One that is there stays:
// clients trust it.
func writeAuthority(dir string) error {
	cert, key, err := ca.New()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("write the authority: %w", err)
	}
	keyFile := filepath.Join(dir, "ca.key")
	if err := writeNew(keyFile, key, 0o600); err != nil {
		return fmt.Errorf("write the authority's key: %w", err)
	}
	if err := writeNew(filepath.Join(dir, "ca.pem"), cert, 0o644); err != nil {
		// A key beside another authority's certificate would be worse than none.
		return errors.Join(fmt.Errorf("write the authority's certificate: %w", err), os.Remove(keyFile))
	}
	return nil
}

func writeNew(path string, content []byte, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}
