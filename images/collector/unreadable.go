package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// unreadable gathers what a search could not look into: nothing was found there
// because nothing was seen.
type unreadable struct {
	what   string
	number int
	at     string // the first of them
	first  error
	last   string
}

// add notes it, unless it is only gone: a process may end and a file be removed
// while others are looked at. Reading from a process that ends is ESRCH, proc(5).
func (u *unreadable) add(where string, err error) {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) || where == u.last {
		return
	}
	if u.first == nil {
		u.at, u.first = where, err
	}
	u.last = where
	u.number++
}

// err is nil where everything was read.
func (u *unreadable) err() error {
	if u.first == nil {
		return nil
	}
	err := fmt.Errorf("search: %d %s not read, first %s: %w", u.number, u.what, u.at, u.first)
	if errors.Is(u.first, fs.ErrPermission) {
		if status, statusErr := os.ReadFile("/proc/self/status"); statusErr == nil {
			if lacks := lacking(string(status)); len(lacks) > 0 {
				return fmt.Errorf("%w; the collector has not %s", err, strings.Join(lacks, ", "))
			}
		}
	}
	return err
}

// lacking names the capabilities with which root reads what is others', as far as
// a process has them not, by its /proc/PID/status: ptrace(2), "Ptrace access mode
// checking", for /proc; capabilities(7) for files.
func lacking(status string) []string {
	for l := range strings.Lines(status) {
		field, ok := strings.CutPrefix(l, "CapEff:")
		if !ok {
			continue
		}
		set, err := strconv.ParseUint(strings.TrimSpace(field), 16, 64)
		if err != nil {
			return nil
		}
		var out []string
		if set&(1<<unix.CAP_SYS_PTRACE) == 0 {
			out = append(out, "CAP_SYS_PTRACE")
		}
		if set&(1<<unix.CAP_DAC_OVERRIDE|1<<unix.CAP_DAC_READ_SEARCH) == 0 {
			out = append(out, "CAP_DAC_OVERRIDE")
		}
		return out
	}
	return nil
}
