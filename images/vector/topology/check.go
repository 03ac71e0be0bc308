package topology

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"bootrace/images/vector/buffer"
	"bootrace/images/vector/config"
	"bootrace/images/vector/journald"
	"bootrace/images/vector/metrics"
)

// versionTimeout bounds what `journalctl --version` may take.
const versionTimeout = 10 * time.Second

// Check finds what building the components would stumble over, and opens none of them: `vector validate` runs beside a
// Vector that holds the buffers.
func Check(cfg *config.Config, opts Options) config.Errors {
	opts.Log = slog.New(slog.DiscardHandler) // what is worth a word is said when they are built
	problems := append(cfg.ProgramErrors(), Unconfined(cfg, opts.Version)...)
	for _, c := range cfg.Sources {
		if err := checkSource(cfg, c, opts); err != nil {
			problems = append(problems, fmt.Sprintf("Source %q: %v", c.ID, err))
		}
	}
	for _, c := range cfg.Sinks {
		if _, err := buildSink(c, opts, metrics.New("", opts.Started)); err != nil {
			problems = append(problems, fmt.Sprintf("Sink %q: %v", c.ID, err))
		}
		for _, b := range c.Buffers {
			if !b.Disk {
				continue
			}
			if err := buffer.CheckDiskSize(b.MaxSize); err != nil {
				problems = append(problems, fmt.Sprintf("Sink %q: error occurred when building buffer: %v", c.ID, err))
			}
			if err := CheckDataDir(cfg.DataDir, filepath.Join("buffer", "v2", c.ID)); err != nil {
				problems = append(problems, fmt.Sprintf("Sink %q: %v", c.ID, err))
			}
		}
	}
	return problems
}

func checkSource(cfg *config.Config, c config.Source, opts Options) error {
	switch c.Type {
	case "journald":
		if err := CheckDataDir(dataDir(cfg, c), c.ID); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(context.Background(), versionTimeout)
		defer cancel()
		version, err := journald.Version(ctx, c)
		if err != nil {
			return err
		}
		if opts.systemd != nil {
			opts.systemd[c.ID] = version
		}
		return journald.CheckVersion(c, version)
	case "prometheus_scrape":
		_, err := scraper(c, opts)
		return err
	}
	return nil
}

// dataDir is the source's own or that of all.
func dataDir(cfg *config.Config, c config.Source) string {
	if c.DataDir != "" {
		return c.DataDir
	}
	return cfg.DataDir
}

// Unconfined are the sinks with a template that Vector refuses whatever else there is to say of it.
func Unconfined(cfg *config.Config, version config.Version) config.Errors {
	var problems config.Errors
	for _, c := range cfg.Sinks {
		if err := checkTemplates(c, version); err != nil {
			problems = append(problems, fmt.Sprintf("Sink %q: %v", c.ID, err))
		}
	}
	return problems
}

// checkTemplates: from 0.57 on what an event says must not decide alone where it goes.
func checkTemplates(c config.Sink, version config.Version) error {
	if !version.Confines() || c.Axiom.Unconfined {
		return nil
	}
	loose := len(c.Loose) > 0
	for _, text := range []string{c.Axiom.URL, c.Axiom.Dataset} {
		loose = loose || strings.HasPrefix(text, "{{")
	}
	if loose {
		//lint:ignore ST1005 Vector's words
		return errors.New("template has dynamic content but has no literal string prefix to derive a confinement base from. Add a static prefix to your template, " +
			"or set `dangerously_allow_unconfined_template_resolution: true` to opt out.")
	}
	return nil
}

// CheckDataDir is Vector's own three questions (lib/vector-core/src/config/global_options.rs), the last without making
// anything.
func CheckDataDir(dir, sub string) error {
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
