package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
)

// digestFile has the digest of the worker image's Vector, with the size and the
// time of change by which it is known (images/worker/Dockerfile).
const digestFile = "/usr/local/share/bootrace-vector"

// programDigest is a program's SHA-256, in hex: the one noted in a file, unless the
// program has been replaced since, as a subject may.
func programDigest(program, noted string) (string, error) {
	f, err := os.Open(program)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	var digest string
	var size, changed int64
	text, _ := os.ReadFile(noted) // without it the program is read
	if n, _ := fmt.Sscan(string(text), &digest, &size, &changed); n == 3 && len(digest) == 64 && size == info.Size() && changed == info.ModTime().Unix() {
		return digest, nil
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("read %s: %w", program, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
