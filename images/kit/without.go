//go:build !kit

package kit

// carried is nothing: what go build and go test make goes by the tree that it was made in,
// so that a test never runs programs of yesterday.
var carried []byte
