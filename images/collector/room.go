package main

import (
	"bytes"
	"fmt"

	"golang.org/x/sys/unix"
)

// fewInodes are fewer than a boot's new files.
const fewInodes = 1000

// listRoom is room.txt: how many bytes each file system has free, none where it has no
// inode left. One that is not there is left out.
func listRoom(paths ...string) []byte {
	var out bytes.Buffer
	for _, path := range paths {
		var st unix.Statfs_t
		if err := unix.Statfs(path, &st); err == nil {
			free := st.Bavail * uint64(st.Bsize)
			if st.Files > 0 && st.Ffree < fewInodes { // Btrfs counts none
				free = 0
			}
			fmt.Fprintf(&out, "%s\t%d\n", path, free)
		}
	}
	return out.Bytes()
}
