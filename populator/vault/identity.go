package vault

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

const identityService = "managed identity"

// identity is azidentity's ManagedIdentityCredential with its traps closed:
// it asks once, a token that is empty or already expired is an error, and a
// token that a vault refused is not handed out again.
type identity struct {
	mu     sync.Mutex
	cred   azcore.TokenCredential
	answer *lastAnswer
}

func newIdentity(base *http.Client) (*identity, error) {
	answer := &lastAnswer{next: base}
	cred, err := azidentity.NewManagedIdentityCredential(&azidentity.ManagedIdentityCredentialOptions{
		ClientOptions: azcore.ClientOptions{
			Transport: answer,
			// The default is 6 retries of up to 25 s each, on a 404 too.
			Retry: policy.RetryOptions{MaxRetries: -1, TryTimeout: tryTimeout},
		},
	})
	if err != nil {
		return nil, err
	}
	return &identity{cred: cred, answer: answer}, nil
}

// attempt is one Fetch's: it asks for one token. One that could not be had for
// one secret is not asked for again for the next, nor is another one after it was
// refused: IMDS would hand out the same.
type attempt struct {
	asked  bool
	failed error
}

type attemptKey struct{}

func withAttempt(ctx context.Context) context.Context {
	return context.WithValue(ctx, attemptKey{}, new(attempt))
}

// GetToken implements azcore.TokenCredential.
func (i *identity) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	of, ok := ctx.Value(attemptKey{}).(*attempt)
	if !ok {
		of = new(attempt)
	}
	if of.asked && of.failed == nil {
		of.failed = &Error{Service: identityService, Reason: "the vault refuses its token"}
	}
	if of.asked {
		return azcore.AccessToken{}, of.failed
	}
	token, err := i.ask(ctx, o)
	of.asked, of.failed = true, err
	return token, err
}

func (i *identity) ask(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	i.answer.reset()
	// MSAL keeps tokens for the whole process and goes on handing out one
	// that Key Vault refused, or an empty one. Claims make it ask
	// (managedidentity.Client.AcquireToken: "ignore cached access tokens
	// when given claims"); IMDS is not sent them. azsecrets keeps the token
	// as long as it is good, so this costs no request.
	o.Claims = "{}"
	token, err := i.cred.GetToken(ctx, o)
	status, wait, broken := i.answer.get()
	switch {
	case err == nil && token.Token == "":
		return azcore.AccessToken{}, &Error{Service: identityService, Reason: "the token is empty"}
	case err == nil && !token.ExpiresOn.After(time.Now()):
		return azcore.AccessToken{}, &Error{Service: identityService, Reason: "the token has expired already (or this clock is wrong)"}
	case err == nil:
		return token, nil
	case broken != nil:
		return azcore.AccessToken{}, &Error{Service: identityService, Reason: transportReason(broken)}
	case status == 0:
		return azcore.AccessToken{}, &Error{Service: identityService, Reason: transportReason(err)}
	case status == http.StatusOK:
		return azcore.AccessToken{}, &Error{Service: identityService, Reason: "the answer is not a token"}
	}
	e := &Error{Service: identityService, Status: status, RetryAfter: wait}
	switch {
	case status == http.StatusBadRequest:
		e.Permanent, e.Reason = true, "the machine has no identity"
	default:
		// IMDS asks for retries on 404, 410, 429 and 5xx
		// (https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token#error-handling).
		e.Permanent = status >= 400 && status < 500 && status != http.StatusNotFound && status != http.StatusGone &&
			status != http.StatusTooManyRequests && status != http.StatusRequestTimeout
	}
	return azcore.AccessToken{}, e
}

// lastAnswer remembers what came of the last request: some of azidentity's
// errors carry neither the response nor the cause.
type lastAnswer struct {
	next *http.Client

	mu     sync.Mutex
	status int
	wait   time.Duration
	err    error
}

// Do implements policy.Transporter.
func (l *lastAnswer) Do(req *http.Request) (*http.Response, error) {
	res, err := l.next.Do(req)
	var status int
	var wait time.Duration
	var data []byte
	if err == nil {
		status, wait = res.StatusCode, retryAfter(res.Header, time.Now())
		data, err = io.ReadAll(io.LimitReader(res.Body, maxToken))
		_ = res.Body.Close() // it has been read
	}
	l.mu.Lock()
	l.status, l.wait, l.err = status, wait, err
	l.mu.Unlock()
	if err != nil {
		return nil, err
	}
	// MSAL panics on a token that is null (accesstokens.TokenResponse,
	// UnmarshalJSON). It would on every try: none but an object gets there.
	if status < 300 && !bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		return nil, errNoToken
	}
	res.Body = io.NopCloser(bytes.NewReader(data))
	return res, nil
}

// maxToken bounds what is read of an answer: tokens have some two kilobytes.
const maxToken = 1 << 20

var errNoToken = errors.New("the answer is not a token")

func (l *lastAnswer) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.status, l.wait, l.err = 0, 0, nil
}

func (l *lastAnswer) get() (int, time.Duration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.status, l.wait, l.err
}
