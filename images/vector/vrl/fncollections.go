package vrl

import (
	"errors"
	"maps"
	"slices"
	"strings"
)

func sortedKeys(o map[string]any) []string { return slices.Sorted(maps.Keys(o)) }

func overBlock(params, result string, body bits, run runner) *function {
	f := sureFn(params, result, run)
	f.closure = body
	if result == "" {
		f.infer = sameCollection
	}
	return f
}

// sameCollection: an object stays an object, an array an array; what is in it is Vector's to know.
func sameCollection(_ *checker, _ *callExpr, args []typed, out typed) typed {
	out.kind = of(args[0].kind.bits & (kObject | kArray))
	out.kind.unsure = true
	if out.kind.bits == kObject || out.kind.bits == kArray {
		out.kind.unsure = args[0].kind.unsure
	}
	return out
}

var collectionFunctions = map[string]*function{
	"length": sureFn("value:string|array|object", "int", func(in *invocation) (any, error) {
		return int64(length(in.args[0])), nil
	}),
	"push": sureFn("value:array item:any", "array", func(in *invocation) (any, error) {
		return append(slices.Clone(in.list(0)), in.args[1]), in.spendNodes(len(in.list(0)))
	}),
	"append": sureFn("value:array items:array", "array", func(in *invocation) (any, error) {
		return slices.Concat(in.list(0), in.list(1)), in.spendNodes(len(in.list(0)) + len(in.list(1)))
	}),
	"includes": sureFn("value:array item:any", "bool", func(in *invocation) (any, error) {
		return slices.ContainsFunc(in.list(0), func(v any) bool { return in.same(v, in.args[1]) }), in.spend(0)
	}),
	"unique": sureFn("value:array", "array", func(in *invocation) (any, error) {
		var out = []any{}
		for _, v := range in.list(0) {
			if !slices.ContainsFunc(out, func(o any) bool { return in.same(o, v) }) {
				out = append(out, v)
			}
		}
		return out, in.spend(0)
	}),
	"keys": sureFn("value:object", "array", func(in *invocation) (any, error) {
		out := []any{}
		for _, name := range sortedKeys(in.object(0)) {
			out = append(out, name)
		}
		return out, in.spendNodes(len(out))
	}),
	"values": sureFn("value:object", "array", func(in *invocation) (any, error) {
		out := []any{}
		for _, name := range sortedKeys(in.object(0)) {
			out = append(out, in.object(0)[name])
		}
		return out, in.spendNodes(len(out))
	}),
	"compact": {params: parseParams("value:array|object recursive?:bool null?:bool string?:bool object?:bool array?:bool nullish?:bool"),
		infer: sameCollection, run: compact},
	"flatten": {params: parseParams("value:array|object separator?:string"), infer: sameCollection, run: flatten},
	"for_each": overBlock("value:array|object", "null", kAny, func(in *invocation) (any, error) {
		return nil, in.each(in.args[0], func(_ any, key any, v any) error {
			_, err := in.block(key, v)
			return err
		})
	}),
	"filter":     overBlock("value:array|object", "", kBool, filter),
	"map_values": overBlock("value:array|object recursive?:bool", "", kAny, func(in *invocation) (any, error) { return in.mapValues(in.args[0]) }),
	"map_keys":   overBlock("value:object recursive?:bool", "object", kString, func(in *invocation) (any, error) { return in.mapKeys(in.args[0]) }),
}

