// Azure is the cloud of one machine: the instance metadata service, one key
// vault, Axiom's ingest and OpenSandbox's control plane, emulated behind their
// real host names in one small static program.
//
//	azure serve /etc/azure/cloud.json
//	azure ca DIR
//	azure host watch|facts
//
// The first serves until SIGTERM and prints one JSON line a request; the second
// makes the authority that it needs; the third, which is no cloud, says what the host
// is like that the containers are on. README.md says what it plays, and what it
// does not.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"bootrace/images/azure/cloud"
	"bootrace/images/azure/config"
	"bootrace/images/azure/host"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// softLimit is on the runtime's memory; pages of the program's file come on top.
const softLimit = 16 << 20

// run is the program: 0 after a signal, 1 when it cannot serve, 2 for wrong use.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	verb := ""
	if len(args) == 2 {
		verb = args[0]
	}
	var err error
	switch verb {
	case "serve":
		// There are a hundred clouds on a small host, and each is idle: collecting
		// often costs nothing here, and above the soft limit the runtime also gives
		// back what a large batch took.
		debug.SetGCPercent(25)
		debug.SetMemoryLimit(softLimit)
		err = serve(ctx, args[1], stdout)
	case "ca":
		err = writeAuthority(args[1])
	case "host":
		err = look(ctx, args[1], stdout)
	default:
		fmt.Fprintln(stderr, "usage: azure serve CONFIG.json\n       azure ca DIR\n       azure host watch|facts|raise")
		return 2
	}
	if err != nil {
		fmt.Fprintln(stderr, "azure:", err)
		return 1
	}
	return 0
}

func look(ctx context.Context, what string, stdout io.Writer) error {
	switch what {
	case "watch":
		return host.Watch(ctx, stdout)
	case "facts":
		return json.NewEncoder(stdout).Encode(host.Facts())
	case "raise":
		return host.RaiseInotify()
	}
	return fmt.Errorf("host %s: expected watch, facts or raise", what)
}

func serve(ctx context.Context, path string, stdout io.Writer) error {
	cfg, err := config.Load(path)
	if err != nil {
		return err
	}
	authority, err := readAuthority(cfg)
	if err != nil {
		return err
	}
	c := cloud.New(cfg, authority, stdout)
	l, err := c.Listen(ctx)
	if err != nil {
		return err
	}
	return c.Serve(ctx, l)
}
