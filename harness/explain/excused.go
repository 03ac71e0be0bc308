package explain

import (
	"fmt"
	"slices"
	"strings"

	"bootrace/results"
)

// excused: all that the check found is explained by the host, and decided nothing. What another
// check found that comes of it and is not explained says that it did.
func excused(check string, failed map[string]results.Check) bool {
	c := failed[check]
	return len(c.Findings) > 0 && !slices.ContainsFunc(c.Findings, func(f results.Finding) bool { return f.Host == "" }) && !borneOut(check, failed)
}

// borneOut: no line came to Axiom, which no host explains, for Vector had no values of the vault
// to the end.
func borneOut(check string, failed map[string]results.Check) bool {
	lost := failed["logs-delivered"].Findings
	if check != "vector-credentialed" || len(lost) == 0 || lost[0].Host != "" {
		return false
	}
	if said := failed[check].Findings[0].Summary; !strings.Contains(said, "has not the vault's values") && !strings.Contains(said, "no Vector runs") {
		return false // only late
	}
	var gone, of int
	n, err := fmt.Sscanf(lost[0].Summary, "%d of %d lines", &gone, &of)
	return err == nil && n == 2 && gone == of
}