// each goes through a collection in order: fields by name, items by index.
func (in *invocation) each(v any, f func(collection, key, value any) error) error {
	switch v := v.(type) {
	case []any:
		for i, item := range v {
			if err := f(v, int64(i), item); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, name := range sortedKeys(v) {
			if err := f(v, name, v[name]); err != nil {
				return err
			}
		}
	}
	return nil
}

// block runs the closure with its variables set, and puts back what they hid.
func (in *invocation) block(values ...any) (any, error) {
	names := in.call.closure.names
	hidden := make([]any, len(names))
	for i, name := range names {
		hidden[i], in.vars[name] = in.vars[name], values[i]
	}
	v, err := in.eval(in.call.closure.body)
	for i, name := range names {
		in.vars[name] = hidden[i]
	}
	if errors.Is(err, errReturned) {
		err = errorf("return cannot be used inside closures")
	}
	return v, err
}

func filter(in *invocation) (any, error) {
	list, object := []any{}, map[string]any{}
	err := in.each(in.args[0], func(_ any, key any, v any) error {
		keep, err := in.block(key, v)
		if keep == true {
			if name, ok := key.(string); ok {
				object[name] = v
			} else {
				list = append(list, v)
			}
		}
		return err
	})
	if _, ok := in.args[0].([]any); ok {
		return list, err
	}
	return object, err
}

func (in *invocation) mapValues(v any) (any, error) {
	list, object := []any{}, map[string]any{}
	err := in.each(v, func(_ any, key any, v any) error {
		var err error
		if in.flag(1, false) && (typeOf(v)&(kArray|kObject) != 0) {
			v, err = in.mapValues(v)
		}
		if err == nil {
			v, err = in.block(v)
		}
		if name, ok := key.(string); ok {
			object[name] = v
		} else {
			list = append(list, v)
		}
		return err
	})
	if _, ok := v.([]any); ok {
		return list, err
	}
	return object, err
}

func (in *invocation) mapKeys(v any) (any, error) {
	recursive := in.flag(1, false)
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for _, name := range sortedKeys(v) {
			key, err := in.block(name)
			if err != nil {
				return nil, err
			}
			text, ok := key.(string)
			if !ok {
				return nil, errorf("expected string, got %s", typeOf(key))
			}
			out[text] = v[name]
			if recursive {
				if out[text], err = in.mapKeys(v[name]); err != nil {
					return nil, err
				}
			}
		}
		return out, nil
	case []any:
		out := make([]any, len(v))
		for i := range v {
			var err error
			if out[i], err = in.mapKeys(v[i]); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return v, nil
}

// compact drops what is empty, in depth if recursive (the default).
func compact(in *invocation) (any, error) {
	var walk func(v any) (any, error)
	drop := func(v any) bool {
		switch v := v.(type) {
		case nil:
			return in.flag(2, true)
		case string:
			return v == "" && in.flag(3, true) || in.flag(6, false) && nullish(v)
		case map[string]any:
			return len(v) == 0 && in.flag(4, true)
		case []any:
			return len(v) == 0 && in.flag(5, true)
		}
		return false
	}
	walk = func(v any) (any, error) {
		list, object := []any{}, map[string]any{}
		err := in.each(v, func(_ any, key any, inner any) error {
			if err := in.spendNodes(1); err != nil {
				return err
			}
			if typeOf(inner)&(kArray|kObject) != 0 && in.flag(1, true) {
				var err error
				if inner, err = walk(inner); err != nil {
					return err
				}
			}
			if drop(inner) {
				return nil
			}
			if name, ok := key.(string); ok {
				object[name] = inner
			} else {
				list = append(list, inner)
			}
			return nil
		})
		if _, ok := v.([]any); ok {
			return list, err
		}
		return object, err
	}
	return walk(in.args[0])
}

// flatten brings nested fields to the top with joined names, or nested items into one array.
func flatten(in *invocation) (any, error) {
	separator := "."
	if in.has(1) {
		separator = in.str(1)
	}
	list, object := []any{}, map[string]any{}
	_, isList := in.args[0].([]any)
	var walk func(v any, prefix []string) error
	walk = func(v any, prefix []string) error {
		return in.each(v, func(_ any, key any, inner any) error {
			if err := in.spendNodes(1 + len(prefix)); err != nil {
				return err
			}
			if isList {
				if _, ok := inner.([]any); ok {
					return walk(inner, nil)
				}
				list = append(list, inner)
				return nil
			}
			name := append(slices.Clone(prefix), key.(string))
			if o, ok := inner.(map[string]any); ok && len(o) > 0 {
				return walk(inner, name)
			}
			full := strings.Join(name, separator)
			object[full] = inner
			return in.spend(len(full))
		})
	}
	err := walk(in.args[0], nil)
	if isList {
		return list, err
	}
	return object, err
}
