package machine

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// ErrOwned says that another process owns the file.
var ErrOwned = errors.New("it goes on, in another process")

// Own makes a file and holds it locked until it is closed. What a run starts names
// its file: by it others see whether the run's process lives, for the kernel lets go
// of a lock when its holder dies, however it dies.
func Own(file string) (io.Closer, error) {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = ErrOwned
		}
		return nil, fmt.Errorf("lock %s: %w", file, err)
	}
	return f, nil
}

// Owned reports whether some process holds the file locked, or may.
func Owned(file string) bool { return !Abandoned(file, false) }

// Abandoned reports whether nobody holds the file any more: only a lock that is seen
// free is free. One's own state directory may have been removed, and nobody runs
// there then; another user's (foreign) may be where this process does not see it.
func Abandoned(file string, foreign bool) bool {
	f, err := os.Open(file)
	if err != nil { // as a rule the state directory of another user
		return errors.Is(err, fs.ErrNotExist) && !foreign
	}
	defer f.Close()
	return syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) == nil
}
