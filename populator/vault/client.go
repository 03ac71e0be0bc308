package vault

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"
)

// Options of a Client; the zero value is production's.
type Options struct {
	// Dial opens connections instead of the network, in tests.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Transport carries requests instead of HTTP over Dial, in tests.
	Transport http.RoundTripper
	// Roots are trusted instead of the system's.
	Roots *x509.CertPool
}

// Client asks vaults for secrets.
type Client struct {
	http     *http.Client
	identity *identity

	mu     sync.Mutex
	vault  string // of secrets
	client *azsecrets.Client
}

// Answer is a secret's value, or why there is none.
type Answer struct {
	Value string
	Err   *Error
}

// New returns a client for the machine's system-assigned identity.
func New(o Options) (*Client, error) {
	var transport http.RoundTripper = newTransport(o)
	if o.Transport != nil {
		transport = o.Transport
	}
	c := &Client{http: noRedirect(transport)}
	var err error
	if c.identity, err = newIdentity(c.http); err != nil {
		return nil, fmt.Errorf("managed identity: %w", err)
	}
	return c, nil
}

// Fetch asks the vault for each name, once, and returns an answer for each.
//
// The first name goes alone: it brings the challenge and the token, and tells
// whether there is anyone to ask. If the service is what fails, the others are
// not sent after it and share its error.
func (c *Client) Fetch(ctx context.Context, vault string, names []string) map[string]Answer {
	answers := make(map[string]Answer, len(names))
	if len(names) == 0 {
		return answers
	}
	ctx = withAttempt(ctx)
	first, rest := names[0], names[1:]
	answers[first] = c.get(ctx, vault, first)
	if e := answers[first].Err; e != nil && !aboutTheSecret(e) {
		for _, name := range rest {
			answers[name] = Answer{Err: e}
		}
		return answers
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, name := range rest {
		wg.Go(func() {
			answer := c.get(ctx, vault, name)
			mu.Lock()
			defer mu.Unlock()
			answers[name] = answer
		})
	}
	wg.Wait()
	return answers
}

// aboutTheSecret: the vault has said its last word on this one secret, so others
// have not been spoken of.
func aboutTheSecret(e *Error) bool {
	return e.Permanent && e.Status != 0 && !e.OfIdentity()
}

// Close lets go of idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

func (c *Client) get(ctx context.Context, vault, name string) Answer {
	client, err := c.secrets(vault)
	if err != nil {
		return Answer{Err: &Error{Service: "key vault " + vault, Reason: "no client for it", Permanent: true}}
	}
	// The challenge, the token and the answer together.
	ctx, cancel := context.WithTimeout(ctx, 3*tryTimeout)
	defer cancel()
	res, err := client.GetSecret(ctx, name, "", nil)
	if err != nil {
		return Answer{Err: fromVault(vault, name, err)}
	}
	// A 200 with an empty body is no error to azsecrets and has a nil value.
	if res.Value == nil {
		return Answer{Err: &Error{Service: "key vault " + vault, Secret: name, Status: http.StatusOK, Reason: "the answer has no value"}}
	}
	return Answer{Value: *res.Value}
}

// secrets returns the vault's client, the same one as long as the vault is the
// same: it holds the token and knows the tenant.
func (c *Client) secrets(vault string) (*azsecrets.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.client != nil && c.vault == vault {
		return c.client, nil
	}
	client, err := azsecrets.NewClient("https://"+vault+".vault.azure.net", c.identity, &azsecrets.ClientOptions{
		ClientOptions: azcore.ClientOptions{
			Transport: c.http,
			Retry:     policy.RetryOptions{MaxRetries: -1, TryTimeout: tryTimeout},
			Telemetry: policy.TelemetryOptions{ApplicationID: "populate-vector-env"},
		},
	})
	if err != nil {
		return nil, err
	}
	c.vault, c.client = vault, client
	return client, nil
}
