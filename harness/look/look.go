// Package look says what lies in a worker image before it boots: what a golden image must
// not remember, and what it asks for that no container has. It reads what [Script] prints,
// which needs a shell in the image and nothing that runs.
//
//	seen := look.Read(printed)
//	for _, f := range seen.Findings { … }
package look

import (
	_ "embed"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"bootrace/harness/boot"
)

//go:embed script.sh
var script string

// Script is in sh, and prints what [Read] reads.
func Script() string { return script }

// Label is that of an image which was looked at when it was made: what the script printed,
// as [Encode] writes it.
const Label = "bootrace.look"

// Encode makes a label's value: of the script's lines alone, for an engine takes labels as a
// part of an address.
func Encode(printed string) string {
	var lines strings.Builder
	for line := range strings.Lines(printed) {
		if strings.HasPrefix(line, "look\t") {
			lines.WriteString(line)
		}
	}
	return base64.StdEncoding.EncodeToString([]byte(lines.String()))
}

// Of reads the label of an image; one without it was not looked at.
func Of(labels map[string]string) (s Seen, ok bool) {
	text, err := base64.StdEncoding.DecodeString(labels[Label])
	if err != nil || len(text) == 0 {
		return s, false
	}
	return Read(string(text)), true
}

// Level says what a finding means.
type Level string

const (
	Problem Level = "problem" // an image should not be rolled out with it
	Note    Level = "note"    // it is right or wrong, by what is meant
)

// Finding is one thing that lies in the image.
type Finding struct {
	Name  string // its kind, by which a policy waives it
	Level Level
	Text  string
}

// Seen is what was seen of an image.
type Seen struct {
	Findings  []Finding // problems first
	Asks      []boot.Asked
	Presets   []string // units that a first boot enables, and the build left disabled
	MachineID string   // missing, empty, uninitialized, filled
}

// FirstBoot: systemd takes the image's next boot for its first, and presets all units
// (machine-id(5), systemd.preset(5)).
func (s Seen) FirstBoot() bool { return s.MachineID == "missing" || s.MachineID == "uninitialized" }

// machineID is what makes a boot the first.
var machineID = []string{"/etc/machine-id"}

// Kept are the paths of an image that are left as they are when it is to boot: that it is
// a first boot, as in production; and, of one that is to be as it is, all that a build may
// have left.
func (s Seen) Kept(asIs bool) []string {
	switch {
	case asIs:
		return append(slices.Clone(machineID), "/var/lib/cloud", "/var/log/journal")
	case s.FirstBoot():
		return machineID
	}
	return nil
}

// Repaired says of findings that an image boots without them.
func (s Seen) Repaired() Seen {
	s.Findings = slices.Clone(s.Findings)
	for i, f := range s.Findings {
		if f.Name == "cloud-init" || f.Name == "journal" || f.Name == "machine-id" && s.MachineID == "filled" {
			s.Findings[i].Text += "; it boots without (--as-is: with it)"
		}
	}
	return s
}

// row is a kind of line: what it means, with the line's two values put in.
type row struct {
	level Level
	text  string
}

var rows = map[string]row{
	"cloud-init":   {Problem, "{1}: cloud-init's state of the host that the image was built on"},
	"role-env":     {Problem, "{1} is in the image: it is another host's role"},
	"vector-env":   {Note, "{1} is in the image: Vector starts on it"},
	"vector-data":  {Problem, "{1}: Vector has run on the host that the image was built on, and goes on from there"},
	"journal":      {Note, "{1}: the journal of the host that the image was built on"},
	"ssh-host-key": {Problem, "{1}: every machine of this image has the same host key"},
	"masked":       {Note, "{1} is masked"},
	"preset":       {Note, "{1}: the presets of a first boot"},
	"ran-already":  {Problem, "{1} is skipped where {2} is, and it is in the image: it ran when the image was built"},
	"timer-ran":    {Problem, "{1} has elapsed when the image was built, and goes on from there ({2})"},
	"enabled":      {Note, "{1} was enabled by bootrace, {2}"},
}

var machineIDs = map[string]row{
	"missing":       {Note, "there is no machine-id: systemd takes the boot for the first, and presets all units (machine-id(5))"},
	"uninitialized": {Note, "machine-id is uninitialized: systemd takes the boot for the first, and presets all units (machine-id(5))"},
	"filled":        {Problem, "machine-id is filled: every machine of this image has the same (machine-id(5))"},
}

