package controlplane_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images/azure/controlplane"
	"bootrace/images/azure/requestlog"
)

const (
	ttl    = 600 * time.Second
	worker = `{"worker_id":"w-1","region":"eastus2","host_ip":"10.0.0.4"}`
)

func TestAWorkerThatRegistersInTimeStays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := controlplane.New(ttl)
		stop := service.Start(func(requestlog.Record) { t.Error("destroyed") })
		defer stop()

		time.Sleep(ttl - time.Nanosecond)
		w, rec := post(service, "/v1/workers/register", worker)
		require.Equal(t, http.StatusOK, w.Code)
		assert.JSONEq(t, `{"worker_id":"w-1","pending_worker_ttl_s":600}`, w.Body.String())
		assert.Equal(t, "register", rec.Op)
		assert.Equal(t, "w-1", rec.Worker)

		time.Sleep(2 * ttl)
		w, rec = post(service, "/v1/workers/w-1/heartbeat", "")
		assert.Equal(t, http.StatusNoContent, w.Code)
		assert.Equal(t, "heartbeat", rec.Op)
		w, _ = post(service, "/v1/workers/register", worker)
		assert.Equal(t, http.StatusOK, w.Code, "again, after a restart")
	})
}

func TestAWorkerThatDoesNotRegisterIsDestroyedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		destroyed := make(chan requestlog.Record, 2)
		service := controlplane.New(ttl)
		defer service.Start(func(r requestlog.Record) { destroyed <- r })()

		time.Sleep(ttl - time.Nanosecond)
		synctest.Wait()
		assert.Empty(t, destroyed)
		time.Sleep(5 * ttl)
		synctest.Wait()
		require.Len(t, destroyed, 1)
		record := <-destroyed
		assert.Equal(t, "controlplane", record.Service)
		assert.Equal(t, "destroyed", record.Op)
		assert.Positive(t, record.Mono)

		for _, path := range []string{"/v1/workers/register", "/v1/workers/w-1/heartbeat"} {
			w, rec := post(service, path, worker)
			assert.Equal(t, http.StatusGone, w.Code)
			assert.Equal(t, "worker_destroyed", rec.Error)
		}
	})
}

func TestARegistrationThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		path, body string
		status     int
	}{
		"without an id":           {"/v1/workers/register", `{"region":"eastus2"}`, 400},
		"with too long an id":     {"/v1/workers/register", `{"worker_id":"` + strings.Repeat("x", 200) + `"}`, 400},
		"with another id's type":  {"/v1/workers/register", `{"worker_id":1}`, 400},
		"with no body":            {"/v1/workers/register", "", 400},
		"with a body without end": {"/v1/workers/register", `{"worker_id":"` + strings.Repeat("x", 1<<20) + `"}`, 400},
		"a stranger's heartbeat":  {"/v1/workers/w-9/heartbeat", "", 404},
		"nobody's heartbeat":      {"/v1/workers//heartbeat", "", 404},
		"elsewhere":               {"/v1/workers", worker, 404},
		"deeper":                  {"/v1/workers/a/b/heartbeat", worker, 404},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, rec := post(controlplane.New(ttl), tt.path, tt.body)
			assert.Equal(t, tt.status, w.Code)
			assert.NotEmpty(t, rec.Error)
			assert.Contains(t, w.Body.String(), `"message":`)
		})
	}
}

func TestWorkersAreBounded(t *testing.T) {
	t.Parallel()
	service := controlplane.New(ttl)
	for i := range 64 {
		w, _ := post(service, "/v1/workers/register", fmt.Sprintf(`{"worker_id":"w-%d"}`, i))
		require.Equal(t, http.StatusOK, w.Code)
	}
	w, _ := post(service, "/v1/workers/register", `{"worker_id":"one-more"}`)
	assert.Equal(t, http.StatusTooManyRequests, w.Code)
}

func post(service *controlplane.Service, path, body string) (*httptest.ResponseRecorder, requestlog.Record) {
	r := httptest.NewRequest(http.MethodPost, "https://"+controlplane.Host+path, strings.NewReader(body))
	var rec requestlog.Record
	w := httptest.NewRecorder()
	service.Identify(r, &rec)
	service.Serve(w, r, &rec)
	return w, rec
}
