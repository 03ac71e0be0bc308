package fault

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Problem is something that is wrong with a fault, at one of its keys.
type Problem struct{ Key, Message string }

func (p Problem) Error() string { return p.Key + ": " + p.Message }

// Validate says what is wrong with a fault, all of it. A fault that cannot
// happen would make a scenario pass that proves nothing.
func (f Fault) Validate() []Problem {
	var out []Problem
	say := func(key, format string, args ...any) {
		out = append(out, Problem{key, fmt.Sprintf(format, args...)})
	}
	ops, known := Services()[f.Service]
	if !known {
		say("service", "%q: expected one of %s", f.Service, strings.Join(slices.Sorted(maps.Keys(Services())), ", "))
	}
	row, ok := f.Kind.Row()
	if !ok {
		say("kind", "there is no fault %q", f.Kind)
		return out
	}
	if known && len(row.Services) > 0 && !slices.Contains(row.Services, f.Service) {
		say("kind", "%s cannot happen to %s, only to %s", f.Kind, f.Service, strings.Join(row.Services, ", "))
	}
	switch {
	case f.Op != "" && row.Layer != Answer:
		say("op", "%s happens before there is a request: it has no op", f.Kind)
	case f.Op != "" && known && !slices.Contains(ops, f.Op):
		say("op", "%q: expected one of %s", f.Op, strings.Join(ops, ", "))
	}
	switch {
	case f.Secret != "" && (f.Service != "keyvault" || row.Layer != Answer):
		say("secret", "goes with requests to keyvault only")
	case f.Kind == SecretRotated && f.Secret == "":
		say("secret", "is missing: say which secret is rotated")
	}
	out = append(out, f.when(row)...)
	return append(out, f.more(row)...)
}

// when judges the keys of time and count.
func (f Fault) when(row Row) []Problem {
	var out []Problem
	if f.Until.Duration > 0 && f.Until.Duration <= f.From.Duration {
		out = append(out, Problem{"until", fmt.Sprintf("%s is not after from, %s", f.Until, f.From)})
	}
	if (f.On.Duration > 0) != (f.Off.Duration > 0) {
		out = append(out, Problem{"on", "on and off go together: it is there for the one, gone for the other, and so on"})
	}
	if _, err := spans(f.Requests); err != nil {
		out = append(out, Problem{"requests", err.Error()})
	} else if f.Requests != "" && row.Layer == Connect {
		out = append(out, Problem{"requests", "a connection that is refused carries no request to count: use from, until, on, off"})
	}
	if f.Kind == SecretRotated && (f.Until.Duration > 0 || f.On.Duration > 0) {
		out = append(out, Problem{"until", "a secret that was rotated stays so: use from or requests: N-"})
	}
	return out
}

// more judges the keys that only some kinds have.
func (f Fault) more(row Row) []Problem {
	var out []Problem
	given := map[string]bool{
		"status": f.Status != 0, "code": f.Code != "", "inner_code": f.InnerCode != "", "body": f.Body != "",
		"latency": f.Latency.Duration != 0, "retry_after": f.RetryAfter.Duration != 0, "retry_after_as": f.RetryAfterAs != "",
	}
	for _, key := range slices.Sorted(maps.Keys(given)) {
		switch {
		case given[key] && !slices.Contains(row.May, key):
			out = append(out, Problem{key, fmt.Sprintf("does not go with %s", f.Kind)})
		case !given[key] && slices.Contains(row.Must, key):
			out = append(out, Problem{key, fmt.Sprintf("is missing: %s needs it", f.Kind)})
		}
	}
	if given["status"] && (f.Status < 200 || f.Status > 599) {
		out = append(out, Problem{"status", fmt.Sprintf("%d: expected 200 to 599", f.Status)})
	}
	if given["body"] && (given["code"] || given["inner_code"]) {
		out = append(out, Problem{"body", "is the whole body: code and inner_code go into the one that is made without it"})
	}
	if given["retry_after_as"] && !given["retry_after"] {
		out = append(out, Problem{"retry_after_as", "goes with retry_after"})
	}
	return out
}
