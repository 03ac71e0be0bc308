package main

import (
	"fmt"
	"os"

	"bootrace/images"
)

// vectorSource is what was said of which Vector runs; empty: nothing.
func vectorSource(f runFlags) string {
	if f.vector != "" {
		return f.vector
	}
	return os.Getenv("VECTOR")
}

// chosenVector reads it.
func chosenVector(f runFlags) (images.Vector, error) {
	v, err := images.ParseVector(vectorSource(f))
	if err != nil {
		return v, fmt.Errorf("--vector %w (it may come from $VECTOR)", err)
	}
	return v, nil
}
