package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"path"
	"strings"

	"github.com/coreos/go-systemd/v22/dbus"
	godbus "github.com/godbus/dbus/v5"
	"golang.org/x/sync/errgroup"

	"bootrace/harness/timespan"
	"bootrace/images/inside/process"
)

// unitProperties and serviceProperties are what the timeline reads of a unit. One
// by one, because asking for all of a unit's properties, as systemctl show does,
// has PID 1 work out UnitFileState from the unit files on disk: 0.7 s on a cold
// overlay, which would be most of what a case costs. So it is asked for only where
// somebody wants a unit that never started.
var (
	unitProperties = []string{
		"ActiveEnterTimestampMonotonic", "InactiveExitTimestampMonotonic", "StartLimitBurst", "StartLimitIntervalUSec",
		"FragmentPath", "Before", "After", "WantedBy", "RequiredBy",
	}
	serviceProperties = []string{
		"Type", "Result", "NRestarts", "MainPID", "ExecMainStartTimestampMonotonic", "ExecMainStatus", "StatusText", "Restart",
	}
	// startedAgainBy is who starts Vector again beside its own Restart=; systemd before
	// 249 has no UpheldBy.
	startedAgainBy = []string{"OnFailure", "UpheldBy"}
	// saidTo is where what the worker says goes.
	saidTo = []string{"StandardOutput", "LogNamespace"}
	// keptFrom is what may have kept an inactive unit from its start, whether PID 1 was
	// heard or not, and what may still start it.
	keptFrom = []string{"ConditionResult", "ConditionTimestampMonotonic", "AssertResult", "AssertTimestampMonotonic", "TriggeredBy", "OnSuccessOf"}
	// ownLimits are a service's own, whose effects are not the host's doing.
	ownLimits = []string{"MemoryMax", "Slice", "User", "CapabilityBoundingSet",
		"ProtectKernelTunables", "ProtectKernelModules", "ProtectClock", "PrivateDevices"}
	// ofAll are told of a service that never started, too: whether PID 1 speaks of it, and
	// what is there for all to ask for, whatever the mode of the file that says it.
	ofAll = []string{"LogLevelMax", "Environment"}
	// askedFor is who waits for a device that is not there.
	askedFor = []string{"RequiredBy", "BoundBy", "WantedBy"}
)

// bootLoggerUnit is disabled in an image that leaves it out.
const bootLoggerUnit = "boot-logger.service"

// askedAtOnce is how many questions PID 1 has before it: it answers one by one, and
// is not to wait for the next.
const askedAtOnce = 4

// listUnits is units.txt: all units at one moment, in blocks of Name=value as
// systemctl show prints them. With an error it returns what there is.
func listUnits(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, process.AnswerWithin)
	defer cancel()
	conn, units, err := askManager(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	blocks := make([]bytes.Buffer, len(units))
	var group errgroup.Group
	group.SetLimit(askedAtOnce)
	for i, u := range units {
		group.Go(func() error {
			if err := writeUnit(ctx, conn, &blocks[i], u); err != nil {
				return fmt.Errorf("properties of %s: %w", u.Name, err)
			}
			return nil
		})
	}
	err = group.Wait()
	var out bytes.Buffer
	for i := range blocks {
		out.Write(blocks[i].Bytes())
	}
	return out.Bytes(), err
}

// askManager asks PID 1 for its units, and leaves the connection open. It is PID 1's own
// socket: the bus may be one of the things that did not come up.
func askManager(ctx context.Context) (*dbus.Conn, []dbus.UnitStatus, error) {
	conn, err := dbus.NewSystemdConnectionContext(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("connect to systemd: %w", err)
	}
	units, err := conn.ListUnitsContext(ctx)
	if err != nil {
		conn.Close()
		return nil, nil, fmt.Errorf("list units: %w", err)
	}
	return conn, units, nil
}

