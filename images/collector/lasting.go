package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/coreos/go-systemd/v22/dbus"

	"bootrace/images/inside/process"
	"bootrace/images/inside/sightings"
)

// lasting are the properties that stay as they are while PID 1 reads no unit files and has
// the same units: three quarters of all that is asked. They are asked before a case's end,
// while it waits, and kept.
var lasting = []string{
	"StartLimitBurst", "StartLimitIntervalUSec", "FragmentPath", "Before", "After", "WantedBy", "RequiredBy",
	"BoundBy", "RequisiteOf", "RequiresMountsFor", "TriggeredBy", "OnSuccessOf", "UpheldBy", "LogLevelMax",
	"Slice", "User", "CapabilityBoundingSet", "ProtectKernelTunables", "ProtectKernelModules", "ProtectClock", "PrivateDevices",
	"Type", "Restart",
}

// keptFile is in memory, as what it is of.
const keptFile = sightings.Dir + "/units.json"

// kept is what was asked before: of which units of which PID 1, as it had loaded them,
// and each unit's lasting properties.
type kept struct {
	Of    string                       `json:"of"`
	Units map[string]map[string]string `json:"units"`

	mu sync.Mutex
}

// stamp tells whether PID 1 still has what it had: when it started, when it last read
// unit files (0: as it started), and the units.
func stamp(conn *dbus.Conn, units []dbus.UnitStatus) (string, error) {
	loaded, err := conn.GetManagerProperty("UnitsLoadTimestampMonotonic")
	if err != nil {
		return "", fmt.Errorf("ask when units were loaded: %w", err)
	}
	lines := []string{fmt.Sprint(process.Start("/proc/1").Nanoseconds()), loaded}
	for _, u := range units {
		lines = append(lines, u.Name+" "+u.LoadState)
	}
	slices.Sort(lines[2:])
	return strings.Join(lines, "\n"), nil
}

// recall returns what was kept in a file of the same stamp, or an empty one to be filled.
func recall(path, stamp string) *kept {
	var k kept
	if data, err := os.ReadFile(path); err == nil && json.Unmarshal(data, &k) == nil && k.Of == stamp && k.Units != nil {
		return &k
	}
	return &kept{Of: stamp, Units: map[string]map[string]string{}}
}

// text is a property as it was kept, or as ask has it.
func (k *kept) text(unit, name string, ask func() (string, error)) (string, error) {
	if !slices.Contains(lasting, name) {
		return ask()
	}
	k.mu.Lock()
	text, ok := k.Units[unit][name]
	k.mu.Unlock()
	if ok {
		return text, nil
	}
	text, err := ask()
	if err == nil {
		k.mu.Lock()
		defer k.mu.Unlock()
		if k.Units[unit] == nil {
			k.Units[unit] = map[string]string{}
		}
		k.Units[unit][name] = text
	}
	return text, err
}

func (k *kept) write(path string) error {
	data, err := json.Marshal(k)
	return errors.Join(err, os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, data, 0o600))
}
