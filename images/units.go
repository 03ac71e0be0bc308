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

// StarterPaths are where files lie that are run without a unit of their own: generators of
// units (systemd.generator(7)), scripts of which systemd's own make some
// (systemd-sysv-generator(8), systemd-rc-local-generator(8)), and what cloud-init runs.
var StarterPaths = []string{
	"etc/systemd/system-generators", "usr/local/lib/systemd/system-generators", "usr/lib/systemd/system-generators", "lib/systemd/system-generators",
	"etc/init.d", "etc/rc.local", "etc/cloud/cloud.cfg.d", "var/lib/cloud/scripts",
}

// Starter tells a file that is run so, and by which unit of the base; no unit: units are
// made of it at each boot.
func Starter(file string) (unit string, ok bool) {
	for _, p := range StarterPaths {
		if file != p && !strings.HasPrefix(file, p+"/") {
			continue
		}
		switch {
		case p == "etc/rc.local":
			return "rc-local.service", true
		case strings.Contains(p, "cloud"):
			return "cloud-final.service", true
		}
		return "", true
	}
	return "", false
}

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
