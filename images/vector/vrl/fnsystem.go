package vrl

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"io"
	"math"
	"strings"

	"github.com/google/uuid"
)

var codecFunctions = map[string]*function{
	"encode_json": sureFn("value:any pretty?:bool", "string", func(in *invocation) any {
		var b strings.Builder
		indent := ""
		if in.flag(1, false) {
			indent = "  "
		}
		in.encode(&b, in.args[0], indent, "")
		return b.String()
	}),
	"encode_base64": sureFn("value:string padding?:bool charset?:string", "string", func(in *invocation) any {
		in.spend(2 * len(in.str(0)))
		return in.base64(1, 2).EncodeToString([]byte(in.str(0)))
	}),
	"decode_base64": mayFn("value:string charset?:string", "string", func(in *invocation) any {
		encoding := in.base64(-1, 1).WithPadding(base64.NoPadding)
		out, err := encoding.DecodeString(strings.TrimRight(in.str(0), "="))
		if err != nil {
			panic(errorf("unable to decode value from base64: invalid input"))
		}
		in.spend(len(out))
		return string(out)
	}),
	"md5":  digest(md5.New),
	"sha1": digest(sha1.New),
	"sha2": sureFn("value:string variant?:string", "string", func(in *invocation) any {
		variant, known := sha2[in.str(1)]
		if !known {
			panic(errorf("unknown variant"))
		}
		return in.digest(variant)
	}),
}

var sha2 = map[string]func() hash.Hash{
	"SHA-224": sha256.New224, "SHA-256": sha256.New, "SHA-384": sha512.New384, "SHA-512": sha512.New,
	"SHA-512/224": sha512.New512_224, "SHA-512/256": sha512.New512_256, "": sha512.New512_256,
}

func digest(of func() hash.Hash) *function {
	return sureFn("value:string", "string", func(in *invocation) any { return in.digest(of) })
}

func (in *invocation) digest(of func() hash.Hash) string {
	in.spend(len(in.str(0)))
	h := of()
	_, _ = io.WriteString(h, in.str(0)) // a hash never fails
	return hex.EncodeToString(h.Sum(nil))
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
	fn := sureFn(params, "number", func(in *invocation) any {
		if n, ok := in.args[0].(int64); ok {
			return n
		}
		return finite(f(in, in.args[0].(float64)))
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
		fn.run = func(in *invocation) any {
			if n, ok := in.args[0].(int64); ok && n < 0 {
				return -n
			}
			return run(in)
		}
		return fn
	}(),
	"mod": {params: parseParams("value:number modulus:number"), result: kNumber, run: mod,
		infer: func(c *checker, e *callExpr, args []typed, out typed) typed {
			out.kind = of(kNumber)
			if args[0].kind.bits == kInt && args[1].kind.bits == kInt {
				out.kind = of(kInt)
			}
			if v, known := c.constant(e.ordered[1]); !known || v == int64(0) || v == 0.0 {
				out.merge(typed{fallible: true, unsure: !known && args[1].kind.unsure, code: 100})
			}
			return out
		}},
	"get_hostname": mayFn("", "string", func(in *invocation) any {
		if in.env.Hostname == "" {
			panic(errorf("failed to get hostname"))
		}
		return in.env.Hostname
	}),
	"get_env_var": mayFn("name:string", "string", func(in *invocation) any {
		v, ok := in.env.Vars[in.str(0)]
		if !ok {
			panic(errorf("environment variable not found"))
		}
		return v
	}),
	"uuid_v4": sureFn("", "string", func(*invocation) any { return uuid.NewString() }),
	// What a program logs is Vector's own log, which tells nothing of a boot.
	"log": sureFn("value:any level?:string rate_limit_secs?:int", "null", func(*invocation) any { return nil }),
	"assert": mayFn("condition:bool message?:string", "bool", func(in *invocation) any {
		switch {
		case in.args[0] == true:
			return true
		case in.has(1):
			panic(errorf("%s", in.str(1)))
		}
		panic(errorf("assertion failed"))
	}),
}

func mod(in *invocation) any {
	x, xInt := in.args[0].(int64)
	y, yInt := in.args[1].(int64)
	f, _ := asFloat(in.args[0])
	g, _ := asFloat(in.args[1])
	switch {
	case g == 0:
		panic(errorf("can't calculate remainder of division by zero"))
	case xInt && yInt && y == -1: // the one quotient that does not fit
		return int64(0)
	case xInt && yInt:
		return x % y
	}
	return finite(math.Mod(f, g))
}
