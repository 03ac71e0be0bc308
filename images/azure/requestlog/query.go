package requestlog

import (
	"maps"
	"net/url"
	"slices"
	"strings"
)

// Query returns a query string with the values of the parameters that are part
// of the services' interfaces and the bare names of all others: what else a
// client puts there may be a secret that nobody told this program of.
func Query(values url.Values) string {
	known := []string{"api-version", "resource", "format", "extended", "maxresults", "client_id", "object_id", "mi_res_id", "msi_res_id"}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, value := range values[name] {
			if !slices.Contains(known, name) {
				value = "..."
			}
			parts = append(parts, name+"="+value)
		}
	}
	return strings.Join(parts, "&")
}
