package main

import (
	"bytes"
	"fmt"

	"golang.org/x/sys/unix"
)

// listRoom is room.txt: how many bytes each file system has free. One that is not
// there is left out.
func listRoom(paths ...string) []byte {
	var out bytes.Buffer
	for _, path := range paths {
		var st unix.Statfs_t
		if err := unix.Statfs(path, &st); err == nil {
			fmt.Fprintf(&out, "%s\t%d\n", path, st.Bavail*uint64(st.Bsize))
		}
	}
	return out.Bytes()
}
