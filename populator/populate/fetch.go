package populate

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"time"

	"github.com/cenkalti/backoff/v5"

	"bootrace/populator/envfile"
	"bootrace/populator/vault"
	"bootrace/populator/vectorenv"
)

// fetch is what is known of the vault's secrets and when to ask again.
type fetch struct {
	values map[string]string // by secret
	errs   map[string]error  // why one has no value, by secret
	names  []string          // still to be asked for

	running bool
	cancel  context.CancelFunc
	round   int // results of an earlier one are of another vault

	next         time.Time
	identityNext time.Time            // what IMDS asked for does not depend on the vault
	vaultNext    map[string]time.Time // what others asked for, should they be wanted again
	since        time.Time            // of the trouble

	fast, answered, slow *backoff.ExponentialBackOff
}

type fetchResult struct {
	round   int
	vault   string
	answers map[string]vault.Answer
}

// fastRetries are for what goes away by itself: quick at first, because at
// boot it is mostly a network that comes up, then once a minute. Nobody is asked more for
// it, so it comes at most half as late again as what it waits for.
func fastRetries() *backoff.ExponentialBackOff {
	return retries(backoff.ExponentialBackOff{InitialInterval: 200 * time.Millisecond, Multiplier: 1.5, RandomizationFactor: 0.3, MaxInterval: time.Minute})
}

// answeredRetries are for a service that is there and answers with an error:
// it is not helped by asking five times a second (Key Vault asks for 1 s, 2 s,
// 4 s, …: https://learn.microsoft.com/azure/key-vault/general/overview-throttling).
func answeredRetries() *backoff.ExponentialBackOff {
	return retries(backoff.ExponentialBackOff{InitialInterval: answeredPause, Multiplier: 2, RandomizationFactor: 0.3, MaxInterval: time.Minute})
}

// slowRetries are for what somebody has to mend.
func slowRetries() *backoff.ExponentialBackOff {
	return retries(backoff.ExponentialBackOff{InitialInterval: 10 * time.Second, Multiplier: 2, RandomizationFactor: 0.3, MaxInterval: 5 * time.Minute})
}

func retries(b backoff.ExponentialBackOff) *backoff.ExponentialBackOff {
	b.Reset()
	return &b
}

// answeredPause is the least pause after an answer, jitter or not.
const answeredPause = time.Second

func names() []string {
	var all []string
	for _, s := range vectorenv.Secrets() {
		all = append(all, s.Name)
	}
	return all
}

// startOver forgets a vault for another, or for none.
func (f *fetch) startOver(vault string, now time.Time) {
	if f.cancel != nil {
		f.cancel()
	}
	f.values, f.errs, f.names = map[string]string{}, map[string]error{}, nil
	f.running, f.cancel, f.since = false, nil, time.Time{}
	f.round++
	maps.DeleteFunc(f.vaultNext, func(_ string, next time.Time) bool { return !next.After(now) })
	f.next = now
	for _, next := range []time.Time{f.identityNext, f.vaultNext[vault]} {
		if next.After(f.next) {
			f.next = next
		}
	}
	f.fast.Reset()
	f.answered.Reset()
	f.slow.Reset()
}

func (l *loop) startFetch(ctx context.Context, now time.Time) {
	f := &l.fetch
	if len(f.names) == 0 || f.running {
		return
	}
	if now.Before(f.next) {
		l.at(f.next)
		return
	}
	fetching, cancel := context.WithCancel(ctx)
	f.cancel = cancel
	f.running = true
	round, vaultName, wanted := f.round, l.want.Vault, f.names
	go func() {
		r := fetchResult{round: round, vault: vaultName, answers: l.Vault.Fetch(fetching, vaultName, wanted)}
		select {
		case l.fetched <- r:
		case <-ctx.Done():
		}
	}()
}

