package imds_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images/azure/accesstoken"
	"bootrace/images/azure/imds"
	"bootrace/images/azure/requestlog"
)

const (
	tokenPath = "/metadata/identity/oauth2/token?api-version=2018-02-01"
	vault     = "https://vault.azure.net"
)

func TestATokenIsIssuedForTheResourceAskedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		issuer := accesstoken.New()
		service := imds.New("a-tenant", imds.Identities{}, issuer)

		w, rec := ask(service, http.MethodGet, tokenPath+"&resource="+vault, "Metadata", "true")
		require.Equal(t, http.StatusOK, w.Code)
		assert.Equal(t, "token", rec.Op)
		assert.Empty(t, rec.Error)
		// Every field is a string: decoding into any other type has to fail.
		var got map[string]string
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
		assert.Equal(t, vault, got["resource"])
		assert.Equal(t, "Bearer", got["token_type"])
		assert.Equal(t, "86400", got["expires_in"])
		assert.Equal(t, strconv.FormatInt(time.Now().Unix()+86400, 10), got["expires_on"])
		assert.Equal(t, strconv.FormatInt(time.Now().Unix(), 10), got["not_before"])
		assert.Contains(t, got, "refresh_token")

		resource, err := issuer.Check(got["access_token"], time.Now())
		require.NoError(t, err)
		assert.Equal(t, vault, resource)
		time.Sleep(24 * time.Hour) // the bubble's clock
		_, err = issuer.Check(got["access_token"], time.Now())
		require.ErrorIs(t, err, accesstoken.ErrExpired)
	})
}

func TestATokenIsRefusedAsTheServiceDoes(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		method, target string
		header         []string
		status         int
		code           string
	}{
		"without the header":           {"GET", tokenPath + "&resource=" + vault, nil, 400, "bad_request_102"},
		"with another value of it":     {"GET", tokenPath + "&resource=" + vault, []string{"Metadata", "yes"}, 400, "bad_request_102"},
		"when it was forwarded":        {"GET", tokenPath + "&resource=" + vault, []string{"Metadata", "true", "X-Forwarded-For", "10.0.0.9"}, 400, "bad_request_102"},
		"without a resource":           {"GET", tokenPath, []string{"Metadata", "true"}, 400, "invalid_request"},
		"without a version":            {"GET", "/metadata/identity/oauth2/token?resource=" + vault, []string{"Metadata", "true"}, 400, "invalid_request"},
		"for an identity it has not":   {"GET", tokenPath + "&client_id=x&resource=" + vault, []string{"Metadata", "true"}, 400, "invalid_request"},
		"for a resource nobody has":    {"GET", tokenPath + "&resource=https://example.org", []string{"Metadata", "true"}, 400, "invalid_resource"},
		"for anything but being asked": {"POST", tokenPath + "&resource=" + vault, []string{"Metadata", "true"}, 405, "invalid_request"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, rec := ask(imds.New("a-tenant", imds.Identities{}, accesstoken.New()), tt.method, tt.target, tt.header...)
			assert.Equal(t, tt.status, w.Code)
			assert.Equal(t, tt.code, rec.Error)
			var got map[string]string
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
			assert.Equal(t, tt.code, got["error"])
			assert.NotEmpty(t, got["error_description"])
			assert.NotContains(t, w.Body.String(), "bootrace-imds-")
		})
	}
}

