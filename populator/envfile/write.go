package envfile

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxAssignment is the kernel's limit for one string of an environment,
// MAX_ARG_STRLEN (execve(2)): NAME=value and the NUL. One byte more and the
// unit that loads the file no longer starts.
const maxAssignment = 128 << 10

// RefusedError says that a value cannot be carried by an environment file.
type RefusedError struct {
	Name   string // the variable
	Reason string // never contains any of the value
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("%s cannot be carried by an environment file: %s", e.Name, e.Reason)
}

// Append adds the assignment of value to name, one line, to dst.
func Append(dst []byte, name, value string) ([]byte, error) {
	if !validName(name) {
		return dst, &RefusedError{Name: name, Reason: "not a variable's name"}
	}
	if reason := refusal(name, value); reason != "" {
		return dst, &RefusedError{Name: name, Reason: reason}
	}
	dst = append(dst, name...)
	dst = append(dst, '=', '"')
	for i := range len(value) {
		// Within double quotes a backslash escapes these four and stands
		// for itself before anything else.
		if strings.IndexByte(shellNeedsEscape, value[i]) >= 0 {
			dst = append(dst, '\\')
		}
		dst = append(dst, value[i])
	}
	return append(dst, '"', '\n'), nil
}

// refusal returns why value cannot be carried, or nothing.
func refusal(name, value string) string {
	if len(name)+len("=")+len(value)+len("\x00") > maxAssignment {
		return fmt.Sprintf("it is %d bytes long, more than a process can be given", len(value))
	}
	for i := 0; i < len(value); {
		r, size := utf8.DecodeRuneInString(value[i:])
		switch {
		case r == 0:
			return fmt.Sprintf("it has a NUL at byte %d", i)
		case r == '\n':
			// A quoted newline would be read back, but whoever reads the
			// variable next (Vector's interpolation) refuses it.
			return fmt.Sprintf("it has a line feed at byte %d", i)
		case r == '\r':
			return fmt.Sprintf("it has a carriage return at byte %d", i)
		case r == utf8.RuneError && size == 1:
			return fmt.Sprintf("it is not valid UTF-8 at byte %d", i)
		case !validRune(r):
			return fmt.Sprintf("it has a Unicode noncharacter at byte %d", i)
		}
		i += size
	}
	return ""
}

// validRune follows unichar_is_valid() of systemd's src/basic/utf8.c, which is
// stricter than Unicode: noncharacters make systemd drop the file.
func validRune(r rune) bool {
	return utf8.ValidRune(r) && (r < 0xFDD0 || r > 0xFDEF) && r&0xFFFE != 0xFFFE
}

// validName follows env_name_is_valid() of systemd's src/basic/env-util.c.
func validName(name string) bool {
	for i := range len(name) {
		c := name[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}