func (l *loop) takeAnswers(r fetchResult) {
	f := &l.fetch
	if r.round != f.round {
		f.heed(r, time.Now())
		return
	}
	f.cancel()
	f.running, f.cancel = false, nil
	var again []string
	var wait time.Duration
	transient, answered := false, false
	for _, s := range vectorenv.Secrets() {
		answer, asked := r.answers[s.Name]
		if !asked {
			continue
		}
		err := take(s, answer)
		if err == nil {
			f.values[s.Name] = answer.Value
			delete(f.errs, s.Name)
			continue
		}
		f.errs[s.Name] = err
		permanent, ofIdentity := true, false
		if e := answer.Err; e != nil {
			permanent, ofIdentity = e.Permanent, e.OfIdentity()
			answered = answered || e.Status != 0
			wait = max(wait, e.RetryAfter)
		}
		// An optional secret that is not to be had has been answered for; but
		// not by IMDS, and not while a required one is to be asked for again:
		// what somebody has to mend then, he mends for all of them.
		if s.Required || !permanent || ofIdentity || f.lacksRequired() {
			again = append(again, s.Name)
			transient = transient || !permanent
		}
	}
	f.names = again
	l.stale = true
	now := time.Now()
	switch {
	case l.trouble() == "":
		f.since = time.Time{}
	case f.since.IsZero():
		f.since = now
	}
	if wait > 0 {
		// Not before it was asked for, and not with all the others.
		wait += rand.N(wait/10 + 1)
		f.vaultNext[l.want.Vault] = now.Add(wait)
	}
	if len(again) == 0 {
		return
	}
	var delay time.Duration
	switch {
	case !transient:
		delay = f.slow.NextBackOff()
	case answered:
		delay = max(f.answered.NextBackOff(), answeredPause)
	default:
		delay = f.fast.NextBackOff()
	}
	f.next = now.Add(max(delay, wait))
	f.vaultNext[l.want.Vault] = f.next
	if e, ok := errors.AsType[*vault.Error](f.errs[again[0]]); ok && e.OfIdentity() {
		f.identityNext = f.next
	}
}

// heed keeps what was asked for in answers that nobody waits for any more.
func (f *fetch) heed(r fetchResult, now time.Time) {
	for _, answer := range r.answers {
		if e := answer.Err; e != nil && e.RetryAfter > 0 {
			next := now.Add(e.RetryAfter)
			if next.After(f.vaultNext[r.vault]) {
				f.vaultNext[r.vault] = next
			}
			if e.OfIdentity() && next.After(f.identityNext) {
				f.identityNext = next
			}
		}
	}
}

// lacksRequired: there is a required secret without a value. The table has them
// first, so that takeAnswers has seen to them when it comes to the others.
func (f *fetch) lacksRequired() bool {
	for _, s := range vectorenv.Secrets() {
		if _, known := f.values[s.Name]; s.Required && !known {
			return true
		}
	}
	return false
}

// take says why an answer is no value for the secret's variable.
func take(s vectorenv.Secret, answer vault.Answer) error {
	if answer.Err != nil {
		return answer.Err
	}
	if s.Required && !vectorenv.Usable(answer.Value) {
		return &refusal{secret: s.Name, reason: "it is empty"}
	}
	_, err := envfile.Append(nil, s.Variable, answer.Value)
	if refused, ok := errors.AsType[*envfile.RefusedError](err); ok {
		return &refusal{secret: s.Name, reason: refused.Reason}
	}
	return err
}

// refusal is a value that cannot be used. It never shows any of it.
type refusal struct{ secret, reason string }

func (r *refusal) Error() string { return "secret " + r.secret + " cannot be used: " + r.reason }

// lost says whether the secret has no value any more, so that one of before is
// not to be kept: there is none, it is disabled, or it cannot be carried.
func lost(err error) bool {
	var refused *refusal
	if errors.As(err, &refused) {
		return true
	}
	return missing(err)
}

// missing: the vault has no such secret, or keeps it disabled.
func missing(err error) bool {
	e, ok := errors.AsType[*vault.Error](err)
	return ok && e.Missing
}
