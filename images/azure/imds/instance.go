package imds

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"bootrace/images/azure/answer"
	"bootrace/images/azure/requestlog"
)

type instanceError struct {
	Error    string   `json:"error"`
	Versions []string `json:"newest-versions,omitempty"`
}

// refuseInstance answers a request for the description that is not well-formed,
// and reports whether it did.
func (s *Service) refuseInstance(w http.ResponseWriter, r *http.Request, rec *requestlog.Record, trusted bool) bool {
	switch {
	case !trusted:
		rec.Error = "bad_request"
		answer.JSON(w, http.StatusBadRequest, instanceError{Error: "Bad request. Required metadata header not specified"})
	case r.Method != http.MethodGet:
		rec.Error = "method_not_allowed"
		w.Header().Set("Allow", http.MethodGet)
		answer.JSON(w, http.StatusMethodNotAllowed, instanceError{Error: "Method not allowed"})
	default:
		return false
	}
	return true
}

// refuseVersion answers a request that names no version.
func (s *Service) refuseVersion(w http.ResponseWriter, r *http.Request, rec *requestlog.Record) bool {
	if s.version.MatchString(r.URL.Query().Get("api-version")) {
		return false
	}
	rec.Error = "bad_request"
	answer.JSON(w, http.StatusBadRequest, instanceError{
		Error:    "Bad request. api-version was not specified in the request. For more information refer to aka.ms/azureimds",
		Versions: newest(3),
	})
	return true
}

// describe answers for /metadata/instance and any node below it.
func (s *Service) describe(w http.ResponseWriter, r *http.Request, rec *requestlog.Record, trusted bool) {
	if s.refuseInstance(w, r, rec, trusted) {
		return
	}
	if s.refuseVersion(w, r, rec) {
		return
	}
	query := r.URL.Query()
	root := s.instance
	if query.Get("extended") == "true" {
		// What cloud-init reads of it (DataSourceAzure.py, _ppstype_from_imds).
		root = maps.Clone(root)
		root["extended"] = map[string]any{"compute": map[string]any{"hasCustomData": "false", "ppsType": "None"}}
	}
	node, found := find(root, strings.TrimPrefix(strings.TrimSuffix(r.URL.Path, "/"), "/metadata/instance"))
	switch {
	case !found:
		rec.Error = "not_found"
		answer.JSON(w, http.StatusNotFound, instanceError{Error: "Not found"})
	case query.Get("format") == "text":
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte(listing(node))) // a client that has gone away shows in the log
	default:
		answer.JSON(w, http.StatusOK, node)
	}
}

// listing is a value as text, or the names below a node, one a line; those that
// are nodes themselves end with a slash.
func listing(node any) string {
	var names []string
	add := func(name string, child any) {
		if _, leaf := child.(string); !leaf {
			name += "/"
		}
		names = append(names, name)
	}
	switch n := node.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(n)) {
			add(name, n[name])
		}
	case []any:
		for i, child := range n {
			add(strconv.Itoa(i), child)
		}
	default:
		text, _ := node.(string) // description has nothing else
		return text
	}
	return strings.Join(names, "\n")
}

// events is the document of Scheduled Events.
type events struct {
	Incarnation int        `json:"DocumentIncarnation"`
	Events      []struct{} `json:"Events"`
}

// scheduledEvents says that no maintenance is planned. What a client would start of it by
// POST is not there.
func (s *Service) scheduledEvents(w http.ResponseWriter, r *http.Request, rec *requestlog.Record, trusted bool) {
	if s.refuseInstance(w, r, rec, trusted) || s.refuseVersion(w, r, rec) {
		return
	}
	answer.JSON(w, http.StatusOK, events{Incarnation: 1, Events: []struct{}{}})
}

// versions answers for /metadata/versions, which needs no api-version.
func (s *Service) versions(w http.ResponseWriter, r *http.Request, rec *requestlog.Record, trusted bool) {
	if s.refuseInstance(w, r, rec, trusted) {
		return
	}
	answer.JSON(w, http.StatusOK, map[string][]string{"apiVersions": apiVersions()})
}

// apiVersions are those of instance-metadata-service, "Supported API versions",
// and 2021-08-01, which cloud-init asks for. Any other date is taken as well.
func apiVersions() []string {
	return []string{
		"2017-03-01", "2017-04-02", "2017-08-01", "2017-10-01", "2017-12-01", "2018-02-01", "2018-04-02", "2018-10-01",
		"2019-02-01", "2019-03-11", "2019-04-30", "2019-06-01", "2019-06-04", "2019-08-01", "2019-08-15", "2019-11-01",
		"2020-06-01", "2020-07-15", "2020-09-01", "2020-10-01", "2020-12-01", "2021-01-01", "2021-02-01", "2021-03-01",
		"2021-05-01", "2021-08-01", "2021-10-01", "2021-11-01", "2021-11-15", "2021-12-13", "2023-07-01", "2023-11-15",
	}
}

func newest(n int) []string {
	all := apiVersions()
	slices.Reverse(all)
	return all[:n]
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
			"provider": "Microsoft.Compute", "resourceGroupName": "opensandbox", "vmSize": "Standard_D2s_v5", "zone": "1",
			// Empty strings: there is no user data, and custom data is never given
			// (instance-metadata-service).
			"userData": "", "customData": "", "tags": "", "tagsList": []any{}, "publicKeys": []any{},
			"osProfile":           map[string]any{"adminUsername": "azureuser", "computerName": "worker", "disablePasswordAuthentication": "true"},
			"platformFaultDomain": "0", "platformUpdateDomain": "0", "priority": "Regular",
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
