package vrl

import (
	"time"
)

var timeFunctions = map[string]*function{
	"now": sureFn("", "time", func(in *invocation) any { return in.now() }),
	"format_timestamp": mayFn("value:time format:string timezone?:string", "string", func(in *invocation) any {
		t := in.args[0].(time.Time)
		if in.has(2) {
			t = t.In(loadZone(in.str(2)))
		}
		return strftime(t, in.str(1))
	}),
	"parse_timestamp": mayFn("value:string|time format:string timezone?:string", "time", func(in *invocation) any {
		if t, ok := in.args[0].(time.Time); ok {
			return t
		}
		zone := time.UTC
		if in.has(2) {
			zone = loadZone(in.str(2))
		}
		return strptime(in.str(0), in.str(1), zone)
	}),
	"to_unix_timestamp": sureFn("value:time unit?:string", "int", func(in *invocation) any {
		t := in.args[0].(time.Time)
		switch in.str(1) {
		case "", "seconds":
			return t.Unix()
		case "milliseconds":
			return t.UnixMilli()
		case "microseconds":
			return t.UnixMicro()
		case "nanoseconds":
			return t.UnixNano()
		}
		panic(errorf("unknown unit"))
	}),
	"from_unix_timestamp": mayFn("value:int unit?:string", "time", func(in *invocation) any {
		n := in.integer(0, 0)
		var t time.Time
		switch in.str(1) {
		case "", "seconds":
			t = time.Unix(n, 0)
		case "milliseconds":
			t = time.UnixMilli(n)
		case "microseconds":
			t = time.UnixMicro(n)
		case "nanoseconds":
			t = time.Unix(0, n)
		default:
			panic(errorf("unknown unit"))
		}
		// Beyond that no format of ours can write it.
		if t.Year() > 9999 || t.Year() < 0 {
			panic(errorf("unable to coerce %d into timestamp", n))
		}
		return t.UTC()
	}),
}

func loadZone(name string) *time.Location {
	if name == "local" {
		return time.UTC // machines of the harness run in UTC
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" {
		panic(errorf("unable to parse timezone: %s", name))
	}
	return zone
}
