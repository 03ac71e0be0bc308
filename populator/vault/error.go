package vault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// Error is why there is no value.
type Error struct {
	Service string // "managed identity" or "key vault NAME"
	Secret  string // empty when it is not about one secret
	Status  int    // of HTTP; 0: no answer, or not one that can be used
	Code    string // as the service spells it
	Reason  string
	// Permanent: it will not go away by itself. Someone may still grant a
	// role or create the secret, so it is worth asking again, slowly.
	Permanent bool
	// Missing: the service is well, this one secret is not to be had
	// because there is none or because it is disabled.
	Missing bool
	// RetryAfter is what the service asked for; 0 if it did not.
	RetryAfter time.Duration
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Service)
	if e.Secret != "" {
		fmt.Fprintf(&b, ", secret %s", e.Secret)
	}
	b.WriteString(": ")
	switch {
	case e.Status != 0 && e.Code != "":
		fmt.Fprintf(&b, "%d %s", e.Status, e.Code)
	case e.Status != 0:
		fmt.Fprintf(&b, "%d %s", e.Status, http.StatusText(e.Status))
	}
	if e.Reason != "" {
		if e.Status != 0 {
			b.WriteString(", ")
		}
		b.WriteString(e.Reason)
	}
	return b.String()
}

// OfIdentity: the token could not be had, whatever the vault.
func (e *Error) OfIdentity() bool { return e.Service == identityService }

// NonRetriable keeps azcore's retry policy from asking again by itself.
func (e *Error) NonRetriable() {}

// fromVault makes an Error of what azsecrets returned.
func fromVault(vault, secret string, err error) *Error {
	if own, ok := errors.AsType[*Error](err); ok {
		return own
	}
	e := &Error{Service: "key vault " + vault, Secret: secret}
	res, ok := errors.AsType[*azcore.ResponseError](err)
	if !ok {
		e.Reason = transportReason(err)
		return e
	}
	e.Status, e.Code = res.StatusCode, code(res.ErrorCode)
	if res.RawResponse != nil {
		e.RetryAfter = retryAfter(res.RawResponse.Header, time.Now())
		if inner := innerCode(res.RawResponse); inner != "" {
			e.Code += "/" + inner
		}
	}
	switch {
	case e.Status == http.StatusNotFound:
		e.Permanent, e.Missing = true, true
	case e.Status == http.StatusForbidden:
		e.Permanent, e.Missing = true, strings.HasSuffix(e.Code, "/SecretDisabled")
	default:
		e.Permanent = !transientStatus(e.Status)
	}
	return e
}

// transientStatus: 401 among them, because the next try brings a new token, and
// what is no error (another 2xx, a redirect), because no vault says that of a
// secret: something in between does.
func transientStatus(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusRequestTimeout, http.StatusTooManyRequests:
		return true
	}
	return status < 400 || status >= 500
}

// transportReason says what went wrong below HTTP, in words of our own: the
// SDK's messages may quote what was received.
func transportReason(err error) string {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		if dns.IsNotFound {
			return dns.Name + " does not resolve (a vault that does not exist looks the same)"
		}
		return dns.Name + " could not be resolved"
	}
	switch {
	case errors.Is(err, context.Canceled):
		return "given up"
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection broke"
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return "network unreachable"
	}
	if reason := certificateReason(err); reason != "" {
		return reason
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return "no answer in time"
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Op + " failed"
	}
	return "unusable answer"
}

// retryAfter reads when the service wants to be asked again, in the forms
// azcore knows, in its order.
func retryAfter(h http.Header, now time.Time) time.Duration {
	for _, name := range []string{"Retry-After-Ms", "X-Ms-Retry-After-Ms", "Retry-After"} {
		value := strings.TrimSpace(h.Get(name))
		if value == "" {
			continue
		}
		unit := time.Millisecond
		if name == "Retry-After" {
			unit = time.Second
		}
		if n, err := strconv.ParseInt(value, 10, 64); err == nil && n > 0 {
			return clamp(time.Duration(min(n, int64(longestWait/unit))) * unit)
		}
		if at, err := http.ParseTime(value); err == nil && at.After(now) {
			return clamp(at.Sub(now))
		}
	}
	return 0
}

// longestWait bounds a Retry-After that can only be a mistake, or a wrong
// clock's idea of a date.
const longestWait = 24 * time.Hour

func clamp(d time.Duration) time.Duration { return min(d, longestWait) }

// innerCode reads error.innererror.code, in which Key Vault tells a disabled
// secret from a missing role.
func innerCode(res *http.Response) string {
	body, err := runtime.Payload(res)
	if err != nil {
		return ""
	}
	var envelope struct {
		Error struct {
			InnerError struct {
				Code string `json:"code"`
			} `json:"innererror"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &envelope) != nil {
		return ""
	}
	return code(envelope.Error.InnerError.Code)
}

var codePattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,63}$`)

// code lets through only what looks like an error's code.
func code(s string) string {
	if codePattern.MatchString(s) {
		return s
	}
	return ""
}
