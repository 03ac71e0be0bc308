package vrl

import (
	"errors"
	"iter"
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

// listing is a function whose array has items of these kinds.
func listing(items bits, f *function) *function {
	f.infer = func(_ *checker, _ *callExpr, _ []typed, out typed) typed {
		each := of(items)
		out.kind.items = &each
		return out
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
	"length": sureFn("value:string|array|object", "int", func(in *invocation) any {
		return int64(length(in.args[0]))
	}),
	"push": sureFn("value:array item:any", "array", func(in *invocation) any {
		in.spendNodes(len(in.list(0)))
		return append(slices.Clone(in.list(0)), in.args[1])
	}),
	"append": sureFn("value:array items:array", "array", func(in *invocation) any {
		in.spendNodes(len(in.list(0)) + len(in.list(1)))
		return slices.Concat(in.list(0), in.list(1))
	}),
	"includes": sureFn("value:array item:any", "bool", func(in *invocation) any {
		return slices.ContainsFunc(in.list(0), func(v any) bool { return in.same(v, in.args[1]) })
	}),
	"unique": sureFn("value:array", "array", func(in *invocation) any {
		var out = []any{}
		for _, v := range in.list(0) {
			if !slices.ContainsFunc(out, func(o any) bool { return in.same(o, v) }) {
				out = append(out, v)
			}
		}
		return out
	}),
	"keys": listing(kString, sureFn("value:object", "array", func(in *invocation) any {
		out := []any{}
		for _, name := range sortedKeys(in.object(0)) {
			out = append(out, name)
		}
		in.spendNodes(len(out))
		return out
	})),
	"values": sureFn("value:object", "array", func(in *invocation) any {
		out := []any{}
		for _, name := range sortedKeys(in.object(0)) {
			out = append(out, in.object(0)[name])
		}
		in.spendNodes(len(out))
		return out
	}),
	"compact": {params: parseParams("value:array|object recursive?:bool null?:bool string?:bool object?:bool array?:bool nullish?:bool"),
		infer: sameCollection, run: compact},
	"flatten": {params: parseParams("value:array|object separator?:string"), infer: sameCollection, run: flatten},
	"for_each": overBlock("value:array|object", "null", kAny, func(in *invocation) any {
		for key, v := range each(in.args[0]) {
			in.block(key, v)
		}
		return nil
	}),
	"filter": overBlock("value:array|object", "", kBool, func(in *invocation) any {
		return rebuilt(in.args[0], func(key, v any) (any, bool) { return v, in.block(key, v) == true })
	}),
	"map_values": overBlock("value:array|object recursive?:bool", "", kAny, func(in *invocation) any { return in.mapValues(in.args[0]) }),
	"map_keys":   overBlock("value:object recursive?:bool", "object", kString, func(in *invocation) any { return in.mapKeys(in.args[0]) }),
}

// each goes through a collection in order: fields by name, items by index.
func each(v any) iter.Seq2[any, any] {
	return func(yield func(key, value any) bool) {
		switch v := v.(type) {
		case []any:
			for i, item := range v {
				if !yield(int64(i), item) {
					return
				}
			}
		case map[string]any:
			for _, name := range sortedKeys(v) {
				if !yield(name, v[name]) {
					return
				}
			}
		}
	}
}

// rebuilt is a collection of the same type out of what f makes of each value and keeps.
func rebuilt(v any, f func(key, value any) (any, bool)) any {
	list, object := []any{}, map[string]any{}
	for key, inner := range each(v) {
		made, keep := f(key, inner)
		if name, ok := key.(string); ok && keep {
			object[name] = made
		} else if keep {
			list = append(list, made)
		}
	}
	if _, ok := v.([]any); ok {
		return list
	}
	return object
}

func collection(v any) bool { return typeOf(v)&(kArray|kObject) != 0 }

// block runs the closure with its variables set, and puts back what they hid.
func (in *invocation) block(values ...any) any {
	for i, name := range in.call.closure.names {
		hidden := in.vars[name]
		in.vars[name] = values[i]
		defer func() { in.vars[name] = hidden }()
	}
	var v any
	err := attempt(func() { v = in.eval(in.call.closure.body) })
	switch {
	case errors.Is(err, errReturned):
		panic(errorf("return cannot be used inside closures"))
	case err != nil:
		panic(stopped{err})
	}
	return v
}

func (in *invocation) mapValues(v any) any {
	return rebuilt(v, func(_, inner any) (any, bool) {
		if in.flag(1, false) && collection(inner) {
			inner = in.mapValues(inner)
		}
		return in.block(inner), true
	})
}

func (in *invocation) mapKeys(v any) any {
	recursive := in.flag(1, false)
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for _, name := range sortedKeys(v) {
			key := in.block(name)
			text, ok := key.(string)
			if !ok {
				panic(errorf("expected string, got %s", typeOf(key)))
			}
			out[text] = v[name]
			if recursive {
				out[text] = in.mapKeys(v[name])
			}
		}
		return out
	case []any:
		return rebuilt(v, func(_, item any) (any, bool) { return in.mapKeys(item), true })
	}
	return v
}

// compact drops what is empty, in depth if recursive (the default).
func compact(in *invocation) any {
	empty := func(v any) bool {
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
	var walk func(v any) any
	walk = func(v any) any {
		return rebuilt(v, func(_, inner any) (any, bool) {
			in.spendNodes(1)
			if collection(inner) && in.flag(1, true) {
				inner = walk(inner)
			}
			return inner, !empty(inner)
		})
	}
	return walk(in.args[0])
}

// flatten brings nested fields to the top with joined names, or nested items into one array.
func flatten(in *invocation) any {
	separator := "."
	if in.has(1) {
		separator = in.str(1)
	}
	list, object := []any{}, map[string]any{}
	_, isList := in.args[0].([]any)
	var walk func(v any, prefix []string)
	walk = func(v any, prefix []string) {
		for key, inner := range each(v) {
			in.spendNodes(1 + len(prefix))
			if isList {
				if _, ok := inner.([]any); ok {
					walk(inner, nil)
				} else {
					list = append(list, inner)
				}
				continue
			}
			name := append(slices.Clone(prefix), key.(string))
			if o, ok := inner.(map[string]any); ok && len(o) > 0 {
				walk(inner, name)
				continue
			}
			full := strings.Join(name, separator)
			object[full] = inner
			in.spend(len(full))
		}
	}
	walk(in.args[0], nil)
	if isList {
		return list
	}
	return object
}
