package process

import (
	"os"
	"path/filepath"
	"slices"
)

// followed are the units that bootrace follows by name. An image may have one of them under
// another, with ours as a link to it (systemd.unit(5), Alias=): PID 1 then speaks of the other.
var followed = []string{"vector.service", "opensandbox-worker.service", "boot-logger.service"}

// unitDirs is where PID 1 looks for units; the first that has one counts.
var unitDirs = []string{"/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system"}

// Named is the name by which bootrace follows the unit: its own, if it is no other's.
func Named(unit string) string { return named(unit, unitDirs) }

func named(unit string, dirs []string) string {
	if slices.Contains(followed, unit) || filepath.Ext(unit) != ".service" {
		return unit
	}
	for _, name := range followed {
		for _, dir := range dirs {
			file := filepath.Join(dir, name)
			if _, err := os.Lstat(file); err != nil {
				continue
			}
			if target, err := os.Readlink(file); err == nil && filepath.Base(target) == unit {
				return name
			}
			break
		}
	}
	return unit
}
