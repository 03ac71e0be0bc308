// Package unit talks to the service manager: readiness and status of the unit
// this process is (sd_notify(3)), and over D-Bus whatever makes another unit
// take up a new environment file (org.freedesktop.systemd1(5)).
package unit

import (
	"strings"

	"github.com/coreos/go-systemd/v22/daemon"
)

// Self is the unit this process is the main process of. Without a service
// manager (no NOTIFY_SOCKET) it does nothing.
type Self struct{}

// Ready says that what is ordered after this unit may start.
func (Self) Ready(status string) error {
	_, err := daemon.SdNotify(false, daemon.SdNotifyReady+"\n"+line(status))
	return err
}

// Status is what systemctl status shows.
func (Self) Status(status string) error {
	_, err := daemon.SdNotify(false, line(status))
	return err
}

// line: an assignment ends with its line, what follows would be another.
func line(status string) string {
	return "STATUS=" + strings.NewReplacer("\n", " ", "\r", " ").Replace(status)
}
