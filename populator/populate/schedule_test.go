package populate_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"bootrace/images/azure/fault"
	"bootrace/populator/vectorenv"
)

// schedule is all that goes wrong around one machine.
type schedule struct {
	faults []fault.Fault
	events []event
	before string // what vector.env holds at first
	early  bool   // the role env is there before the populator is
	idle   bool   // Vector has no process at first
}

// event is something that happens to the machine: a write, or, if restart is
// set, an end and a new beginning of the populator.
type event struct {
	write
	restart bool
}

// over is when the last fault that has an end by the clock ends.
func (s schedule) over() time.Duration {
	var over time.Duration
	for _, f := range s.faults {
		over = max(over, f.Until.Duration)
	}
	return over
}

// patience is how long it may take from there: each attempt that still fails
// is one that a fault counts, and is followed by at most the longest pause of
// rule 9, or by what was asked for with a tenth more.
func (s schedule) patience() time.Duration {
	pause, attempts := 5*time.Minute*13/10, 3
	for _, f := range s.faults {
		pause = max(pause, f.RetryAfter.Duration*11/10)
		if f.Requests != "" {
			attempts += mostRequests
		}
	}
	return time.Duration(attempts) * (pause + time.Minute)
}

// mostRequests is the last request that a fault with a range of them counts.
const mostRequests = 9

// spell is a time of any order of magnitude up to most: rapid's own integers
// are nearly all small, and a fault that is over before anybody asks is none.
func spell(most time.Duration) *rapid.Generator[time.Duration] {
	return rapid.Custom(func(r *rapid.T) time.Duration {
		scale := most / rapid.SampledFrom([]time.Duration{1, 4, 20, 600}).Draw(r, "scale")
		return scale * time.Duration(rapid.IntRange(1, 16).Draw(r, "sixteenths")) / 16
	})
}

// since is when a fault begins: with the boot, or while something goes on.
func since(r *rapid.T) time.Duration {
	if rapid.Bool().Draw(r, "later") {
		return spell(time.Minute).Draw(r, "from")
	}
	return 0
}

func schedules() *rapid.Generator[schedule] {
	return rapid.Custom(func(r *rapid.T) schedule {
		return schedule{
			faults: append(rapid.SliceOfN(temporary(), 1, 4).Draw(r, "faults"), rapid.SliceOfN(permanent(), 0, 2).Draw(r, "permanent")...),
			events: rapid.SliceOfN(events(), 0, 6).Draw(r, "events"),
			before: rapid.SampledFrom([]string{"nothing", "credentials", "a stub", "garbage"}).Draw(r, "before"),
			early:  rapid.Bool().Draw(r, "early"),
			idle:   rapid.Bool().Draw(r, "idle"),
		}
	})
}

func events() *rapid.Generator[event] {
	whole := worker(theVault)
	texts := []string{whole, worker("kv-other"), strings.ReplaceAll(whole, "\n", "\r\n"), "A=1\n", "\n", "\xff\n", "OPENSANDBOX_AZURE_KEY_VAULT_NAME=@@VAULT@@\n"}
	return rapid.Custom(func(r *rapid.T) event {
		e := event{write: write{after: spell(time.Minute).Draw(r, "after"), name: rapid.SampledFrom([]string{"worker.env", "server.env"}).Draw(r, "name")}}
		switch rapid.SampledFrom([]string{"write", "rename", "cut", "remove", "directory", "restart"}).Draw(r, "what") {
		case "write":
			e.content = rapid.SampledFrom(texts).Draw(r, "text")
		case "rename":
			e.content, e.rename = rapid.SampledFrom(texts).Draw(r, "text"), true
		case "cut":
			text := rapid.SampledFrom(texts).Draw(r, "text")
			e.content = text[:rapid.IntRange(1, len(text)).Draw(r, "cut")]
		case "directory":
			e.mkdir = true
		case "restart":
			e.restart = true
		}
		return e
	})
}

