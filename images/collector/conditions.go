package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	godbus "github.com/godbus/dbus/v5"
)

// condition is an element of a unit's Conditions or Asserts (org.freedesktop.systemd1(5)).
type condition struct {
	Type            string
	Trigger, Negate bool
	Parameter       string
	State           int32 // when the unit was last started; below 0: it did not hold
}

func (c condition) String() string {
	sign := ""
	if c.Trigger {
		sign = "|"
	}
	if c.Negate {
		sign += "!"
	}
	return fmt.Sprintf("%s=%s%s", c.Type, sign, c.Parameter)
}

// writeConditions writes those that did not hold when the unit was last started, as
// UnmetCondition=, and those of them that hold now, as MetCondition=. What held of the
// kind of machine that this is, it writes as HeldCondition=.
func writeConditions(out *bytes.Buffer, v godbus.Variant) {
	var all []condition
	if godbus.Store([]any{v.Value()}, &all) != nil {
		return
	}
	// Of those that trigger one is enough (systemd.unit(5)).
	triggered := slices.ContainsFunc(all, func(c condition) bool { return c.Trigger && c.State > 0 })
	for _, c := range all {
		if c.State > 0 && c.Type == "ConditionVirtualization" {
			fmt.Fprintf(out, "HeldCondition=%s\n", c)
		}
		if c.State >= 0 || c.Trigger && triggered {
			continue
		}
		fmt.Fprintf(out, "UnmetCondition=%s\n", c)
		if holds, known := holdsNow(c.Type, c.Parameter); known && holds != c.Negate {
			fmt.Fprintf(out, "MetCondition=%s\n", c)
		}
	}
}

// holdsNow looks at the conditions on paths (systemd.unit(5)) that a boot may change.
func holdsNow(kind, path string) (holds, known bool) {
	info, err := os.Stat(path)
	switch kind {
	case "ConditionPathExists":
		return err == nil, true
	case "ConditionPathExistsGlob":
		found, _ := filepath.Glob(path)
		return len(found) > 0, true
	case "ConditionPathIsDirectory":
		return err == nil && info.IsDir(), true
	case "ConditionFileNotEmpty":
		return err == nil && info.Mode().IsRegular() && info.Size() > 0, true
	case "ConditionDirectoryNotEmpty":
		entries, err := os.ReadDir(path)
		return err == nil && len(entries) > 0, true
	}
	return false, false
}
