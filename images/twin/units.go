package main

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/dbus"
	godbus "github.com/godbus/dbus/v5"
)

// unitProperties and serviceProperties are what the timeline reads of a unit. One
// by one, because asking for all of a unit's properties, as systemctl show does,
// has PID 1 work out UnitFileState from the unit files on disk: 0.7 s on a cold
// overlay, which would be most of what a case costs.
var (
	unitProperties = []string{
		"ActiveEnterTimestampMonotonic", "InactiveExitTimestampMonotonic", "StartLimitBurst", "StartLimitIntervalUSec",
		"FragmentPath", "Before", "After", "WantedBy", "RequiredBy",
	}
	serviceProperties = []string{
		"Type", "Result", "NRestarts", "MainPID", "ExecMainStartTimestampMonotonic", "ExecMainStatus", "StatusText", "Restart",
	}
	// startedAgainBy is who starts Vector again beside its own Restart=.
	startedAgainBy = []string{"OnFailure", "UpheldBy"}
)

// unitList is all units at one moment.
type unitList struct {
	text  bytes.Buffer // units.txt: blocks of Name=value as systemctl show prints them
	times map[string]unitTimes
	zero  uint64 // PID 1's userspace start, CLOCK_MONOTONIC in microseconds
}

func listUnits(ctx context.Context) (*unitList, error) {
	l := &unitList{times: map[string]unitTimes{}}
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	// PID 1's own socket: the bus may be one of the things that did not come up.
	conn, err := dbus.NewSystemdConnectionContext(ctx)
	if err != nil {
		return l, fmt.Errorf("connect to systemd: %w", err)
	}
	defer conn.Close()
	units, err := conn.ListUnitsContext(ctx)
	if err != nil {
		return l, fmt.Errorf("list units: %w", err)
	}
	// As D-Bus text: "@t 123".
	start, err := conn.GetManagerProperty("UserspaceTimestampMonotonic")
	if err != nil {
		return l, fmt.Errorf("ask for the boot's start: %w", err)
	}
	if _, err := fmt.Sscanf(start, "@t %d", &l.zero); err != nil {
		return l, fmt.Errorf("UserspaceTimestampMonotonic %q: %w", start, err)
	}
	for _, u := range units {
		if l.times[u.Name], err = writeUnit(ctx, conn, &l.text, u); err != nil {
			return l, fmt.Errorf("properties of %s: %w", u.Name, err)
		}
	}
	return l, nil
}

func writeUnit(ctx context.Context, conn *dbus.Conn, out *bytes.Buffer, u dbus.UnitStatus) (times unitTimes, err error) {
	fmt.Fprintf(out, "Id=%s\nLoadState=%s\nActiveState=%s\nSubState=%s\n", u.Name, u.LoadState, u.ActiveState, u.SubState)
	if u.JobId != 0 {
		fmt.Fprintf(out, "Job=%d\n", u.JobId)
	}
	kind := strings.TrimPrefix(path.Ext(u.Name), ".")
	switch kind {
	case "device", "scope", "swap":
		out.WriteByte('\n')
		return times, nil // the kernel's own; nothing under test has them
	}
	names := unitProperties
	if u.ActiveState != "active" && u.LoadState == "loaded" {
		names = append(names[:len(names):len(names)], "UnitFileState") // was it to be started?
	}
	for _, name := range names {
		p, err := conn.GetUnitPropertyContext(ctx, u.Name, name)
		if err != nil {
			return times, err
		}
		switch value := p.Value.Value().(type) {
		case uint64:
			switch name {
			case "ActiveEnterTimestampMonotonic":
				times.activated = value
			case "InactiveExitTimestampMonotonic":
				times.activating = value
			}
		case []string:
			if name == "After" {
				times.after = value
			}
		}
		fmt.Fprintf(out, "%s=%s\n", name, propertyText(name, p.Value))
	}
	if u.Name == "vector.service" {
		for _, name := range startedAgainBy {
			// systemd before 249 has no UpheldBy.
			if p, err := conn.GetUnitPropertyContext(ctx, u.Name, name); err == nil {
				fmt.Fprintf(out, "%s=%s\n", name, propertyText(name, p.Value))
			}
		}
	}
	if kind == "service" {
		for _, name := range serviceProperties {
			p, err := conn.GetServicePropertyContext(ctx, u.Name, name)
			if err != nil {
				return times, err
			}
			fmt.Fprintf(out, "%s=%s\n", name, propertyText(name, p.Value))
		}
	}
	out.WriteByte('\n')
	return times, nil
}

// propertyText writes a value as systemctl does, where the timeline depends on it.
func propertyText(name string, v godbus.Variant) string {
	switch value := v.Value().(type) {
	case []string:
		return strings.Join(value, " ")
	case uint64:
		if name == "StartLimitIntervalUSec" {
			return fmt.Sprintf("%gs", (time.Duration(value) * time.Microsecond).Seconds())
		}
		return fmt.Sprint(value)
	case string:
		return strings.ReplaceAll(value, "\n", " ")
	default:
		return fmt.Sprint(value)
	}
}
