package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"bootrace/images/vector/config"
)

const (
	standIn        = "bootrace stand-in, not Vector"
	defaultConfig  = "/etc/vector/vector.yaml"
	defaultVersion = "0.56.0"

	// versionFile and versionVariable say which version to play; an image bakes in the one or the other.
	versionFile     = "/usr/share/vector/stand-in-version"
	versionVariable = "STANDIN_VECTOR_VERSION"
)

const usage = `vector (` + standIn + `)

Usage: vector [OPTIONS]
       vector validate [OPTIONS] [PATHS]

Options:
  -c, --config <CONFIG>                        [env: VECTOR_CONFIG, default: ` + defaultConfig + `]
      --config-yaml <CONFIG>                   [env: VECTOR_CONFIG_YAML]
      --graceful-shutdown-limit-secs <SECS>    [env: VECTOR_GRACEFUL_SHUTDOWN_LIMIT_SECS, default: 60]
      --no-graceful-shutdown-limit             [env: VECTOR_NO_GRACEFUL_SHUTDOWN_LIMIT]
  -v, --verbose                                More detailed log
  -q, --quiet                                  Warnings and errors only; twice: errors only
  -h, --help
  -V, --version

validate:
      --no-environment                         Do not check components and health
      --skip-healthchecks
  -d, --deny-warnings

Environment:
  VECTOR_DANGEROUSLY_ALLOW_ENV_VAR_INTERPOLATION   true: put variables into the configuration (from 0.57)
  ` + versionVariable + `                           version to play, before the file ` + versionFile + `
`

type options struct {
	help, version    bool
	validate         bool
	config           string
	shutdownLimit    time.Duration // 0: none
	level            slog.Level
	interpolate      bool
	noEnvironment    bool
	skipHealthchecks bool
	denyWarnings     bool
}

// parseArgs reads the command line and the variables that stand for flags; a flag goes before its variable.
func parseArgs(args []string, vars map[string]string) (options, error) {
	o := options{config: defaultConfig, shutdownLimit: time.Minute, level: slog.LevelInfo}
	if err := o.fromEnvironment(vars); err != nil {
		return o, err
	}
	quiet := 0
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		name, inline, hasInline := strings.Cut(arg, "=")
		value := func() (string, error) {
			if hasInline {
				return inline, nil
			}
			if len(args) == 0 {
				return "", fmt.Errorf("a value is required for '%s' but none was supplied", name)
			}
			v := args[0]
			args = args[1:]
			return v, nil
		}
		var err error
		switch name {
		case "validate":
			if o.validate {
				err = errors.New("unexpected argument 'validate' found")
			}
			o.validate = true
		case "-h", "--help":
			o.help = true
		case "-V", "--version":
			o.version = true
		case "-v", "--verbose":
			o.level = slog.LevelDebug
		case "-q", "--quiet":
			quiet++
			o.level = slog.Level(min(4*quiet, 8))
		case "-c", "--config", "--config-yaml":
			o.config, err = value()
		case "--graceful-shutdown-limit-secs":
			var text string
			if text, err = value(); err == nil {
				o.shutdownLimit, err = seconds(name, text)
			}
		case "--no-graceful-shutdown-limit":
			o.shutdownLimit = 0
		case "--no-environment", "-ne":
			o.noEnvironment = true
		case "--skip-healthchecks":
			o.skipHealthchecks = true
		case "-d", "--deny-warnings":
			o.denyWarnings = true
		default:
			if strings.HasPrefix(arg, "-") || !o.validate {
				return o, fmt.Errorf("unexpected argument '%s' found (the stand-in knows few of Vector's)", name)
			}
			o.config = arg
		}
		if err != nil {
			return o, err
		}
	}
	if !o.validate && (o.noEnvironment || o.skipHealthchecks || o.denyWarnings) {
		return o, errors.New("--no-environment, --skip-healthchecks and --deny-warnings belong to validate")
	}
	return o, nil
}

func (o *options) fromEnvironment(vars map[string]string) error {
	for _, name := range []string{"VECTOR_CONFIG", "VECTOR_CONFIG_YAML"} {
		if path := vars[name]; path != "" {
			o.config = path
		}
	}
	var err error
	if text, ok := vars["VECTOR_GRACEFUL_SHUTDOWN_LIMIT_SECS"]; ok {
		if o.shutdownLimit, err = seconds("--graceful-shutdown-limit-secs", text); err != nil {
			return err
		}
	}
	noLimit, err := boolean("VECTOR_NO_GRACEFUL_SHUTDOWN_LIMIT", vars)
	if err != nil {
		return err
	}
	if noLimit {
		o.shutdownLimit = 0
	}
	o.interpolate, err = boolean("VECTOR_DANGEROUSLY_ALLOW_ENV_VAR_INTERPOLATION", vars)
	return err
}

func boolean(name string, vars map[string]string) (bool, error) {
	switch text, set := vars[name]; {
	case !set, text == "false":
		return false, nil
	case text == "true":
		return true, nil
	}
	return false, fmt.Errorf("invalid value for '%s': want true or false", name)
}

// seconds is at least one: Vector's limit is a NonZeroU64.
func seconds(name, text string) (time.Duration, error) {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("invalid value '%s' for '%s <SECS>': want whole seconds above zero", text, name)
	}
	return time.Duration(n) * time.Second, nil
}

// playedVersion says which version of Vector to play.
func playedVersion(vars map[string]string) (config.Version, error) {
	if text := vars[versionVariable]; text != "" {
		return config.ParseVersion(text)
	}
	text, err := os.ReadFile(versionFile)
	if errors.Is(err, fs.ErrNotExist) {
		return config.ParseVersion(defaultVersion)
	}
	if err != nil {
		return config.Version{}, fmt.Errorf("version to play: %w", err)
	}
	v, err := config.ParseVersion(string(text))
	if err != nil {
		return v, fmt.Errorf("%s: %w", versionFile, err)
	}
	return v, nil
}
