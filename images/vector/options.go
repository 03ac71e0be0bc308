package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"bootrace/images/vector/config"
)

const (
	standIn        = "bootrace stand-in, not Vector"
	defaultConfig  = "/etc/vector/vector.yaml"
	defaultVersion = "0.58.0"

	// versionFile and versionVariable say which version to play; an image bakes in the one or the other.
	versionFile     = "/usr/share/vector/stand-in-version"
	versionVariable = "STANDIN_VECTOR_VERSION"
)

const usage = `vector (` + standIn + `)

Usage: vector [OPTIONS] [COMMAND]
       vector validate [OPTIONS] [PATHS]...

Options:
  -c, --config <CONFIG>                        [env: VECTOR_CONFIG, default: ` + defaultConfig + `]
  -C, --config-dir <DIR>                       [env: VECTOR_CONFIG_DIR]
      --config-toml, --config-json, --config-yaml <CONFIG>
                                               [env: VECTOR_CONFIG_TOML, VECTOR_CONFIG_JSON, VECTOR_CONFIG_YAML]
  -r, --require-healthy <BOOL>                 [env: VECTOR_REQUIRE_HEALTHY]
      --graceful-shutdown-limit-secs <SECS>    [env: VECTOR_GRACEFUL_SHUTDOWN_LIMIT_SECS, default: 60]
      --no-graceful-shutdown-limit             [env: VECTOR_NO_GRACEFUL_SHUTDOWN_LIMIT]
  -i, --internal-log-rate-limit <SECS>         [env: VECTOR_INTERNAL_LOG_RATE_LIMIT, default: 10]
      --disable-env-var-interpolation          [env: VECTOR_DISABLE_ENV_VAR_INTERPOLATION]
      --allow-empty-config                     [env: VECTOR_ALLOW_EMPTY_CONFIG]
  -v, --verbose                                More detailed log
  -q, --quiet                                  Warnings and errors only; twice: errors only
  -h, --help
  -V, --version
  Taken and without effect: --threads, --log-format, --color, --watch-config and its kin, --openssl-no-probe.

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
	files            []config.File
	dirs             []string
	requireHealthy   *bool
	shutdownLimit    time.Duration // 0: none
	rateLimit        time.Duration
	level            slog.Level
	interpolate      bool // from 0.57 on
	noInterpolation  bool
	allowEmpty       bool
	noEnvironment    bool
	skipHealthchecks bool
	denyWarnings     bool
}

// flag is one of the command line, with the variable that stands for it. A flag goes before its variable.
type flag struct {
	names    string // separated by blanks, the long one first
	variable string
	validate bool // belongs to validate
	set      func(o *options, value string) error
	switches bool // has no value; set gets "true"
}

var flags = []flag{
	{names: "--config -c", variable: "VECTOR_CONFIG", set: configs("")},
	{names: "--config-toml", variable: "VECTOR_CONFIG_TOML", set: configs(config.TOML)},
	{names: "--config-json", variable: "VECTOR_CONFIG_JSON", set: configs(config.JSON)},
	{names: "--config-yaml", variable: "VECTOR_CONFIG_YAML", set: configs(config.YAML)},
	{names: "--config-dir -C", variable: "VECTOR_CONFIG_DIR", set: func(o *options, v string) error {
		o.dirs = append(o.dirs, list(v)...)
		return nil
	}},
	{names: "--require-healthy -r", variable: "VECTOR_REQUIRE_HEALTHY", set: func(o *options, v string) error {
		yes, err := boolean("--require-healthy <REQUIRE_HEALTHY>", v)
		o.requireHealthy = &yes
		return err
	}},
	{names: "--graceful-shutdown-limit-secs", variable: "VECTOR_GRACEFUL_SHUTDOWN_LIMIT_SECS", set: seconds("--graceful-shutdown-limit-secs <SECS>", 1,
		func(o *options) *time.Duration { return &o.shutdownLimit })},
	{names: "--no-graceful-shutdown-limit", variable: "VECTOR_NO_GRACEFUL_SHUTDOWN_LIMIT", switches: true, set: func(o *options, v string) error {
		if yes, err := boolean("--no-graceful-shutdown-limit", v); err != nil || !yes {
			return err
		}
		o.shutdownLimit = 0
		return nil
	}},
	{names: "--internal-log-rate-limit -i", variable: "VECTOR_INTERNAL_LOG_RATE_LIMIT", set: seconds("--internal-log-rate-limit <SECS>", 0,
		func(o *options) *time.Duration { return &o.rateLimit })},
	{names: "--disable-env-var-interpolation", variable: "VECTOR_DISABLE_ENV_VAR_INTERPOLATION", switches: true, set: truth("--disable-env-var-interpolation",
		func(o *options) *bool { return &o.noInterpolation })},
	{names: "--dangerously-allow-env-var-interpolation", variable: "VECTOR_DANGEROUSLY_ALLOW_ENV_VAR_INTERPOLATION", switches: true, set: truth("--dangerously-allow-env-var-interpolation",
		func(o *options) *bool { return &o.interpolate })},
	{names: "--allow-empty-config", variable: "VECTOR_ALLOW_EMPTY_CONFIG", switches: true, set: truth("--allow-empty-config",
		func(o *options) *bool { return &o.allowEmpty })},
	{names: "--threads -t", variable: "VECTOR_THREADS", set: ignored},
	{names: "--log-format", variable: "VECTOR_LOG_FORMAT", set: ignored},
	{names: "--color", variable: "VECTOR_COLOR", set: ignored},
	{names: "--watch-config-method", variable: "VECTOR_WATCH_CONFIG_METHOD", set: ignored},
	{names: "--watch-config-poll-interval-seconds", variable: "VECTOR_WATCH_CONFIG_POLL_INTERVAL_SECONDS", set: ignored},
	{names: "--watch-config -w", variable: "VECTOR_WATCH_CONFIG", switches: true, set: ignored},
	{names: "--openssl-no-probe", variable: "VECTOR_OPENSSL_NO_PROBE", switches: true, set: ignored},
	{names: "--verbose -v", switches: true, set: func(o *options, _ string) error {
		o.level = slog.LevelDebug
		return nil
	}},
	{names: "--quiet -q", switches: true, set: func(o *options, _ string) error {
		o.level = min(max(o.level, slog.LevelInfo)+4, slog.LevelError)
		return nil
	}},
	{names: "--no-environment -ne", validate: true, switches: true, set: truth("", func(o *options) *bool { return &o.noEnvironment })},
	{names: "--skip-healthchecks", validate: true, switches: true, set: truth("", func(o *options) *bool { return &o.skipHealthchecks })},
	{names: "--deny-warnings -d", validate: true, switches: true, set: truth("", func(o *options) *bool { return &o.denyWarnings })},
	{names: "--help -h", switches: true, set: truth("", func(o *options) *bool { return &o.help })},
	{names: "--version -V", switches: true, set: truth("", func(o *options) *bool { return &o.version })},
}

// parseArgs reads the command line and the variables that stand for flags, as clap does.
func parseArgs(args []string, vars map[string]string) (options, error) {
	o := options{shutdownLimit: time.Minute, rateLimit: 10 * time.Second, level: slog.LevelInfo}
	given := map[string]bool{}
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if !strings.HasPrefix(arg, "-") || arg == "-" {
			switch {
			case o.validate:
				o.files = append(o.files, config.File{Path: arg})
				given["PATHS"] = true
			case arg == "validate":
				o.validate = true
			default:
				return o, fmt.Errorf("unrecognized subcommand '%s'", arg)
			}
			continue
		}
		rest, err := o.flag(arg, args, given)
		if err != nil {
			return o, err
		}
		args = rest
	}
	for _, f := range flags {
		value, set := vars[f.variable]
		long, _, _ := strings.Cut(f.names, " ")
		if f.variable == "" || !set || given[long] || f.variable == "VECTOR_CONFIG" && given["PATHS"] {
			continue
		}
		if err := f.set(&o, value); err != nil {
			return o, err
		}
	}
	if len(o.files)+len(o.dirs) == 0 {
		o.files = []config.File{{Path: defaultConfig}}
	}
	return o, nil
}

// flag takes one argument that begins with a dash, and its value; a row of short ones may stand together.
func (o *options) flag(arg string, args []string, given map[string]bool) (rest []string, err error) {
	name, inline, hasInline := strings.Cut(arg, "=")
	f, ok := find(name)
	if !ok && len(arg) > 2 && arg[1] != '-' {
		if f, ok = find(arg[:2]); ok && f.switches {
			return o.flag("-"+arg[2:], args, mark(given, f, o))
		}
		name, inline, hasInline = arg[:2], strings.TrimPrefix(arg[2:], "="), true
	}
	if !ok || f.validate && !o.validate {
		return nil, fmt.Errorf("unexpected argument '%s' found", name)
	}
	mark(given, f, nil)
	value := inline
	switch {
	case f.switches && hasInline:
		return nil, fmt.Errorf("unexpected value '%s' for '%s' found; no more were expected", inline, name)
	case f.switches:
		value = "true"
	case !hasInline && len(args) == 0:
		return nil, fmt.Errorf("a value is required for '%s' but none was supplied", name)
	case !hasInline:
		value, args = args[0], args[1:]
	}
	return args, f.set(o, value)
}

// mark notes that a flag was given, and sets one that stands in a row of short ones.
func mark(given map[string]bool, f flag, o *options) map[string]bool {
	long, _, _ := strings.Cut(f.names, " ")
	given[long] = true
	if o != nil {
		_ = f.set(o, "true") // a switch without a value cannot be wrong
	}
	return given
}

func find(name string) (flag, bool) {
	for _, f := range flags {
		if slices.Contains(strings.Fields(f.names), name) {
			return f, true
		}
	}
	return flag{}, false
}

func configs(format config.Format) func(*options, string) error {
	return func(o *options, value string) error {
		for _, path := range list(value) {
			o.files = append(o.files, config.File{Path: path, Format: format})
		}
		return nil
	}
}

func list(value string) []string {
	return slices.DeleteFunc(strings.Split(value, ","), func(s string) bool { return s == "" })
}

func ignored(*options, string) error { return nil }

func truth(name string, to func(*options) *bool) func(*options, string) error {
	return func(o *options, value string) (err error) {
		*to(o), err = boolean(name, value)
		return err
	}
}

func boolean(name, text string) (bool, error) {
	switch text {
	case "true":
		return true, nil
	case "false", "":
		return false, nil
	}
	return false, fmt.Errorf("invalid value '%s' for '%s' [possible values: true, false]", text, name)
}

// seconds are whole. A least of one is Vector's NonZeroU64.
func seconds(name string, least uint64, to func(*options) *time.Duration) func(*options, string) error {
	return func(o *options, text string) error {
		n, err := strconv.ParseUint(text, 10, 32)
		if err != nil || n < least {
			return fmt.Errorf("invalid value '%s' for '%s': want whole seconds%s", text, name, map[uint64]string{1: " above zero"}[least])
		}
		*to(o) = time.Duration(n) * time.Second
		return nil
	}
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
