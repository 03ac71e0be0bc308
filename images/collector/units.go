package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"path"
	"path/filepath"
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
	// stoppedWith is what takes Vector along as it ends (PropagatesStopTo=, since 249).
	stoppedWith = []string{"StopPropagatedFrom"}
	// outdated is whether PID 1 has read the files of Vector's unit as they are on disk now.
	outdated = []string{"NeedDaemonReload"}
	// saidTo is where what the worker says goes.
	saidTo = []string{"StandardOutput", "LogNamespace"}
	// keptFrom is what may have kept an inactive unit from its start, whether PID 1 was
	// heard or not, and what may still start it.
	keptFrom = []string{"ConditionResult", "ConditionTimestampMonotonic", "AssertResult", "AssertTimestampMonotonic", "TriggeredBy", "OnSuccessOf", "UpheldBy"}
	// startedBy is who starts a service that ran, again and again maybe.
	startedBy = []string{"TriggeredBy", "UpheldBy"}
	// elapses is when a timer does next.
	elapses = []string{"NextElapseUSecMonotonic"}
	// ownLimits are a service's own, whose effects are not the host's doing.
	ownLimits = []string{"MemoryMax", "Slice", "User", "CapabilityBoundingSet",
		"ProtectKernelTunables", "ProtectKernelModules", "ProtectClock", "PrivateDevices"}
	// ofAll are told of a service that never started, too: whether PID 1 speaks of it, and
	// what is there for all to ask for, whatever the mode of the file that says it.
	ofAll = []string{"LogLevelMax", "Environment"}
	// askedFor is who waits for a device that is not there.
	askedFor = []string{"RequiredBy", "BoundBy", "WantedBy"}
)

// noLimit is how systemctl prints CGROUP_LIMIT_MAX.
const noLimit = "infinity"

// bootLoggerUnit is disabled in an image that leaves it out.
const bootLoggerUnit = "boot-logger.service"

// askedAtOnce is how many questions PID 1 has before it: it answers one by one, and
// is not to wait for the next.
const askedAtOnce = 4

// listUnits is units.txt: all units at one moment, in blocks of Name=value as
// systemctl show prints them. With an error it returns what there is.
func listUnits(ctx context.Context) ([]byte, error) {
	text, _, err := askUnits(ctx)
	return text, err
}

