// Command bootrace boots a real worker image again and again under the timings
// that production has, and says what lost the race. See the README.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// Exit codes, the same for every verb.
const (
	exitOK      = 0 // all as expected
	exitFailure = 1 // a case came out otherwise than expected
	exitUsage   = 2 // the command line or a scenario file is wrong
	exitInvalid = 3 // a case is invalid, or something could not be done
)

// exitError carries an exit code up to main. A nil err has been reported.
type exitError struct {
	code int
	err  error
}

func (e exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e exitError) Unwrap() error { return e.err }

// usage marks an error as the caller's.
func usage(err error) error { return exitError{exitUsage, err} }

// streams are where a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
	terminal bool // err is one
	color    bool
	width    int // of out in columns; 0: no terminal, or one that does not say
	errWidth int // the same of err
}

func main() {
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // nohup(1) wants the run to outlive its terminal
		ends = append(ends, syscall.SIGHUP)
	}
	signalled, stop := signal.NotifyContext(context.Background(), ends...)
	defer stop()
	// The first signal ends the run in order; the second is the user's last word,
	// and counts from the moment at which the run knows of the first.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	context.AfterFunc(signalled, func() { stop(); cancel() })
	terminal := term.IsTerminal(int(os.Stderr.Fd())) && os.Getenv("TERM") != "dumb"
	os.Exit(Run(ctx, streams{
		width: widthOf(os.Stdout), errWidth: widthOf(os.Stderr),
		in: os.Stdin, out: os.Stdout, err: os.Stderr, terminal: terminal,
		color: term.IsTerminal(int(os.Stdout.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb",
	}, os.Args[1:]))
}

// live says whether rows can be drawn on err.
func (s streams) live() bool { return s.terminal && s.errWidth >= leastColumns }

// widthOf is the width in columns of a terminal; 0 is none, or one that does not say, as a
// serial line.
func widthOf(f *os.File) int {
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// newRoot is the command with all its verbs.
func newRoot(io streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "bootrace",
		Short: "Boot a worker image under production's timings and say what lost the race",
		Long: `bootrace boots real worker images (systemd as PID 1, real cloud-init) in
containers against an emulated cloud, delays worker.env as production does, and
judges what happened.

Exit codes: 0 all as expected, 1 a failure, 2 usage, 3 invalid, untestable or error.`,
		Version:      stampedVersion(),
		SilenceUsage: true, SilenceErrors: true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	root.SetIn(io.in)
	root.SetOut(io.out)
	root.SetErr(io.err)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usage(advice{plainFlagError(err), c.CommandPath() + " --help lists the flags"})
	})
	for _, g := range []struct {
		title string
		verbs []*cobra.Command
	}{
		{"Boot and judge:", []*cobra.Command{runCommand(io), gateCommand(io), museumCommand(io), lintCommand(io), scenariosCommand(io), scenarioCommand(io), reproduceCommand(io), runbookCommand(io)}},
		{"Look at what came of it:", []*cobra.Command{showCommand(io), explainCommand(io), journalCommand(io), judgeCommand(io), shellCommand(io), reportCommand(io), capsuleCommand(io), verifyCertificateCommand(io)}},
		{"From run to run:", []*cobra.Command{listCommand(io), historyCommand(io), compareCommand(io), flakyCommand(io), thresholdsCommand(io)}},
		{"This host and its results:", []*cobra.Command{doctorCommand(io), cleanCommand(io), exportCommand(io), importCommand(io), mergeCommand(io), pruneCommand(io)}},
	} {
		root.AddGroup(&cobra.Group{ID: g.title, Title: g.title})
		for _, verb := range g.verbs {
			verb.GroupID = g.title
			root.AddCommand(verb)
		}
	}
	root.AddCommand(manualCommand(io))
	complete(root)
	for _, c := range root.Commands() {
		if check := c.Args; check != nil {
			c.Args = func(c *cobra.Command, args []string) error {
				if err := check(c, args); err != nil {
					return usage(advice{err, "see " + c.CommandPath() + " --help"})
				}
				return nil
			}
		}
	}
	return root
}

// Run executes one command line and returns its exit code.
func Run(ctx context.Context, io streams, args []string) int {
	root := newRoot(io)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	switch {
	case err == nil:
		return exitOK
	case cmd == root && !errors.As(err, new(exitError)): // cobra: unknown command
		err = usage(unknownVerb(root, args))
	}
	return told(io, codeOf(err))
}

// codeOf is an error with the exit code that it has; one that has none could not be judged.
func codeOf(err error) exitError {
	var coded exitError
	if !errors.As(err, &coded) {
		coded = exitError{exitInvalid, err}
	}
	return coded
}

// told prints what went wrong, and what to do about it.
func told(io streams, coded exitError) int {
	if coded.err != nil {
		fmt.Fprintf(io.err, "bootrace: %v\n", coded.err)
		if a := (adviser)(nil); errors.As(coded.err, &a) {
			fmt.Fprintf(io.err, "  -> %s\n", a.Fix())
		}
	}
	return coded.code
}

// adviser is an error that knows what to do about it; a line of its own says so.
type adviser interface {
	error
	Fix() string
}

// advice adds what to do to an error.
type advice struct {
	error
	fix string
}

func (a advice) Unwrap() error { return a.error }
func (a advice) Fix() string   { return a.fix }

// unknownVerb is cobra's error in our words.
func unknownVerb(root *cobra.Command, args []string) error {
	fix := "bootrace --help lists the verbs"
	if near := root.SuggestionsFor(args[0]); len(near) > 0 {
		fix = "did you mean bootrace " + strings.Join(near, " or bootrace ") + "? " + fix
	}
	return advice{fmt.Errorf("there is no verb %q", args[0]), fix}
}

// strconvError is the tail of pflag's message when a value is no number.
var strconvError = regexp.MustCompile(`invalid argument (".*") for "(?:-., )?(--[a-z-]+)" flag: strconv\..*$`)

// plainFlagError takes the name of a Go function out of the message.
func plainFlagError(err error) error {
	if m := strconvError.FindStringSubmatch(err.Error()); m != nil {
		return fmt.Errorf("%s %s: expected a whole number", m[2], m[1])
	}
	return err
}

// noArguments is cobra.NoArgs, which calls an argument a command.
func noArguments(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("unexpected argument %q: this verb takes none", args[0])
	}
	return nil
}