func writeUnit(ctx context.Context, conn *dbus.Conn, out *bytes.Buffer, u dbus.UnitStatus) error {
	name := process.Named(u.Name)
	if name != u.Name {
		fmt.Fprintf(out, "Names=%s\n", u.Name)
	}
	fmt.Fprintf(out, "Id=%s\nDescription=%s\nLoadState=%s\nActiveState=%s\nSubState=%s\n", name,
		strings.ReplaceAll(u.Description, "\n", " "), u.LoadState, u.ActiveState, u.SubState)
	if u.JobId != 0 {
		fmt.Fprintf(out, "Job=%d\n", u.JobId)
	}
	kind := strings.TrimPrefix(path.Ext(u.Name), ".")
	switch kind {
	case "device":
		if u.ActiveState != "active" { // there are hundreds that are
			optional(out, askedFor, func(name string) (*dbus.Property, error) { return conn.GetUnitPropertyContext(ctx, u.Name, name) })
		}
		out.WriteByte('\n')
		return nil
	case "scope", "swap":
		out.WriteByte('\n')
		return nil // the kernel's own; nothing under test has them
	}
	get := func(name string) (*dbus.Property, error) { return conn.GetUnitPropertyContext(ctx, u.Name, name) }
	said := map[string]string{}
	for _, name := range unitProperties {
		p, err := get(name)
		if err != nil {
			return err
		}
		said[name] = propertyText(name, p.Value)
		fmt.Fprintf(out, "%s=%s\n", name, said[name])
	}
	idle := u.ActiveState == "inactive" && said["InactiveExitTimestampMonotonic"] == "0" // so far
	if idle && u.LoadState == "loaded" && (said["WantedBy"]+said["RequiredBy"] != "" || name == bootLoggerUnit) {
		optional(out, []string{"UnitFileState"}, get) // was it to be started?
	}
	if u.LoadState == "loaded" && u.ActiveState == "inactive" {
		optional(out, keptFrom, get)
	}
	if u.LoadState == "loaded" {
		optional(out, []string{"BoundBy", "RequisiteOf", "RequiresMountsFor"}, get)
		for _, name := range []string{"Conditions", "Asserts"} {
			if p, err := get(name); err == nil {
				writeConditions(out, p.Value)
			}
		}
	}
	ofService := func(name string) (*dbus.Property, error) { return conn.GetServicePropertyContext(ctx, u.Name, name) }
	if name == "opensandbox-worker.service" {
		optional(out, saidTo, ofService)
	}
	if name == "vector.service" {
		optional(out, startedAgainBy, get)
	}
	switch kind {
	case "slice":
		optional(out, []string{"MemoryMax", "Slice"}, func(name string) (*dbus.Property, error) {
			return conn.GetUnitTypePropertyContext(ctx, u.Name, "Slice", name)
		})
	case "service":
		optional(out, ofAll, ofService)
		if idle && name != "vector.service" {
			break // what a start would have left is not there
		}
		optional(out, ownLimits, ofService)
		for _, name := range serviceProperties {
			p, err := ofService(name)
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "%s=%s\n", name, propertyText(name, p.Value))
		}
	}
	out.WriteByte('\n')
	return nil
}

// optional writes the properties that this systemd has.
func optional(out *bytes.Buffer, names []string, get func(name string) (*dbus.Property, error)) {
	for _, name := range names {
		if p, err := get(name); err == nil {
			fmt.Fprintf(out, "%s=%s\n", name, propertyText(name, p.Value))
		}
	}
}

// propertyText writes a value as systemctl does, where the timeline depends on it.
func propertyText(name string, v godbus.Variant) string {
	switch value := v.Value().(type) {
	case []string:
		return strings.ReplaceAll(strings.Join(value, " "), "\n", " ")
	case uint64:
		switch {
		case name == "StartLimitIntervalUSec":
			return timespan.Format(timespan.Micro(value))
		case name == "MemoryMax" && value == math.MaxUint64: // CGROUP_LIMIT_MAX of systemd
			return "infinity"
		}
		return fmt.Sprint(value)
	case bool:
		if value {
			return "yes"
		}
		return "no"
	case string:
		return strings.ReplaceAll(value, "\n", " ")
	default:
		return fmt.Sprint(value)
	}
}