// temporary is a fault that ends, by the clock or by the number of requests.
func temporary() *rapid.Generator[fault.Fault] {
	rows := slices.DeleteFunc(fault.Table(), func(r fault.Row) bool {
		return len(r.Services) > 0 && !slices.Contains(r.Services, "imds") && !slices.Contains(r.Services, "keyvault") || r.Kind == fault.SecretRotated
	})
	return rapid.Custom(func(r *rapid.T) fault.Fault {
		row, _ := fault.Status.Row()
		if rapid.IntRange(0, 2).Draw(r, "not a status") > 0 {
			row = rapid.SampledFrom(rows).Draw(r, "kind")
		}
		services := slices.DeleteFunc([]string{"imds", "keyvault"}, func(s string) bool { return len(row.Services) > 0 && !slices.Contains(row.Services, s) })
		f := fault.Fault{Kind: row.Kind, Service: rapid.SampledFrom(services).Draw(r, "service")}
		f.From.Duration = since(r)
		f.Until.Duration = f.From.Duration + spell(10*time.Minute).Draw(r, "lasts")
		if row.Layer != fault.Connect {
			f.Requests = rapid.SampledFrom([]string{"", "1", "2", "1-3", "2,4", "3-9", "2-"}).Draw(r, "requests")
		}
		if f.Requests != "" && f.Requests != "2-" && rapid.Bool().Draw(r, "counted alone") {
			f.Until.Duration = 0
		}
		if rapid.Bool().Draw(r, "flaps") {
			f.On.Duration, f.Off.Duration = spell(30*time.Second).Draw(r, "on"), spell(30*time.Second).Draw(r, "off")
		}
		if row.Layer == fault.Answer && f.Service == "keyvault" {
			f.Secret = rapid.SampledFrom(append([]string{""}, secretNames(false)...)).Draw(r, "secret")
		}
		if slices.Contains(row.Must, "latency") || slices.Contains(row.May, "latency") && rapid.Bool().Draw(r, "late") {
			f.Latency.Duration = spell(15*time.Second).Draw(r, "latency")
		}
		if row.Kind == fault.Status {
			drawStatus(r, &f)
		}
		return mustBeValid(f)
	})
}

func drawStatus(r *rapid.T, f *fault.Fault) {
	f.Status = rapid.SampledFrom([]int{500, 503, 429, 404, 403, 401, 400, 408, 410, 502, 504, 200, 204, 302}).Draw(r, "status")
	switch rapid.SampledFrom([]string{"own", "code", "page"}).Draw(r, "form") {
	case "code":
		f.Code, f.InnerCode = "Forbidden", rapid.SampledFrom([]string{"", "ForbiddenByRbac", "SecretDisabled"}).Draw(r, "inner")
	case "page":
		f.Body = rapid.SampledFrom([]string{"<html>Bad Gateway</html>", "{", "{}", "null"}).Draw(r, "body")
	}
	// A vault's 401 is its challenge, which the SDK answers at once whatever
	// else it says: that is what it is for.
	if f.Status >= 400 && (f.Status != 401 || f.Service != "keyvault") && rapid.Bool().Draw(r, "asks to wait") {
		f.RetryAfter.Duration = spell(5*time.Minute).Draw(r, "retry after").Truncate(time.Second) + time.Second
		f.RetryAfterAs = rapid.SampledFrom([]string{fault.AsSeconds, fault.AsDate}).Draw(r, "retry after as")
	}
}

// permanent is a fault without an end that must not matter: of an optional
// secret, or a rotation.
func permanent() *rapid.Generator[fault.Fault] {
	return rapid.Custom(func(r *rapid.T) fault.Fault {
		f := fault.Fault{Service: "keyvault", Op: "secrets.get", Secret: rapid.SampledFrom(secretNames(true)).Draw(r, "secret")}
		f.From.Duration = since(r)
		f.Kind = rapid.SampledFrom([]fault.Kind{fault.SecretDisabled, fault.SecretDeleted, fault.SecretEmpty, fault.Status, fault.SecretRotated}).Draw(r, "kind")
		switch f.Kind {
		case fault.Status:
			f.Status = rapid.SampledFrom([]int{400, 403, 404}).Draw(r, "status")
		case fault.SecretRotated:
			f.Secret = rapid.SampledFrom(secretNames(false)).Draw(r, "rotated")
			f.Value = "new value of " + f.Secret
		}
		return mustBeValid(f)
	})
}

func mustBeValid(f fault.Fault) fault.Fault {
	if problems := f.Validate(); len(problems) > 0 {
		panic(fmt.Sprintf("%+v: %v", f, problems))
	}
	return f
}

func secretNames(optional bool) []string {
	var names []string
	for _, s := range vectorenv.Secrets() {
		if !optional || !s.Required {
			names = append(names, s.Name)
		}
	}
	return names
}
