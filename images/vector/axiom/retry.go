package axiom

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
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
	case status == http.StatusTooManyRequests:
		return again, "too many requests"
	case status == http.StatusRequestTimeout:
		return again, "request timeout"
	case status == http.StatusNotImplemented:
		return refused, "endpoint not implemented"
	case status >= 500 && status < 600:
		return again, fmt.Sprintf("%d %s", status, http.StatusText(status))
	default:
		return refused, fmt.Sprintf("response status: %d %s", status, http.StatusText(status))
	}
}

// describe leaves out the URL, for the dataset in it comes from the vault as the token does.
func describe(err error) string {
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err
	}
	var timeout net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
		return "Request timed out. If this happens often while the events are actually reaching their destination, try decreasing `batch.max_bytes` " +
			"and/or using `compression` if applicable. Alternatively `request.timeout_secs` can be increased."
	}
	return "Failed to make HTTP(S) request: " + err.Error()
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
