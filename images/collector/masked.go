package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// unitDirs are where PID 1 looks for units, the first that has one before all others
// (systemd.unit(5)).
var unitDirs = []string{"/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system"}

// writeMasked writes the units that are masked, and are wanted or required by a link in a
// directory. PID 1 passes such a link over (systemd 257 as 252), and where nothing else names
// the unit it never loads it: neither is it in its list, then.
func writeMasked(out *bytes.Buffer, dirs []string, loaded map[string]bool) {
	by := map[string]map[string][]string{} // unit, WantedBy or RequiredBy, by which
	for suffix, property := range map[string]string{".wants": "WantedBy", ".requires": "RequiredBy"} {
		for _, dir := range dirs {
			links, _ := filepath.Glob(filepath.Join(dir, "*"+suffix, "*")) // the pattern is good
			for _, link := range links {
				unit := filepath.Base(link)
				if loaded[unit] || !masked(dirs, unit) {
					continue
				}
				if by[unit] == nil {
					by[unit] = map[string][]string{}
				}
				by[unit][property] = append(by[unit][property], strings.TrimSuffix(filepath.Base(filepath.Dir(link)), suffix))
			}
		}
	}
	for _, unit := range slices.Sorted(maps.Keys(by)) {
		fmt.Fprintf(out, "Id=%s\nLoadState=masked\nActiveState=inactive\nSubState=dead\n", unit)
		for _, property := range slices.Sorted(maps.Keys(by[unit])) {
			fmt.Fprintf(out, "%s=%s\n", property, strings.Join(by[unit][property], " "))
		}
		out.WriteByte('\n')
	}
}

// masked: the file that counts is /dev/null, or empty (systemctl(1), mask).
func masked(dirs []string, unit string) bool {
	for _, dir := range dirs {
		info, err := os.Stat(filepath.Join(dir, unit))
		if err == nil {
			return info.Mode()&fs.ModeCharDevice != 0 || info.Mode().IsRegular() && info.Size() == 0
		}
	}
	return false
}
