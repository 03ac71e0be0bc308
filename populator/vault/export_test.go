package vault

import "net/http"

// NewTransport is production's transport, for tests to point elsewhere.
func NewTransport(o Options) *http.Transport { return newTransport(o) }