// askUnits is listUnits, and what of it may be kept.
func askUnits(ctx context.Context) ([]byte, *kept, error) {
	ctx, cancel := context.WithTimeout(ctx, process.AnswerWithin)
	defer cancel()
	conn, units, err := askManager(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer conn.Close()
	before := &kept{Units: map[string]map[string]string{}}
	if of, err := stamp(conn, units); err == nil { // systemd before 250 does not tell
		before = recall(keptFile, of)
	}
	blocks := make([]bytes.Buffer, len(units))
	var group errgroup.Group
	group.SetLimit(askedAtOnce)
	for i, u := range units {
		group.Go(func() error {
			if err := writeUnit(ctx, conn, before, &blocks[i], u); err != nil {
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
	loaded := map[string]bool{}
	for _, u := range units {
		loaded[u.Name] = true
	}
	writeMasked(&out, unitDirs, loaded)
	return out.Bytes(), before, err
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

func writeUnit(ctx context.Context, conn *dbus.Conn, before *kept, out *bytes.Buffer, u dbus.UnitStatus) error {
	asks := func(ask func(ctx context.Context, unit, name string) (*dbus.Property, error)) func(name string) (string, error) {
		return func(name string) (string, error) {
			return before.text(u.Name, name, func() (string, error) {
				p, err := ask(ctx, u.Name, name)
				if err != nil {
					return "", err
				}
				return propertyText(name, p.Value), nil
			})
		}
	}
	get, ofService := asks(conn.GetUnitPropertyContext), asks(conn.GetServicePropertyContext)
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
			optional(out, askedFor, get)
		}
		out.WriteByte('\n')
		return nil
	case "scope", "swap":
		out.WriteByte('\n')
		return nil // the kernel's own; nothing under test has them
	}
	said := map[string]string{}
	for _, name := range unitProperties {
		text, err := get(name)
		if err != nil {
			return err
		}
		said[name] = text
		fmt.Fprintf(out, "%s=%s\n", name, said[name])
	}
	idle := u.ActiveState == "inactive" && said["InactiveExitTimestampMonotonic"] == "0" // so far
	if idle && u.LoadState == "loaded" && (said["WantedBy"]+said["RequiredBy"] != "" || name == bootLoggerUnit) {
		optional(out, []string{"UnitFileState"}, get) // was it to be started?
	}
	looked := map[string]bool{"Conditions": true, "Asserts": true} // by PID 1, when it was to start the unit
	if u.LoadState == "loaded" && u.ActiveState == "inactive" {
		kept := optional(out, keptFrom, get)
		looked["Conditions"], looked["Asserts"] = kept["ConditionTimestampMonotonic"] != "0", kept["AssertTimestampMonotonic"] != "0"
	}
	if u.LoadState == "loaded" {
		optional(out, []string{"BoundBy", "RequisiteOf", "RequiresMountsFor"}, get)
		for _, name := range []string{"Conditions", "Asserts"} {
			if !looked[name] {
				continue
			}
			if p, err := conn.GetUnitPropertyContext(ctx, u.Name, name); err == nil {
				writeConditions(out, p.Value)
			}
		}
	}
	if name == "opensandbox-worker.service" {
		optional(out, saidTo, ofService)
	}
	if name == "vector.service" {
		optional(out, startedAgainBy, get)
		optional(out, stoppedWith, get)
		writeEnvironmentFiles(ctx, conn, out, u.Name)
		optional(out, outdated, get)
	}
	switch kind {
	case "timer":
		optional(out, elapses, asks(func(ctx context.Context, unit, name string) (*dbus.Property, error) {
			return conn.GetUnitTypePropertyContext(ctx, unit, "Timer", name)
		}))
	case "slice":
		optional(out, []string{"MemoryMax", "Slice"}, asks(func(ctx context.Context, unit, name string) (*dbus.Property, error) {
			return conn.GetUnitTypePropertyContext(ctx, unit, "Slice", name)
		}))
	case "service":
		optional(out, ofAll, ofService)
		if u.LoadState == "loaded" && u.ActiveState != "inactive" && name != "vector.service" {
			optional(out, startedBy, get)
			if local(said["FragmentPath"]) {
				writeEnvironmentFiles(ctx, conn, out, u.Name)
			}
		}
		if idle && name != "vector.service" {
			break // what a start would have left is not there
		}
		if limit := optional(out, ownLimits, ofService)["MemoryMax"]; limit != "" && limit != noLimit {
			writeUncounted(out, name, ofService)
		}
		for _, name := range serviceProperties {
			text, err := ofService(name)
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "%s=%s\n", name, text)
		}
	}
	out.WriteByte('\n')
	return nil
}

// writeUncounted writes what a unit's processes have of memory that is not a file's, in
// bytes, where nobody holds it against MemoryMax=: MemoryCurrent is not set then, for the
// host has no memory controller.
func writeUncounted(out *bytes.Buffer, unit string, get func(name string) (string, error)) {
	if current, err := get("MemoryCurrent"); err != nil || current != fmt.Sprint(uint64(math.MaxUint64)) {
		return
	}
	if bytes, err := process.Anonymous(unit); err == nil {
		fmt.Fprintf(out, "MemoryUncounted=%d\n", bytes)
	}
}

// writeEnvironmentFiles names the EnvironmentFile= that a unit does not start without, and those
// that are not there: PID 1 says of the former that one is missing and not which, and of others
// nothing (systemd.exec(5)).
func writeEnvironmentFiles(ctx context.Context, conn *dbus.Conn, out *bytes.Buffer, unit string) {
	p, err := conn.GetServicePropertyContext(ctx, unit, "EnvironmentFiles")
	if err != nil {
		return
	}
	pairs, _ := p.Value.Value().([][]any) // a(sb): the path, or a pattern; whether it may be missing
	var missing, required []string
	for _, pair := range pairs {
		path, _ := pair[0].(string)
		if found, err := filepath.Glob(path); err == nil && len(found) == 0 {
			missing = append(missing, path)
		}
		if optional, _ := pair[1].(bool); !optional {
			required = append(required, path)
		}
	}
	fmt.Fprintf(out, "EnvironmentFilesMissing=%s\nEnvironmentFilesRequired=%s\n", strings.Join(missing, " "), strings.Join(required, " "))
}

// local: a unit is the image's own, not a package's.
func local(fragment string) bool {
	return strings.HasPrefix(fragment, "/etc/systemd/system/") || strings.HasPrefix(fragment, "/usr/local/lib/systemd/system/")
}

// optional writes the properties that this systemd has, and returns them.
func optional(out *bytes.Buffer, names []string, get func(name string) (string, error)) map[string]string {
	said := map[string]string{}
	for _, name := range names {
		if text, err := get(name); err == nil {
			said[name] = text
			fmt.Fprintf(out, "%s=%s\n", name, text)
		}
	}
	return said
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
			return noLimit
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
