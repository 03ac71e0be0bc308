package keyvault

import (
	"net/http"
	"net/url"
	"strings"

	"bootrace/images/azure/requestlog"
)

// Operations, as the request log names them.
const (
	opGet      = "secrets.get"
	opList     = "secrets.list"
	opVersions = "secrets.versions"
	opUnknown  = "unknown"
)

// Identify names the operation that a request asks for, the secret and the
// version.
func (s *Service) Identify(r *http.Request, rec *requestlog.Record) {
	rec.Service, rec.Op = "keyvault", opUnknown
	segments, ok := split(r.URL)
	if !ok {
		return
	}
	// Method and shape of the path, {name} and {version} being any text.
	// A {version} that is a word of the interface comes first.
	operations := []struct{ op, method, path string }{
		{opVersions, http.MethodGet, "secrets/{name}/versions"},
		{opList, http.MethodGet, "secrets"},
		{"secrets.restore", http.MethodPost, "secrets/restore"},
		{"secrets.backup", http.MethodPost, "secrets/{name}/backup"},
		{opGet, http.MethodGet, "secrets/{name}"},
		{opGet, http.MethodGet, "secrets/{name}/{version}"},
		{"secrets.set", http.MethodPut, "secrets/{name}"},
		{"secrets.update", http.MethodPatch, "secrets/{name}/{version}"},
		{"secrets.update", http.MethodPatch, "secrets/{name}"},
		{"secrets.delete", http.MethodDelete, "secrets/{name}"},
		{"deletedsecrets.list", http.MethodGet, "deletedsecrets"},
		{"deletedsecrets.get", http.MethodGet, "deletedsecrets/{name}"},
		{"deletedsecrets.purge", http.MethodDelete, "deletedsecrets/{name}"},
		{"deletedsecrets.recover", http.MethodPost, "deletedsecrets/{name}/recover"},
	}
	for _, o := range operations {
		name, version, ok := match(o.path, segments)
		if ok && o.method == r.Method {
			rec.Op, rec.Secret, rec.Version = o.op, name, version
			return
		}
	}
}

// split takes the path apart before it is unescaped, so that an escaped slash
// stays in its segment. One slash at the end is allowed: azsecrets sends it when
// there is no version, curl's users do not.
func split(u *url.URL) ([]string, bool) {
	path, ok := strings.CutPrefix(u.EscapedPath(), "/")
	if !ok {
		return nil, false
	}
	segments := strings.Split(strings.TrimSuffix(path, "/"), "/")
	for i, escaped := range segments {
		segment, err := url.PathUnescape(escaped)
		if err != nil || segment == "" {
			return nil, false
		}
		segments[i] = segment
	}
	return segments, true
}

func match(path string, segments []string) (name, version string, ok bool) {
	shape := strings.Split(path, "/")
	if len(shape) != len(segments) {
		return "", "", false
	}
	for i, part := range shape {
		switch part {
		case "{name}":
			name = segments[i]
		case "{version}":
			version = segments[i]
		case segments[i]:
		default:
			return "", "", false
		}
	}
	return name, version, true
}
