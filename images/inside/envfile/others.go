package envfile

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"os/user"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Nobody is who has a file of root's with mode 0600.
const Nobody = "-"

// Contained says of what [Others] returns whether it is nobody but root and Vector: the user
// as whom its package has it run, and that user's group.
func Contained(who string) bool {
	for name := range strings.SplitSeq(who, ",") {
		if name != Nobody && name != "user:vector" && name != "group:vector" {
			return false
		}
	}
	return true
}

// Others names who beside root may read or change a file, as of State.
func Others(path string) string {
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil {
		return Nobody
	}
	return others(path, State{Mode: st.Mode & 0o7777, UID: int(st.Uid), GID: int(st.Gid)})
}

func others(path string, st State) string {
	var out []string
	add := func(kind string, id int, bits uint32) {
		if id != 0 && bits&6 != 0 {
			out = append(out, kind+":"+name(kind, id))
		}
	}
	add("user", st.UID, st.Mode>>6)
	list := make([]byte, 4096)
	n, err := unix.Getxattr(path, "system.posix_acl_access", list)
	if err != nil || n < 4 {
		add("group", st.GID, st.Mode>>3)
	} else {
		// acl(5): with a list the mode's group bits are its mask, which bounds all but
		// the owner and others.
		for _, e := range entries(list[:n]) {
			switch e.tag {
			case aclUser:
				add("user", int(e.id), uint32(e.perm)&(st.Mode>>3))
			case aclGroupObj:
				add("group", st.GID, uint32(e.perm)&(st.Mode>>3))
			case aclGroup:
				add("group", int(e.id), uint32(e.perm)&(st.Mode>>3))
			}
		}
	}
	if st.Mode&6 != 0 {
		out = append(out, "others")
	}
	return cmp.Or(strings.Join(out, ","), Nobody)
}

type aclEntry struct {
	tag, perm uint16
	id        uint32
}

// Of an access list, the kernel's posix_acl.h.
const (
	aclUser     = 0x02
	aclGroupObj = 0x04
	aclGroup    = 0x08
)

// entries reads the attribute, the kernel's posix_acl_xattr.h: a version and entries,
// little-endian.
func entries(list []byte) []aclEntry {
	var out []aclEntry
	for list = list[4:]; len(list) >= 8; list = list[8:] {
		out = append(out, aclEntry{binary.LittleEndian.Uint16(list), binary.LittleEndian.Uint16(list[2:]), binary.LittleEndian.Uint32(list[4:])})
	}
	return out
}

func name(kind string, id int) string {
	switch kind {
	case "user":
		if u, err := user.LookupId(strconv.Itoa(id)); err == nil {
			return u.Username
		}
	case "group":
		if g, err := user.LookupGroupId(strconv.Itoa(id)); err == nil {
			return g.Name
		}
	}
	return fmt.Sprint(id)
}
