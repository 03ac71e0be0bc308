package vrl

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"math"
	"strings"

	"github.com/google/uuid"
)

var codecFunctions = map[string]*function{
	"encode_json": sureFn("value:any pretty?:bool", "string", func(in *invocation) (any, error) {
		var b strings.Builder
		indent := ""
		if in.flag(1, false) {
			indent = "  "
		}
		err := in.encode(&b, in.args[0], indent, "")
		return b.String(), err
	}),
	"encode_base64": sureFn("value:string padding?:bool charset?:string", "string", func(in *invocation) (any, error) {
		return in.base64(1, 2).EncodeToString([]byte(in.str(0))), in.spend(2 * len(in.str(0)))
	}),
	"decode_base64": mayFn("value:string charset?:string", "string", func(in *invocation) (any, error) {
		encoding := in.base64(-1, 1).WithPadding(base64.NoPadding)
		out, err := encoding.DecodeString(strings.TrimRight(in.str(0), "="))
		if err != nil {
			return nil, errorf("unable to decode value from base64: invalid input")
		}
		return string(out), in.spend(len(out))
	}),
	"md5":  digest(func(s string) []byte { sum := md5.Sum([]byte(s)); return sum[:] }),
	"sha1": digest(func(s string) []byte { sum := sha1.Sum([]byte(s)); return sum[:] }),
	"sha2": sureFn("value:string variant?:string", "string", func(in *invocation) (any, error) {
		s := []byte(in.str(0))
		var sum []byte
		switch in.str(1) {
		case "SHA-224":
			v := sha256.Sum224(s)
			sum = v[:]
		case "SHA-256":
			v := sha256.Sum256(s)
			sum = v[:]
		case "SHA-384":
			v := sha512.Sum384(s)
			sum = v[:]
		case "SHA-512":
			v := sha512.Sum512(s)
			sum = v[:]
		case "SHA-512/224":
			v := sha512.Sum512_224(s)
			sum = v[:]
		case "", "SHA-512/256":
			v := sha512.Sum512_256(s)
			sum = v[:]
		default:
			return nil, errorf("unknown variant")
		}
		return hex.EncodeToString(sum), in.spend(len(s))
	}),
}

func digest(sum func(string) []byte) *function {
	return sureFn("value:string", "string", func(in *invocation) (any, error) {
		return hex.EncodeToString(sum(in.str(0))), in.spend(len(in.str(0)))
	})
}

func (in *invocation) base64(padding, charset int) *base64.Encoding {
	encoding := base64.StdEncoding
	if in.str(charset) == "url_safe" {
		encoding = base64.URLEncoding
	}
	if padding >= 0 && !in.flag(padding, true) {
		encoding = encoding.WithPadding(base64.NoPadding)
	}
	return encoding
}

// numeric is a function of a number that stays one.
func numeric(params string, f func(in *invocation, x float64) float64) *function {
	fn := sureFn(params, "number", func(in *invocation) (any, error) {
		if n, ok := in.args[0].(int64); ok {
			return n, nil
		}
		return finite(f(in, in.args[0].(float64))), nil
	})
	fn.infer = func(_ *checker, _ *callExpr, args []typed, out typed) typed {
		if b := args[0].kind.bits & kNumber; b != 0 {
			out.kind = of(b)
		}
		return out
	}
	return fn
}

// scaled rounds at a number of decimal places.
func scaled(f func(float64) float64) *function {
	return numeric("value:number precision?:int", func(in *invocation, x float64) float64 {
		scale := math.Pow10(int(in.integer(1, 0)))
		return f(x*scale) / scale
	})
}

var systemFunctions = map[string]*function{
	"ceil":  scaled(math.Ceil),
	"floor": scaled(math.Floor),
	"round": scaled(math.Round),
	"abs": func() *function {
		fn := numeric("value:number", func(_ *invocation, x float64) float64 { return math.Abs(x) })
		run := fn.run
		fn.run = func(in *invocation) (any, error) {
			if n, ok := in.args[0].(int64); ok && n < 0 {
				return -n, nil
			}
			return run(in)
		}
		return fn
	}(),
	"mod": {params: parseParams("value:number modulus:number"), result: kNumber, run: mod,
		infer: func(_ *checker, e *callExpr, args []typed, out typed) typed {
			out.kind = of(kNumber)
			if args[0].kind.bits == kInt && args[1].kind.bits == kInt {
				out.kind = of(kInt)
			}
			if v, known := constant(e.ordered[1]); !known || v == int64(0) || v == 0.0 {
				_, literal := e.ordered[1].(*litExpr)
				out.merge(typed{fallible: true, unsure: !literal && args[1].kind.within(kNumber), code: 100})
			}
			return out
		}},
	"get_hostname": mayFn("", "string", func(in *invocation) (any, error) {
		if in.env.Hostname == "" {
			return nil, errorf("failed to get hostname")
		}
		return in.env.Hostname, nil
	}),
	"get_env_var": mayFn("name:string", "string", func(in *invocation) (any, error) {
		v, ok := in.env.Vars[in.str(0)]
		if !ok {
			return nil, errorf("environment variable not found")
		}
		return v, nil
	}),
	"uuid_v4": sureFn("", "string", func(*invocation) (any, error) { return uuid.NewString(), nil }),
	// What a program logs is Vector's own log, which tells nothing of a boot.
	"log": sureFn("value:any level?:string rate_limit_secs?:int", "null", func(*invocation) (any, error) { return nil, nil }),
	"assert": mayFn("condition:bool message?:string", "bool", func(in *invocation) (any, error) {
		switch {
		case in.args[0] == true:
			return true, nil
		case in.has(1):
			return nil, errorf("%s", in.str(1))
		}
		return nil, errorf("assertion failed")
	}),
}

func mod(in *invocation) (any, error) {
	x, xInt := in.args[0].(int64)
	y, yInt := in.args[1].(int64)
	f, _ := asFloat(in.args[0])
	g, _ := asFloat(in.args[1])
	switch {
	case g == 0:
		return nil, errorf("can't calculate remainder of division by zero")
	case xInt && yInt && y == -1: // the one quotient that does not fit
		return int64(0), nil
	case xInt && yInt:
		return x % y, nil
	}
	return finite(math.Mod(f, g)), nil
}
