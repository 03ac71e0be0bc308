package boot

import (
	"slices"
	"strings"
)

// NotHere: what kept a unit from its start holds on a real machine. Of conditions that
// trigger, one is enough.
func NotHere(unmet []string) bool {
	triggers, triggered := false, false
	for _, c := range unmet {
		ours := ofContainer(c)
		if strings.Contains(c, "=|") {
			triggers, triggered = true, triggered || ours
		} else if !ours {
			return false
		}
	}
	return len(unmet) > 0 && (!triggers || triggered)
}

// Virtualization is what such a condition says of a container, and of a real machine.
func Virtualization(condition string) (here, real bool) {
	_, parameter, negated := parted(condition)
	here = slices.Contains([]string{"yes", "true", "1", "on", "container", "docker", "podman"}, parameter)
	return here != negated, realMachine(parameter) != negated
}

// hereOnly: a unit runs by a condition that holds of a container and not of a real machine.
func hereOnly(held []string) bool {
	return slices.ContainsFunc(held, func(c string) bool {
		_, real := Virtualization(c) // it held, so it says yes of this one
		return !real && !strings.Contains(c, "=|")
	})
}

// parted is a condition or an assert without its prefix (systemd.unit(5)).
func parted(condition string) (kind, parameter string, negated bool) {
	kind, parameter, _ = strings.Cut(condition, "=")
	kind = strings.TrimPrefix(strings.TrimPrefix(kind, "Condition"), "Assert")
	parameter, negated = strings.CutPrefix(strings.TrimPrefix(parameter, "|"), "!")
	return kind, parameter, negated
}

// realMachine is what ConditionVirtualization= says of a worker in Azure, which is a
// virtual machine of Hyper-V.
func realMachine(parameter string) bool {
	return slices.Contains([]string{"yes", "true", "1", "on", "vm", "microsoft"}, parameter)
}

// kernels are the kinds of conditions about what the kernel, its capabilities and the
// firmware are: a container has less of each.
var kernels = []string{"Capability", "ControlGroupController", "KernelModuleLoaded", "KernelCommandLine", "Security", "Firmware", "KernelVersion"}

// hardware is where the kernel shows devices, modules and settings, and a container has
// few of them, or may not write.
var hardware = []string{"/dev", "/sys", "/proc/sys", "/lib/modules", "/usr/lib/modules", "/boot"}

// ordinary are those below them that a container has as any machine does.
var ordinary = []string{"/dev/shm", "/dev/mqueue", "/dev/log", "/dev/pts"}

// containers are the files by which programs know one.
var containers = []string{"/.dockerenv", "/run/.containerenv", "/run/systemd/container", "/run/host"}

// ofContainer: a condition does not hold here for the machine's being a container.
func ofContainer(condition string) bool {
	kind, parameter, negated := parted(condition)
	under := func(dir string) bool { return parameter == dir || strings.HasPrefix(parameter, dir+"/") }
	switch {
	case kind == "Virtualization":
		return realMachine(parameter) != negated
	case slices.Contains(kernels, kind):
		return !negated
	case strings.HasPrefix(kind, "Path") || strings.HasSuffix(kind, "NotEmpty"):
		return !negated && slices.ContainsFunc(hardware, under) && !slices.ContainsFunc(ordinary, under) || negated && slices.ContainsFunc(containers, under)
	}
	return false
}
