package images

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// UnitDirs are where units lie that do not come with the distribution's manager,
// relative to the root (systemd.unit(5), the system unit search path).
var UnitDirs = []string{"etc/systemd/system", "usr/local/lib/systemd/system", "usr/lib/systemd/system"}

// GeneratorDirs are where programs lie that make units at each boot (systemd.generator(7)).
var GeneratorDirs = []string{"etc/systemd/system-generators", "usr/local/lib/systemd/system-generators", "usr/lib/systemd/system-generators"}

var unitName = regexp.MustCompile(`^[A-Za-z0-9:_.\\@-]+\.(service|socket|path|timer|target|mount)$`)

// IsUnit tells a unit from other files of a unit directory. target is what it links
// to, if it is a link: one by another name is a mask or a second name
// (systemctl(1), mask; systemd.unit(5), Alias=).
func IsUnit(file, target string) bool {
	return unitName.MatchString(file) && (target == "" || path.Base(target) == file)
}

// Units names the units among files of unit directories, by path below them and
// link target. Where there are only drop-ins and masks, it is the units that they
// change.
func Units(files map[string]string) []string {
	var own, changed []string
	for file, target := range files {
		if IsUnit(file, target) {
			own = append(own, file)
		}
		if target == "/dev/null" && unitName.MatchString(file) {
			changed = append(changed, file)
		}
		if unit, ok := strings.CutSuffix(path.Dir(file), ".d"); ok && unitName.MatchString(unit) && path.Ext(file) == ".conf" {
			changed = append(changed, unit)
		}
	}
	if len(own) == 0 {
		own = changed
	}
	slices.Sort(own)
	return slices.Compact(own)
}