func TestTheInstanceDescribesItself(t *testing.T) {
	t.Parallel()
	service := imds.New("a-tenant", imds.Identities{}, accesstoken.New())
	tests := map[string]struct {
		target string
		status int
		want   string // a part of the body
	}{
		"as cloud-init asks":          {"/metadata/instance?api-version=2021-08-01&extended=true", 200, `"osType":"Linux"`},
		"a branch of it":              {"/metadata/instance/compute?api-version=2021-08-01", 200, `"vmId":`},
		"one value as text":           {"/metadata/instance/network/interface/0/ipv4/ipAddress/0/privateIpAddress?api-version=2021-08-01&format=text", 200, "10.0.0.4"},
		"one value as JSON":           {"/metadata/instance/compute/osType?api-version=2021-08-01", 200, `"Linux"`},
		"not a branch it has not":     {"/metadata/instance/nothing?api-version=2021-08-01", 404, "Not found"},
		"not an element it has not":   {"/metadata/instance/network/interface/7?api-version=2021-08-01", 404, "Not found"},
		"not below a value":           {"/metadata/instance/compute/name/x?api-version=2021-08-01", 404, "Not found"},
		"not an empty branch":         {"/metadata/instance//compute?api-version=2021-08-01", 404, "Not found"},
		"not without a version":       {"/metadata/instance", 400, "newest-versions"},
		"what a branch has, as text":  {"/metadata/instance?api-version=2021-08-01&format=text", 200, "compute/\nnetwork/"},
		"how long a list is, as text": {"/metadata/instance/network/interface?api-version=2021-08-01&format=text", 200, "0/"},
		"no user data":                {"/metadata/instance/compute/userData?api-version=2021-08-01&format=text", 200, ""},
		"no custom data":              {"/metadata/instance/compute/customData?api-version=2021-08-01", 200, `""`},
		"what cloud-init adds":        {"/metadata/instance?api-version=2021-08-01&extended=true", 200, `"ppsType":"None"`},
		"not that when not extended":  {"/metadata/instance/extended?api-version=2021-08-01", 404, "Not found"},
		"not what is elsewhere":       {"/metadata/attested/document?api-version=2021-08-01", 404, "Not found"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _ := ask(service, http.MethodGet, tt.target, "Metadata", "true")
			assert.Equal(t, tt.status, w.Code)
			assert.Contains(t, w.Body.String(), tt.want)
		})
	}
	w, rec := ask(service, http.MethodGet, "/metadata/instance?api-version=2021-08-01")
	assert.Equal(t, http.StatusBadRequest, w.Code, "the header is asked for here as well")
	assert.Equal(t, "instance", rec.Op)
}

func TestEveryValueOfTheDescriptionIsAString(t *testing.T) {
	t.Parallel()
	w, _ := ask(imds.New("a-tenant", imds.Identities{}, accesstoken.New()), http.MethodGet,
		"/metadata/instance?api-version=2021-08-01&extended=true", "Metadata", "true")
	var root any
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &root))
	var walk func(path string, node any)
	walk = func(path string, node any) {
		switch n := node.(type) {
		case map[string]any:
			for name, child := range n {
				walk(path+"/"+name, child)
			}
		case []any:
			for i, child := range n {
				walk(path+"/"+strconv.Itoa(i), child)
			}
		default:
			assert.IsType(t, "", node, path)
		}
	}
	walk("", root)
}

func TestTheVersionsAreListedForWhoeverSendsTheHeader(t *testing.T) {
	t.Parallel()
	service := imds.New("a-tenant", imds.Identities{}, accesstoken.New())
	w, rec := ask(service, http.MethodGet, "/metadata/versions", "Metadata", "true")
	require.Equal(t, http.StatusOK, w.Code)
	assert.Equal(t, "versions", rec.Op)
	var got struct {
		APIVersions []string `json:"apiVersions"`
	}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
	assert.True(t, slices.IsSorted(got.APIVersions))
	assert.Contains(t, got.APIVersions, "2021-08-01", "which cloud-init asks for")

	w, _ = ask(service, http.MethodGet, "/metadata/versions")
	assert.Equal(t, http.StatusBadRequest, w.Code)
	w, _ = ask(service, http.MethodPost, "/metadata/versions", "Metadata", "true")
	assert.Equal(t, http.StatusMethodNotAllowed, w.Code)
}

func TestNoMaintenanceIsPlanned(t *testing.T) {
	t.Parallel()
	service := imds.New("a-tenant", imds.Identities{}, accesstoken.New())
	const events = "/metadata/scheduledevents?api-version=2020-07-01"
	w, rec := ask(service, http.MethodGet, events, "Metadata", "true")
	assert.Equal(t, "scheduledevents", rec.Op)
	assert.JSONEq(t, `{"DocumentIncarnation":1,"Events":[]}`, w.Body.String())
	for what, tt := range map[string]struct {
		method, target string
		header         []string
		want           int
	}{
		"not without a version": {http.MethodGet, "/metadata/scheduledevents", []string{"Metadata", "true"}, http.StatusBadRequest},
		"nor the header":        {http.MethodGet, events, nil, http.StatusBadRequest},
		"nothing is started":    {http.MethodPost, events, []string{"Metadata", "true"}, http.StatusMethodNotAllowed},
	} {
		w, _ := ask(service, tt.method, tt.target, tt.header...)
		assert.Equal(t, tt.want, w.Code, what)
	}
}

func ask(service *imds.Service, method, target string, header ...string) (*httptest.ResponseRecorder, requestlog.Record) {
	r := httptest.NewRequest(method, "http://169.254.169.254"+target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	var rec requestlog.Record
	w := httptest.NewRecorder()
	service.Identify(r, &rec)
	service.Serve(w, r, &rec)
	return w, rec
}
