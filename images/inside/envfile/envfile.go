// Package envfile says of an environment file what may be said without its
// values: a recording must not hold a secret.
package envfile

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"

	"bootrace/populator/envfile"
)

// Dir is where the subject and cloud-init write theirs.
const Dir = "/etc/opensandbox"

// State is what may be said of an environment file without its values.
type State struct {
	Size int64 // -1: there is none, or it cannot be read
	Mode uint32
	UID  int
	GID  int
	// Others are those beside root who may read or change it, by mode, owner and access
	// list: user:NAME, group:NAME, others, separated by commas; "-": nobody.
	Others string
	Mtime  int64  // ns since the epoch
	Sum    string // sha256, hex
	Vars   string // NAME=digest8,… sorted; "-" for an empty value
	Whole  string // "1" when the last byte is a newline
}

// maxEnvFile bounds what is read of a file that should have a few lines.
const maxEnvFile = 1 << 20

// Inspect looks at a file.
func Inspect(path string) State {
	st := State{Whole: "0", Size: -1}
	info, err := os.Stat(path)
	if err != nil {
		return st
	}
	st.Size, st.Mode, st.Mtime = info.Size(), uint32(info.Mode().Perm()), info.ModTime().UnixNano()
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		st.UID, st.GID = int(sys.Uid), int(sys.Gid)
	}
	st.Others = others(path, st)
	if !info.Mode().IsRegular() { // to open a pipe is to take part
		return st
	}
	f, err := os.Open(path)
	if err != nil {
		return st
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxEnvFile))
	if err != nil {
		return st
	}
	sum := sha256.Sum256(data)
	st.Sum = hex.EncodeToString(sum[:])
	if strings.HasSuffix(string(data), "\n") {
		st.Whole = "1"
	}
	st.Vars = Digests(variables(data))
	return st
}

// variables is what systemd would take from the file: nothing of one that it drops whole.
func variables(data []byte) map[string]string {
	vars, err := envfile.Parse(data)
	if err != nil {
		return nil
	}
	return vars
}

// Digests names variables, with digests in place of their values.
func Digests(vars map[string]string) string {
	parts := make([]string, 0, len(vars))
	for name, value := range vars {
		parts = append(parts, name+"="+digest8(value))
	}
	slices.Sort(parts)
	return strings.Join(parts, ",")
}

// digest8 tells two values apart without being one.
func digest8(value string) string {
	if value == "" {
		return "-"
	}
	sum := sha256.Sum256([]byte(value))
	return hex.EncodeToString(sum[:4])
}
