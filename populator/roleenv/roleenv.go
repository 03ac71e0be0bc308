// Package roleenv reads the file that tells a machine its role, worker.env or
// server.env, and decides how much of it there is. It takes a look at a time
// and judges each look by how long the file has been as it is; it does not
// watch, and it does not remember.
//
//	sight := roleenv.Look("/etc/opensandbox")
//	role, state, why := sight.Judge(unchangedFor, roleenv.DefaultTiming())
//
// The file is written by cloud-init's script while others look on: created
// empty, filled, then edited in place. A look may therefore meet any part of
// it, and no single look can tell a short file from the beginning of a longer
// one. Only time can.
package roleenv

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	"bootrace/populator/envfile"
)

// Names of the files, the first that exists is the role's: a file that is
// there wins even while it is half-written.
const (
	WorkerEnv = "worker.env"
	ServerEnv = "server.env"
)

// Variables of a role env that mean something here.
const (
	VaultName = "OPENSANDBOX_AZURE_KEY_VAULT_NAME"
	CellID    = "OPENCOMPUTER_CELL_ID"
	Region    = "OPENSANDBOX_REGION"
)

// maxSize bounds what is read: a role env has a few hundred bytes.
const maxSize = 1 << 20

// Role is what a complete role env says. Empty fields were not set.
type Role struct {
	Path   string
	Vault  string
	CellID string
	Region string
}

// State is how much of a role env there is.
type State int

const (
	// Absent: neither file exists.
	Absent State = iota
	// HalfWritten: a file is there and is not an answer, or not yet.
	HalfWritten
	// NoVault: a whole file that names no vault.
	NoVault
	// Complete: a whole file that names a vault.
	Complete
)

func (s State) String() string {
	return [...]string{"absent", "half-written", "no vault", "complete"}[s]
}

// Timing is how long a file must have been unchanged to be believed.
type Timing struct {
	Settled time.Duration // a file that ends in a newline and names a vault
	Long    time.Duration // one that names none, or has no last newline
}

// DefaultTiming settles after 100 ms, which is long for a script between two
// writes and short for a boot. What would be a wrong answer for ever (a host
// without a vault) takes 30 s.
func DefaultTiming() Timing {
	return Timing{Settled: 100 * time.Millisecond, Long: 30 * time.Second}
}

// Sight is one look at the role env.
type Sight struct {
	Path string
	Data []byte
	Err  error
	// Stamp changes whenever the file does, also when it is rewritten with
	// the same contents.
	Stamp Stamp
}

// Stamp tells one version of a file from another.
type Stamp struct {
	Path       string
	Dev, Inode uint64
	Size       int64
	MTime      time.Time
	CTime      time.Time // set by the kernel alone, stat(2)
}

// Look reads the first role env there is in dir.
func Look(dir string) Sight {
	for _, name := range []string{WorkerEnv, ServerEnv} {
		path := filepath.Join(dir, name)
		data, stamp, err := read(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		stamp.Path = path
		return Sight{Path: path, Data: data, Stamp: stamp, Err: err}
	}
	return Sight{}
}

func read(path string) ([]byte, Stamp, error) {
	// Without O_NONBLOCK a FIFO of that name would hold the boot.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, Stamp{}, err
	}
	defer f.Close()
	// The stamp is taken first: a write after it changes the next one.
	info, err := f.Stat()
	if err != nil {
		return nil, Stamp{}, err
	}
	stamp := stampOf(info)
	if !info.Mode().IsRegular() {
		return nil, stamp, fmt.Errorf("%s is not a file but a %s", path, kind(info.Mode()))
	}
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err == nil && len(data) > maxSize {
		data, err = nil, fmt.Errorf("%s is larger than %d bytes", path, maxSize)
	}
	return data, stamp, err
}

func stampOf(info fs.FileInfo) Stamp {
	s := Stamp{Size: info.Size(), MTime: info.ModTime()}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		s.Dev, s.Inode = st.Dev, st.Ino
		s.CTime = time.Unix(st.Ctim.Unix())
	}
	return s
}

func kind(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "directory"
	case mode&fs.ModeNamedPipe != 0:
		return "named pipe"
	case mode&fs.ModeSocket != 0:
		return "socket"
	}
	return "device"
}

// validVault is Key Vault's rule for names: 3 to 24 letters, digits and
// hyphens, a letter first, no hyphen last
// (https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates).
// It also keeps a template's placeholder, and anything that would change the
// URL, from being asked for as a vault.
var validVault = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]$`)

// Judge says what the sight amounts to, the file having been unchanged for so
// long. The last result is the reason when the state is neither Absent nor
// Complete.
func (s Sight) Judge(unchanged time.Duration, t Timing) (Role, State, string) {
	if s.Path == "" {
		return Role{}, Absent, ""
	}
	role := Role{Path: s.Path}
	switch {
	case s.Err != nil:
		return role, HalfWritten, s.Err.Error()
	case len(s.Data) == 0:
		return role, HalfWritten, "it is empty"
	}
	env, err := envfile.Parse(s.Data)
	if err != nil {
		return role, HalfWritten, err.Error()
	}
	role.Vault, role.CellID, role.Region = env[VaultName], env[CellID], env[Region]
	ended := s.Data[len(s.Data)-1] == '\n'
	switch {
	case unchanged < t.Settled:
		return role, HalfWritten, "it is still being written"
	case !ended && unchanged < t.Long:
		return role, HalfWritten, "its last line has no end yet"
	case role.Vault == "" && len(env) == 0:
		return role, HalfWritten, "it sets no variable"
	case role.Vault == "" && unchanged < t.Long:
		return role, HalfWritten, "it names no vault yet"
	case role.Vault == "":
		return role, NoVault, "it names no vault"
	case !validVault.MatchString(role.Vault):
		return role, HalfWritten, fmt.Sprintf("%s=%.40q is not a vault's name", VaultName, role.Vault)
	}
	return role, Complete, ""
}
