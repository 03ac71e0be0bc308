package imds

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"bootrace/images/azure/answer"
	"bootrace/images/azure/requestlog"
)

type instanceError struct {
	Error    string   `json:"error"`
	Versions []string `json:"newest-versions,omitempty"`
}

// describe answers for /metadata/instance and any node below it.
func (s *Service) describe(w http.ResponseWriter, r *http.Request, rec *requestlog.Record, trusted bool) {
	refuse := func(status int, code string, body instanceError) {
		rec.Error = code
		answer.JSON(w, status, body)
	}
	query := r.URL.Query()
	switch {
	case !trusted:
		refuse(http.StatusBadRequest, "bad_request", instanceError{Error: "Bad request. Required metadata header not specified"})
		return
	case r.Method != http.MethodGet:
		w.Header().Set("Allow", http.MethodGet)
		refuse(http.StatusMethodNotAllowed, "method_not_allowed", instanceError{Error: "Method not allowed"})
		return
	case !s.version.MatchString(query.Get("api-version")):
		refuse(http.StatusBadRequest, "bad_request", instanceError{
			Error:    "Bad request. api-version was not specified in the request. For more information refer to aka.ms/azureimds",
			Versions: []string{"2023-11-15", "2023-07-01", "2021-12-13"},
		})
		return
	}
	node, found := find(s.instance, strings.TrimPrefix(strings.TrimSuffix(r.URL.Path, "/"), "/metadata/instance"))
	text, leaf := node.(string)
	switch {
	case !found:
		refuse(http.StatusNotFound, "not_found", instanceError{Error: "Not found"})
	case query.Get("format") != "text":
		answer.JSON(w, http.StatusOK, node)
	case !leaf:
		// Text is the format of leaves; below the root it would be a listing,
		// which nothing on a worker reads.
		refuse(http.StatusBadRequest, "bad_request", instanceError{Error: "Bad request. Format text is emulated for single values only"})
	default:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte(text)) // a client that has gone away shows in the log
	}
}

func find(node any, path string) (any, bool) {
	for name := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		switch n := node.(type) {
		case map[string]any:
			child, ok := n[name]
			if name == "" {
				child, ok = node, path == ""
			}
			if !ok {
				return nil, false
			}
			node = child
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(n) {
				return nil, false
			}
			node = n[i]
		default:
			return nil, false
		}
	}
	return node, true
}

// description is a small machine. What identifies it is new in every cloud.
func description() map[string]any {
	id := make([]byte, 22)
	_, _ = rand.Read(id) // crypto/rand: never returns an error
	vm, mac := id[:16], strings.ToUpper(hex.EncodeToString(id[16:]))
	return map[string]any{
		"compute": map[string]any{
			"azEnvironment": "AzurePublicCloud", "location": "eastus2", "name": "worker", "osType": "Linux",
			"provider": "Microsoft.Compute", "resourceGroupName": "opensandbox", "vmSize": "Standard_D2s_v5", "zone": "1", "tags": "",
			"vmId": fmt.Sprintf("%x-%x-%x-%x-%x", vm[:4], vm[4:6], vm[6:8], vm[8:10], vm[10:]),
		},
		"network": map[string]any{"interface": []any{map[string]any{
			"macAddress": mac,
			"ipv4": map[string]any{
				"ipAddress": []any{map[string]any{"privateIpAddress": "10.0.0.4", "publicIpAddress": ""}},
				"subnet":    []any{map[string]any{"address": "10.0.0.0", "prefix": "24"}},
			},
			"ipv6": map[string]any{"ipAddress": []any{}},
		}}},
	}
}
