package cloud

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"bootrace/images/azure/ca"
	"bootrace/images/azure/config"
	"bootrace/images/azure/fault"
	"bootrace/images/azure/keyvault"
	"bootrace/images/azure/requestlog"
)

// patience bounds every wait; a loaded host takes far less.
const patience = 20 * time.Second

const tenant = "0a1b2c3d-0000-4000-8000-00112233aabb"

// running is a cloud in this process, and a client that reaches it by the real names.
type running struct {
	cfg       config.Config
	cloud     *Cloud
	token     string // the platform token
	secret    string // another secret's value
	transport *http.Transport
	log       *lines
	plain     string // addresses of the listeners
	secure    string
	stop      func() error
}

// start runs a cloud until the test ends.
func start(t *testing.T, faults ...fault.Fault) *running {
	t.Helper()
	return startAs(t, func(cfg *config.Config) { cfg.Faults = faults })
}

// startAs runs a cloud that is configured differently.
func startAs(t *testing.T, configure func(*config.Config)) *running {
	t.Helper()
	r := &running{token: "xaat-" + uuid.NewString(), secret: rand.Text() + ` "'\$#=&<> é`, log: &lines{}}
	r.cfg = config.Config{Vault: "kv-test", Tenant: tenant, Secrets: keyvault.Seeds{
		"platform-token": keyvault.Text(r.token), "platform-dataset": keyvault.Text("the-logs-dataset"), "another": keyvault.Text(r.secret),
	}}
	r.cfg.Axiom.Tokens = map[string][]string{r.token: {"the-logs-dataset"}}
	r.cfg.ControlPlane.PendingWorkerTTL = fault.Duration{Duration: time.Hour}
	r.cfg.Listen.IMDS, r.cfg.Listen.TLS = "127.0.0.1:0", "127.0.0.1:0"
	configure(&r.cfg)

	cert, key, err := ca.New()
	require.NoError(t, err)
	authority, err := ca.Load(cert, key)
	require.NoError(t, err)
	c := New(r.cfg, authority, r.log)
	r.cloud = c
	l, err := c.Listen(t.Context())
	require.NoError(t, err)
	r.plain, r.secure = l.plain.Addr().String(), l.secure[0].Addr().String()

	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(cert))
	r.transport = &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots},
		// What /etc/hosts and the address on lo do in a machine.
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			to := r.secure
			if address == "169.254.169.254:80" {
				to = r.plain
			}
			return new(net.Dialer).DialContext(ctx, network, to)
		},
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Serve(ctx, l) }()
	r.stop = sync.OnceValue(func() error {
		r.transport.CloseIdleConnections()
		cancel()
		return <-ended
	})
	t.Cleanup(func() { require.NoError(t, r.stop()) })
	return r
}

// records ends the cloud, so that each line is written, and returns its log.
func (r *running) records(t *testing.T) []requestlog.Record {
	t.Helper()
	require.NoError(t, r.stop())
	var records []requestlog.Record
	scanner := bufio.NewScanner(strings.NewReader(r.log.String()))
	for scanner.Scan() {
		var rec requestlog.Record
		require.NoError(t, json.Unmarshal(scanner.Bytes(), &rec), scanner.Text())
		records = append(records, rec)
	}
	return records
}

func TestNoVersionOfASecretIsInTheLogNorOneThatIsSetLater(t *testing.T) {
	t.Parallel()
	older, later := rand.Text(), rand.Text()
	r := startAs(t, func(cfg *config.Config) {
		cfg.Role = keyvault.Officer
		cfg.Secrets["rotated"] = keyvault.Seed{Versions: []keyvault.Version{{Value: older}, {Value: rand.Text()}}}
	})
	token := "Bearer " + r.accessToken(t)
	const vault = "https://kv-test.vault.azure.net/secrets/"
	require.Equal(t, http.StatusOK, r.send(t, http.MethodPut, vault+"rotated?api-version=7.4", "application/json", token, `{"value":"`+later+`"}`))
	for _, value := range []string{older, later} {
		require.Equal(t, http.StatusNotFound, r.get(t, vault+value+"?api-version=7.4", token))
	}
	records := r.records(t)
	require.Len(t, records, 5)
	for _, rec := range records[3:] {
		require.Equal(t, "[secret:rotated]", rec.Secret)
	}
	require.NotContains(t, r.log.String(), older)
	require.NotContains(t, r.log.String(), later)
}

func (r *running) client() *http.Client {
	return &http.Client{Transport: r.transport, Timeout: patience}
}

// lines is a buffer that may be read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
