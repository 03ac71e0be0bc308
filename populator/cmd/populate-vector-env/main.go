// Command populate-vector-env writes /etc/opensandbox/vector.env from Azure Key
// Vault; ../../README.md says by which rules. It has no options and takes
// nothing from its environment but the service manager's socket.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"bootrace/populator/hostip"
	"bootrace/populator/populate"
	"bootrace/populator/roleenv"
	"bootrace/populator/unit"
	"bootrace/populator/vault"
	"bootrace/populator/vectorenv"
	"bootrace/populator/watch"
)

const (
	dir     = "/etc/opensandbox"
	service = "vector.service"
	// owed is in the unit's RuntimeDirectory=, kept across its restarts.
	owed = "/run/populate-vector-env/reload-owed"
	poll = 5 * time.Second
)

func main() {
	if len(os.Args) != 1 {
		fmt.Fprintln(os.Stderr, "usage: populate-vector-env (no arguments; it is a systemd service's program)")
		os.Exit(2)
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{ReplaceAttr: withoutTime}))
	if err := run(log); err != nil {
		log.Error(err.Error())
		os.Exit(1)
	}
}

func run(log *slog.Logger) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := harden(); err != nil {
		return err
	}
	client, err := vault.New(vault.Options{})
	if err != nil {
		return err
	}
	defer client.Close()
	// Outside of the unit nobody has made it.
	_ = os.Mkdir(filepath.Dir(owed), 0o700)
	err = populate.Run(ctx, populate.Config{
		Dir:     dir,
		File:    vectorenv.File{Path: filepath.Join(dir, "vector.env")},
		Vault:   client,
		Vector:  unit.NewService(service),
		Notify:  unit.Self{},
		HostIP:  hostip.Source,
		Changes: watch.Files(ctx, dir, []string{roleenv.WorkerEnv, roleenv.ServerEnv}, poll),
		Owed:    populate.Marker{Path: owed},
		Log:     log,
		Timing:  populate.DefaultTiming(),
	})
	if errors.Is(err, context.Canceled) {
		return nil // told to stop: not a failure
	}
	return err
}

// harden takes away what the environment could change: azidentity's other
// identity endpoints (IDENTITY_ENDPOINT, MSI_ENDPOINT, IMDS_ENDPOINT), Go's
// certificates (SSL_CERT_FILE), proxies. It also keeps memory with secrets in
// it from other processes and core files, PR_SET_DUMPABLE(2const).
func harden() error {
	socket := os.Getenv("NOTIFY_SOCKET")
	os.Clearenv()
	if socket != "" {
		if err := os.Setenv("NOTIFY_SOCKET", socket); err != nil {
			return err
		}
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("not dumpable: %w", err)
	}
	syscall.Umask(0o077)
	return nil
}

// withoutTime: the journal has one.
func withoutTime(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}
