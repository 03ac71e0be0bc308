package vrl

import (
	"time"
)

var timeFunctions = map[string]*function{
	"now": sureFn("", "time", func(in *invocation) (any, error) { return in.now(), nil }),
	"format_timestamp": mayFn("value:time format:string timezone?:string", "string", func(in *invocation) (any, error) {
		t := in.args[0].(time.Time)
		if in.has(2) {
			zone, err := loadZone(in.str(2))
			if err != nil {
				return nil, err
			}
			t = t.In(zone)
		}
		return strftime(t, in.str(1))
	}),
	"parse_timestamp": mayFn("value:string|time format:string timezone?:string", "time", func(in *invocation) (any, error) {
		if t, ok := in.args[0].(time.Time); ok {
			return t, nil
		}
		zone := time.UTC
		if in.has(2) {
			var err error
			if zone, err = loadZone(in.str(2)); err != nil {
				return nil, err
			}
		}
		return strptime(in.str(0), in.str(1), zone)
	}),
	"to_unix_timestamp": sureFn("value:time unit?:string", "int", func(in *invocation) (any, error) {
		t := in.args[0].(time.Time)
		switch in.str(1) {
		case "", "seconds":
			return t.Unix(), nil
		case "milliseconds":
			return t.UnixMilli(), nil
		case "microseconds":
			return t.UnixMicro(), nil
		case "nanoseconds":
			return t.UnixNano(), nil
		}
		return nil, errorf("unknown unit")
	}),
	"from_unix_timestamp": mayFn("value:int unit?:string", "time", func(in *invocation) (any, error) {
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
			return nil, errorf("unknown unit")
		}
		// Beyond that no format of ours can write it.
		if t.Year() > 9999 || t.Year() < 0 {
			return nil, errorf("unable to coerce %d into timestamp", n)
		}
		return t.UTC(), nil
	}),
}

func loadZone(name string) (*time.Location, error) {
	if name == "local" {
		return time.UTC, nil // machines of the harness run in UTC
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" {
		return nil, errorf("unable to parse timezone: %s", name)
	}
	return zone, nil
}
