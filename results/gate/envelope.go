package gate

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
)

// PayloadType is in-toto's within a DSSE envelope.
const PayloadType = "application/vnd.in-toto+json"

// Sign makes the certificate's file: an in-toto statement in a DSSE envelope with
// one signature, as JSON in one line.
func Sign(ctx context.Context, c Certificate, key dsse.Signer) ([]byte, error) {
	payload, err := c.encode()
	if err != nil {
		return nil, err
	}
	// What cannot be read back nobody could verify.
	if _, err := decode(payload); err != nil {
		return nil, fmt.Errorf("write the certificate: %w", err)
	}
	es, err := dsse.NewEnvelopeSigner(key)
	if err != nil {
		return nil, fmt.Errorf("sign the certificate: %w", err)
	}
	e, err := es.SignPayload(ctx, PayloadType, payload)
	if err != nil {
		return nil, fmt.Errorf("sign the certificate: %w", err)
	}
	return canonical(e)
}

// canonical is the one way to write an envelope. DSSE allows many, in which bytes
// may differ that nothing signs; a file that is written in another is refused.
func canonical(e *dsse.Envelope) ([]byte, error) {
	data, err := json.Marshal(e)
	return append(data, '\n'), err
}

// Wanted is what a certificate must be about; a zero field takes any.
type Wanted struct {
	Image       string        // digest of an image: sha256:… or its hex alone
	SubjectHash string        // of the subject
	Policy      string        // digest of the policy that it was decided by: sha256:… or its hex alone
	MaxAge      time.Duration // since the decision
	// SignatureOnly takes what the certificate says as it is, a failed gate too.
	SignatureOnly bool
}

// Verify reads a certificate that was signed by one of the keys, and returns it if
// the gate passed and it is what is wanted. The error says why not; the certificate
// is then returned as well, if its signature is right.
func Verify(ctx context.Context, file []byte, keys []Key, want Wanted, now time.Time) (Certificate, error) {
	payload, err := open(ctx, file, keys)
	if err != nil {
		return Certificate{}, err
	}
	c, err := decode(payload)
	if err != nil {
		return Certificate{}, err
	}
	return c, c.meets(want, now)
}

// open checks the envelope, and returns what was signed.
func open(ctx context.Context, file []byte, keys []Key) ([]byte, error) {
	var e dsse.Envelope
	if err := json.Unmarshal(file, &e); err != nil {
		return nil, fmt.Errorf("it is no DSSE envelope: %w", err)
	}
	again, err := canonical(&e)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(again, file) || len(e.Signatures) != 1 || !exact(e.Payload) || !exact(e.Signatures[0].Sig) {
		return nil, errors.New("it is not written as bootrace writes certificates: it was altered")
	}
	if e.PayloadType != PayloadType {
		return nil, fmt.Errorf("its payload is a %q, expected %q", e.PayloadType, PayloadType)
	}
	var ids []string
	for _, key := range keys {
		id, err := key.KeyID()
		if err != nil {
			return nil, err
		}
		if ids = append(ids, id); e.Signatures[0].KeyID != id {
			continue
		}
		ev, err := dsse.NewEnvelopeVerifier(key)
		if err != nil {
			return nil, err
		}
		_, payload, err := ev.VerifyAndDecode(ctx, &e)
		if err != nil {
			return nil, fmt.Errorf("its signature is not by key %s, or it was altered: %w", id, err)
		}
		return payload, nil
	}
	return nil, fmt.Errorf("it is signed by key %s, expected %s", e.Signatures[0].KeyID, strings.Join(ids, " or "))
}

// exact reports whether a text is base64 as it is written, and in no other of the
// ways in which it could be.
func exact(text string) bool {
	data, err := base64.StdEncoding.DecodeString(text)
	return err == nil && base64.StdEncoding.EncodeToString(data) == text
}

// meets says why the certificate is not what is wanted.
func (c Certificate) meets(want Wanted, now time.Time) error {
	if image := strings.TrimPrefix(want.Image, "sha256:"); want.Image != "" && !slices.Contains(c.digests(), image) {
		return fmt.Errorf("it is not about image sha256:%s: it names %s", image, strings.Join(c.digests(), ", "))
	}
	if hash := strings.TrimPrefix(want.SubjectHash, "sha256:"); want.SubjectHash != "" && hash != c.Subject.Hash {
		return fmt.Errorf("it is about subject %s with hash %s, not %s", c.Subject.Name, c.Subject.Hash, hash)
	}
	if policy := strings.TrimPrefix(want.Policy, "sha256:"); want.Policy != "" && policy != c.Policy.Digest() {
		return fmt.Errorf("it was decided by another policy, %s (sha256:%s), not by sha256:%s", c.Policy.File, c.Policy.Digest(), policy)
	}
	age := now.Sub(c.Run.Decided)
	switch {
	case age < 0:
		return fmt.Errorf("it was made at %s, which is to come: a clock is wrong", c.Run.Decided.Format(time.RFC3339))
	case want.MaxAge > 0 && age > want.MaxAge:
		return fmt.Errorf("it is %s old, at most %s is wanted", age.Round(time.Second), want.MaxAge)
	}
	if want.SignatureOnly {
		return nil
	}
	switch c.Result {
	case Passed, Warned:
	case NotPassed:
		return fmt.Errorf("the gate failed: %s", c.why())
	default:
		return fmt.Errorf("the gate came to %q, which nobody knows", c.Result)
	}
	for _, w := range c.Waivers {
		if w.expired(now) {
			return fmt.Errorf("its waiver of %s in %s expired on %s; %s answers for it", w.Check, w.Scenario, w.Expires, w.Owner)
		}
	}
	return nil
}

// digests are those of all images that it is about, in hex.
func (c Certificate) digests() []string {
	var out []string
	for _, i := range c.Images {
		out = append(out, strings.TrimPrefix(i.Digest, "sha256:"))
	}
	for _, digest := range c.Subject.Given {
		out = append(out, strings.TrimPrefix(digest, "sha256:"))
	}
	return out
}

// why is the first reason, and how many more there are.
func (c Certificate) why() string {
	switch n := len(c.Reasons); n {
	case 0:
		return "it does not say why"
	case 1:
		return c.Reasons[0].String()
	default:
		return fmt.Sprintf("%s (and %d more)", c.Reasons[0], n-1)
	}
}
