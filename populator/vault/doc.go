// Package vault asks Azure Key Vault for secrets as the machine's managed
// identity. It asks once: when to ask again is the caller's, who learns from
// each [Error] whether that has a point and when it is allowed.
//
//	client := vault.New(vault.Options{})
//	answers := client.Fetch(ctx, "kv-prod", []string{"shared-cell-id"})
//
// It takes nothing from the environment: no proxy, not even for
// 169.254.169.254, no other identity endpoint, no other certificates. It
// never repeats what a service answered, beyond a status and an error code,
// so that nothing secret gets into a log by way of an error.
package vault
