package topology

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"bootrace/images/vector/buffer"
	"bootrace/images/vector/config"
	"bootrace/images/vector/metrics"
)

// Check finds what building the components would stumble over, and opens none of them: `vector validate` runs beside a
// Vector that holds the buffers.
func Check(cfg *config.Config, opts Options) config.Errors {
	var problems config.Errors
	opts.Log = slog.New(slog.DiscardHandler) // what is worth a word is said when they are built
	for _, c := range cfg.Sources {
		if c.Type != "journald" {
			continue
		}
		if err := checkDataDir(cfg.DataDir, c.ID); err != nil {
			problems = append(problems, fmt.Sprintf("Source %q: %v", c.ID, err))
		}
	}
	for _, c := range cfg.Sinks {
		if _, err := buildSink(c, opts, metrics.New("", opts.Started)); err != nil {
			problems = append(problems, fmt.Sprintf("Sink %q: %v", c.ID, err))
		}
		if !c.Buffer.Disk {
			continue
		}
		if err := buffer.CheckDiskSize(c.Buffer.MaxSize); err != nil {
			problems = append(problems, fmt.Sprintf("Sink %q: %v", c.ID, err))
		}
		if err := checkDataDir(cfg.DataDir, filepath.Join("buffer", "v2", c.ID)); err != nil {
			problems = append(problems, fmt.Sprintf("Sink %q: %v", c.ID, err))
		}
	}
	return problems
}

// checkDataDir is Vector's own three questions (lib/vector-core/src/config/global_options.rs), the last without making
// anything.
func checkDataDir(dir, sub string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("data_dir %q does not exist", dir)
	case err != nil:
		return fmt.Errorf("data_dir %q: %w", dir, err)
	case !info.IsDir() || unix.Access(dir, unix.W_OK|unix.X_OK) != nil:
		return fmt.Errorf("data_dir %q is not writable", dir)
	}
	// A part that was made by another user, root say, cannot be written by ours.
	for at := filepath.Join(dir, sub); at != dir && at != "/"; at = filepath.Dir(at) {
		if _, err := os.Stat(at); err == nil && unix.Access(at, unix.W_OK|unix.X_OK) != nil {
			return fmt.Errorf("could not create subdirectory %q inside of data dir %q: permission denied", sub, dir)
		}
	}
	return nil
}