// Read reads what the script printed; other lines are not its.
func Read(printed string) Seen {
	var s Seen
	add := func(name string, r row, a, b string) {
		text := strings.NewReplacer("{1}", a, "{2}", b).Replace(r.text)
		if f := (Finding{name, r.level, text}); !slices.Contains(s.Findings, f) {
			s.Findings = append(s.Findings, f)
		}
	}
	ask := func(a boot.Asked) {
		if !slices.Contains(s.Asks, a) {
			s.Asks = append(s.Asks, a)
		}
	}
	var others []string
	for line := range strings.Lines(printed) {
		f := strings.Split(strings.TrimRight(line, "\r\n"), "\t")
		if len(f) != 4 || f[0] != "look" {
			continue
		}
		kind, a, b := f[1], f[2], f[3]
		if r, ok := rows[kind]; ok {
			add(kind, r, a, b)
			continue
		}
		switch kind {
		case "machine-id":
			s.MachineID = a
			if r, ok := machineIDs[a]; ok {
				add(kind, r, "", "")
			}
		case "first-boot":
			if b != "local" { // the base's own
				others = append(others, a)
				continue
			}
			s.Presets = append(s.Presets, a)
			add(kind, row{Problem, "the first boot's presets enable {1}, which the build left disabled"}, a, "")
		case "carried":
			ask(boot.Asked{What: fmt.Sprintf("nothing carries out %s: the image has no %s", a, b), Idle: true})
		case "user-unit": // user@.service(5)
			ask(boot.Asked{What: fmt.Sprintf("nothing starts %s: it is a unit of users' managers, and nobody logs in or lingers here", a), Idle: true})
		case "confines":
			how := "which keeps it from the network"
			if strings.HasPrefix(b, "TemporaryFileSystem=") || strings.HasPrefix(b, "InaccessiblePaths=") {
				how = "which hides the role env from it"
			}
			ask(boot.Asked{What: fmt.Sprintf("%s has %s, %s", a, b, how), Hint: true, Of: a})
		case "cloud-script": // cloud_final_modules: scripts-user is the last of them
			ask(boot.Asked{What: fmt.Sprintf("cloud-init runs %s once, before the script of the user data, which writes worker.env", a), Hint: true})
		case "disk":
			ask(disk(a, b))
		case "module":
			ask(boot.Asked{What: fmt.Sprintf("kernel module %s (%s) is not loaded here", a, b), After: "systemd-modules-load.service"})
		case "sysctl":
			ask(boot.Asked{What: fmt.Sprintf("the kernel's settings of %s are not made here", a), After: "systemd-sysctl.service"})
		case "network":
			ask(boot.Asked{What: fmt.Sprintf("%s configures no network here", a), After: "systemd-networkd.service"})
		case "datasource":
			ask(boot.Asked{What: fmt.Sprintf("%s keeps cloud-init from looking for Azure, where it would find no user data; here it has its own source", a), Boot: true})
		case "covered": // by what engines mount into every container
			ask(boot.Asked{What: fmt.Sprintf("%s of the image, over which the engine puts its own", a), Boot: b == "decides"})
		case "udev": // udev(7), systemd.device(5): SYSTEMD_WANTS
			ask(boot.Asked{What: fmt.Sprintf("no device comes here for the rules of %s", a), Starts: strings.TrimSpace(b)})
		}
	}
	if len(others) > 0 {
		add("first-boot", row{Note, "the first boot's presets enable of the base {1}"}, strings.Join(others, ", "), "")
	}
	slices.SortStableFunc(s.Findings, func(a, b Finding) int { return strings.Compare(string(b.Level), string(a.Level)) })
	return s
}

// disk is a line of fstab(5). A boot does not get to its end without one that it does not
// say may be missing.
func disk(what, options string) boot.Asked {
	device, mount, _ := strings.Cut(what, " ")
	a := boot.Asked{What: fmt.Sprintf("%s on %s (/etc/fstab) is not mounted here", device, mount), Mount: mount}
	opts := strings.Split(options, ",")
	a.Boot = !slices.Contains(opts, "nofail") && !slices.Contains(opts, "noauto")
	return a
}
