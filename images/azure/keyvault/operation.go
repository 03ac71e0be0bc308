package keyvault

import (
	"io"
	"net/http"
	"net/url"
	"strings"

	"bootrace/images/azure/requestlog"
)

// opUnknown is what the request log calls a request for no operation.
const opUnknown = "unknown"

// operation is a row of the interface.
type operation struct {
	op           string // as the request log names it
	method, path string // {name} and {version} are any text
	reads        bool   // a reader may do it
	most         int64  // bytes of the request's body
	serve        func(*Service, *call) (any, *refusal)
}

// call is a request that may be served.
type call struct {
	secret, version string
	query           url.Values
	body            io.Reader
	rec             *requestlog.Record // gets the version that was served
}

const (
	noBody = 0
	// A value of 25 kB of which each byte is escaped as six, and all tags.
	maxBody = 256 << 10
	// A backup holds all versions of a secret.
	maxBackup = 4 << 20
)

// operations are all there are. A {version} that is a word of the interface comes
// first.
func operations() []operation {
	return []operation{
		{"secrets.versions", http.MethodGet, "secrets/{name}/versions", true, noBody, with((*store).getLive, (*Service).listVersions)},
		{"secrets.list", http.MethodGet, "secrets", true, noBody, (*Service).list},
		{"secrets.restore", http.MethodPost, "secrets/restore", false, maxBackup, (*Service).restore},
		{"secrets.backup", http.MethodPost, "secrets/{name}/backup", false, noBody, with((*store).getLive, (*Service).backup)},
		{"secrets.get", http.MethodGet, "secrets/{name}", true, noBody, (*Service).get},
		{"secrets.get", http.MethodGet, "secrets/{name}/{version}", true, noBody, (*Service).get},
		{"secrets.set", http.MethodPut, "secrets/{name}", false, maxBody, (*Service).set},
		{"secrets.update", http.MethodPatch, "secrets/{name}/{version}", false, maxBody, (*Service).update},
		{"secrets.update", http.MethodPatch, "secrets/{name}", false, maxBody, (*Service).update},
		{"secrets.delete", http.MethodDelete, "secrets/{name}", false, noBody, with((*store).delete, (*Service).asDeleted)},
		{"deletedsecrets.list", http.MethodGet, "deletedsecrets", false, noBody, (*Service).listDeleted},
		{"deletedsecrets.get", http.MethodGet, "deletedsecrets/{name}", false, noBody, with((*store).getDeleted, (*Service).asDeleted)},
		{"deletedsecrets.purge", http.MethodDelete, "deletedsecrets/{name}", false, noBody, with((*store).purge, (*Service).purged)},
		{"deletedsecrets.recover", http.MethodPost, "deletedsecrets/{name}/recover", false, noBody, with((*store).recover, (*Service).recovered)},
	}
}

// with answers by what becomes of one secret.
func with(take func(*store, string) (secret, *refusal), answer func(*Service, *call, secret) (any, *refusal)) func(*Service, *call) (any, *refusal) {
	return func(s *Service, c *call) (any, *refusal) {
		of, refused := take(s.store, c.secret)
		if refused != nil {
			return nil, refused
		}
		return answer(s, c, of)
	}
}

// Identify names the operation that a request asks for, the secret and the
// version.
func (s *Service) Identify(r *http.Request, rec *requestlog.Record) {
	rec.Service, rec.Op = "keyvault", opUnknown
	segments, ok := split(r.URL)
	if !ok {
		return
	}
	for _, o := range operations() {
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
