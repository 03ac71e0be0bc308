package conformance

import (
	"fmt"
	"strings"
)

// exiting runs the program to its end and looks for a phrase in what it says.
func exiting(phrase string, args ...string) func(*lab) string {
	return func(l *lab) string {
		l.config(sound)
		code, text := l.exits(l.expand(args)...)
		return fmt.Sprintf("exit %d, %s", code, says(text, phrase))
	}
}

func (l *lab) expand(args []string) []string {
	out := make([]string, len(args))
	for i, a := range args {
		out[i] = strings.ReplaceAll(a, "@dir@", l.dir)
	}
	return out
}

// sound is a configuration with nothing wrong.
const sound = `data_dir: @data@
sources: {j: {type: journald}}
sinks: {p: {type: axiom, inputs: [j], token: t, dataset: d, url: '@axiom@'}}
`

var clap = "documented: clap, the library that reads Vector's command line, exits 2 when it is wrong"

var commandLine = []row{
	{name: "--version says the name and the version", source: measured, want: want{"exit 0, vector 0.56 (…)", "exit 0, vector 0.58 (…)"}, play: func(l *lab) string {
		return version(l, "--version")
	}},
	{name: "--version after -q", source: measured, want: want{"exit 0, vector 0.56 (…)", "exit 0, vector 0.58 (…)"}, play: func(l *lab) string {
		return version(l, "-q", "--version")
	}},
	{name: "--help names the verbs", source: clap, want: both("exit 0, says so"), play: exiting("validate", "--help")},
	{name: "an unknown flag", source: measured, want: both("exit 2, says so"), play: exiting("unexpected argument '--nope' found", "--nope")},
	{name: "an unknown flag of validate", source: measured, want: both("exit 2, says so"), play: exiting("unexpected argument '--nope' found", "validate", "--nope")},
	{name: "an unknown verb", source: measured, want: both("exit 2, says so"), play: exiting("unrecognized subcommand 'help-me'", "help-me")},
	{name: "a flag without its value", source: clap, want: both("exit 2, says so"), play: exiting("a value is required for '--config", "--config")},
	{name: "validate of a file that is not there", source: measured, want: both("exit 78, says so"), play: exiting("Config file not found in path. path=\"/nonexistent.yaml\"", "validate", "/nonexistent.yaml")},
	{name: "a start with a file that is not there", source: measured, want: both("exit 78, says so"), play: exiting("Config file not found in path. path=\"/nonexistent.yaml\"", "-c", "/nonexistent.yaml")},
	{name: "validate of a sound file", source: measured, want: both("exit 0, says so"), play: exiting("Validated", "validate", "@dir@/vector.yaml")},
	{name: "validate tells that components were looked at", source: measured, want: both("exit 0, says so"), play: exiting("√ Component configuration", "validate", "@dir@/vector.yaml")},
	{name: "validate tells of the transforms, from 0.57", source: measured, want: want{v58: "exit 0, says so"}, play: exiting("√ Transforms configuration", "validate", "--no-environment", "@dir@/vector.yaml")},
	{name: "validate without the environment", source: measured, want: both("exit 0, says so"), play: exiting("√ Loaded [\"", "validate", "--no-environment", "@dir@/vector.yaml")},
	{name: "VECTOR_CONFIG names the file", source: reference("cli"), want: both("runs"), play: func(l *lab) string {
		l.set("VECTOR_CONFIG", l.config(sound))
		return l.startWith().runs()
	}},
	{name: "validate reads VECTOR_CONFIG_YAML", source: reference("cli"), want: both("exit 78"), play: func(l *lab) string {
		l.set("VECTOR_CONFIG_YAML", l.config(strings.Replace(sound, "journald", "nosuch", 1)))
		code, _ := l.exits("validate")
		return fmt.Sprintf("exit %d", code)
	}},
	{name: "validate of several files takes them together", source: reference("cli"), want: both("exit 0"), play: func(l *lab) string {
		code, _ := l.exits(append([]string{"validate"}, l.halves()...)...)
		return fmt.Sprintf("exit %d", code)
	}},
	{name: "--require-healthy is known", source: only56, want: both("runs"), play: func(l *lab) string {
		l.config(sound)
		return l.start("--require-healthy", "true").runs()
	}},
	{name: "--quiet starts without a word", source: reference("cli"), want: both("delivered, no INFO"), play: func(l *lab) string {
		l.config(pipeline{}.String())
		l.journal("a")
		p := l.start("-q")
		if !l.until(func() bool { return l.axiom.took("a") }) {
			return "not delivered"
		}
		return fmt.Sprintf("delivered, %s INFO", map[bool]string{true: "but", false: "no"}[p.log.has(" INFO ")])
	}},
}

// version tells the exit code and the version as far as rows know it: this program's own patch level is its own.
func version(l *lab, args ...string) string {
	code, text := l.exits(args...)
	line, _, _ := strings.Cut(text, "\n")
	head, _, ok := strings.Cut(line, " (")
	parts := strings.Split(strings.TrimPrefix(head, "vector "), ".")
	if !ok || len(parts) != 3 || !strings.HasSuffix(line, ")") {
		return fmt.Sprintf("exit %d, %s", code, line)
	}
	g, err := generationOf(line)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("exit %d, vector %s (…)", code, strings.TrimSuffix(g.name, ".0"))
}

// halves is a sound configuration in two files.
func (l *lab) halves() []string {
	return []string{
		l.write("one.yaml", "data_dir: @data@\nsources: {j: {type: journald}}\n"),
		l.write("two.yaml", "sinks: {p: {type: axiom, inputs: [j], token: t, dataset: d, url: '@axiom@', batch: {timeout_secs: 0.1}}}\n"),
	}
}
