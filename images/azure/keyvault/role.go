package keyvault

import "fmt"

// Role is what the caller's identity may do. There is one for the vault, whichever
// identity a token was issued for.
//
// https://learn.microsoft.com/azure/key-vault/general/rbac-guide
type Role string

const (
	User    Role = "user"    // Key Vault Secrets User: reads
	Officer Role = "officer" // Key Vault Secrets Officer: any action on secrets
	None    Role = "none"    // no role assignment
)

// Validate refuses a role that there is not. None given is User.
func (r Role) Validate() error {
	switch r {
	case "", User, Officer, None:
		return nil
	}
	return fmt.Errorf("%q is no role: %s, %s or %s", string(r), User, Officer, None)
}

func (r Role) may(o operation) bool {
	switch r {
	case Officer:
		return true
	case None:
		return false
	}
	return o.reads
}
