package main

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
)

// fileState is what may be said of an environment file without its values.
type fileState struct {
	size  int64
	mode  uint32
	uid   int
	gid   int
	mtime int64  // ns since the epoch
	sum   string // sha256, hex
	vars  string // NAME=digest8,… sorted; "-" for an empty value
	whole string // "1" when the last byte is a newline
}

// maxEnvFile bounds what is read of a file that should have a few lines.
const maxEnvFile = 1 << 20

func inspectFile(path string) fileState {
	st := fileState{whole: "0", size: -1}
	f, err := os.Open(path)
	if err != nil {
		return st
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return st
	}
	st.size, st.mode, st.mtime = info.Size(), uint32(info.Mode().Perm()), info.ModTime().UnixNano()
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		st.uid, st.gid = int(sys.Uid), int(sys.Gid)
	}
	if !info.Mode().IsRegular() {
		return st
	}
	data, err := io.ReadAll(io.LimitReader(f, maxEnvFile))
	if err != nil {
		return st
	}
	sum := sha256.Sum256(data)
	st.sum = hex.EncodeToString(sum[:])
	if strings.HasSuffix(string(data), "\n") {
		st.whole = "1"
	}
	st.vars = digestVars(envAssignments(string(data)))
	return st
}

// envAssignments reads NAME=value lines with the quoting that the writers of
// these files use; it is for digests only, systemd's own reading is what counts.
func envAssignments(text string) map[string]string {
	vars := map[string]string{}
	for l := range strings.Lines(text) {
		l = strings.TrimSpace(l)
		name, value, ok := strings.Cut(l, "=")
		if !ok || name == "" || l[0] == '#' || l[0] == ';' {
			continue
		}
		vars[name] = unquote(strings.TrimSpace(value))
	}
	return vars
}

// unquote: systemd.exec(5), EnvironmentFile=: single quotes are verbatim,
// double quotes unescape only these four, outside quotes a backslash is removed.
func unquote(v string) string {
	switch {
	case len(v) >= 2 && v[0] == '\'' && v[len(v)-1] == '\'':
		return v[1 : len(v)-1]
	case len(v) >= 2 && v[0] == '"' && v[len(v)-1] == '"':
		return strings.NewReplacer(`\\`, `\`, `\"`, `"`, "\\`", "`", `\$`, `$`).Replace(v[1 : len(v)-1])
	default:
		return strings.ReplaceAll(v, `\`, "")
	}
}

func digestVars(vars map[string]string) string {
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
