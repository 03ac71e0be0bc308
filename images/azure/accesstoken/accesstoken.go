// Package accesstoken issues and checks the access tokens of the emulated
// identity service. A token carries its resource and its expiry under a
// signature, so that nothing has to be remembered however many are asked for.
//
// It is not a JSON web token: clients must treat access tokens as opaque
// (RFC 6749, section 1.4), and one that is unlike any other is found when it leaks.
package accesstoken

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Pattern finds a token in any text.
const Pattern = `bootrace-imds-[0-9a-f]{32}[-0-9A-Za-z_.]*`

const prefix = "bootrace-imds-"

// What can be wrong with a token.
var (
	ErrForged  = errors.New("not a token of this cloud")
	ErrExpired = errors.New("token has expired")
)

// Issuer makes tokens that it alone recognises.
type Issuer struct{ key []byte }

// New returns an issuer with a key of its own.
func New() *Issuer {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // crypto/rand: never returns an error
	return &Issuer{key: key}
}

// Issue returns a new token for a resource.
func (i *Issuer) Issue(resource string, expires time.Time) string {
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce) // crypto/rand: never returns an error
	claims := strconv.FormatInt(expires.Unix(), 10) + " " + resource
	head := prefix + hex.EncodeToString(nonce) + "-" + base64.RawURLEncoding.EncodeToString([]byte(claims))
	return head + "." + i.sign(head)
}

// Check returns the resource that the token is for. A token that has expired
// still says which.
func (i *Issuer) Check(token string, now time.Time) (resource string, err error) {
	dot := strings.LastIndexByte(token, '.')
	if dot < 0 || !hmac.Equal([]byte(token[dot+1:]), []byte(i.sign(token[:dot]))) {
		return "", ErrForged
	}
	claims, err := base64.RawURLEncoding.DecodeString(token[len(prefix)+33 : dot])
	if err != nil {
		return "", ErrForged
	}
	expires, resource, _ := strings.Cut(string(claims), " ")
	unix, err := strconv.ParseInt(expires, 10, 64)
	if err != nil {
		return "", ErrForged
	}
	if now.Unix() >= unix {
		return resource, ErrExpired
	}
	return resource, nil
}

func (i *Issuer) sign(head string) string {
	mac := hmac.New(sha256.New, i.key)
	mac.Write([]byte(head))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// Matcher returns Pattern compiled.
func Matcher() *regexp.Regexp { return regexp.MustCompile(Pattern) }
