package axiom

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
)

type verdict int

const (
	taken verdict = iota
	again
	refused
)

// judge is Vector's HttpRetryLogic (src/sinks/util/http.rs): what is neither a success nor worth another try is dropped
// at once, and neither a disk buffer nor acknowledgements save it.
func judge(status int, err error) (verdict, string) {
	switch {
	case err != nil:
		return again, describe(err)
	case status >= 200 && status < 300:
		return taken, ""
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout,
		status >= 500 && status < 600 && status != http.StatusNotImplemented:
		return again, "Default retry strategy: " + reasonPhrase(status)
	default:
		return refused, "Default retry strategy: " + reasonPhrase(status)
	}
}

// reasonPhrase is http::StatusCode's canonical_reason, which differs from Go's for one.
func reasonPhrase(status int) string {
	if status == http.StatusRequestEntityTooLarge {
		return "Payload Too Large"
	}
	return http.StatusText(status)
}

// describe leaves out the URL, for the dataset in it comes from the vault as the token does.
func describe(err error) string {
	if timedOut(err) {
		return "Request timed out. If this happens often while the events are actually reaching their destination, try decreasing `batch.max_bytes` " +
			"and/or using `compression` if applicable. Alternatively `request.timeout_secs` can be increased."
	}
	return "Failed to make HTTP(S) request: " + cause(err)
}

func timedOut(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

// cause puts a failed connection in the words of Vector's client.
func cause(err error) string {
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err
	}
	var dns *net.DNSError
	var op *net.OpError
	var errno syscall.Errno
	switch {
	case errors.As(err, &dns):
		text := "Temporary failure in name resolution"
		if dns.IsNotFound {
			text = "Name or service not known"
		}
		return "error trying to connect: dns error: failed to lookup address information: " + text
	case errors.As(err, &op) && op.Op == "dial" && errors.As(err, &errno):
		text := errno.Error()
		return fmt.Sprintf("error trying to connect: tcp connect error: %s (os error %d)", strings.ToUpper(text[:1])+text[1:], int(errno))
	}
	return err.Error()
}

// backoff waits in Fibonacci steps (vector.dev: `request.retry_initial_backoff_secs`, `retry_max_duration_secs`).
type backoff struct {
	previous, next, max time.Duration
}

func (b *backoff) step() time.Duration {
	now := min(b.next, b.max)
	b.previous, b.next = now, min(now+b.previous, b.max)
	return now
}
