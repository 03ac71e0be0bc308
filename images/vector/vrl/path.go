package vrl

import (
	"maps"
	"slices"
)

// maxIndex bounds how far an assignment can lengthen an array.
const maxIndex = 10_000

// index is the place in a list, counted from its end if it is negative.
func index(list []any, i int) (at int, ok bool) {
	if i < 0 {
		i += len(list)
	}
	return i, i >= 0 && i < len(list)
}

// of is the field that a step means in an object: of alternatives the first that is there.
func (s step) of(object map[string]any) (name string, ok bool) {
	for _, alt := range s.alts {
		if _, ok := object[alt]; ok {
			return alt, true
		}
	}
	_, ok = object[s.field]
	return s.field, ok && s.alts == nil
}

// lookup follows a path; what is not there is not found.
func lookup(v any, path []step) (any, bool) {
	for _, s := range path {
		list, _ := v.([]any)
		object, _ := v.(map[string]any)
		if at, ok := index(list, s.index); ok && s.array {
			v = list[at]
		} else if name, ok := s.of(object); ok && !s.array {
			v = object[name]
		} else {
			return nil, false
		}
	}
	return v, true
}

// put gives a copy of v with the new value at the path. What is in the way and cannot hold it is replaced.
func put(v any, path []step, value any) any {
	if len(path) == 0 {
		return value
	}
	s := path[0]
	if s.array {
		return putIndex(v, s.index, path[1:], value)
	}
	object, _ := v.(map[string]any)
	out := make(map[string]any, len(object)+1)
	maps.Copy(out, object)
	out[s.field] = put(object[s.field], path[1:], value)
	return out
}

// putIndex fills up with null what is missing before the place.
func putIndex(v any, i int, path []step, value any) any {
	list, _ := v.([]any)
	if i > maxIndex || i < -maxIndex {
		panic(stopped{errLimit})
	}
	out := append(make([]any, 0, len(list)+1), list...)
	for i >= len(out) {
		out = append(out, nil)
	}
	if i < 0 {
		for -i > len(out) {
			out = append([]any{nil}, out...)
		}
		i += len(out)
	}
	out[i] = put(out[i], path, value)
	return out
}

// remove gives a copy of v without what is at the path; compact drops the parents that become empty.
func remove(v any, path []step, compact bool) any {
	s := path[0]
	if s.array {
		list, _ := v.([]any)
		i, ok := index(list, s.index)
		if !ok {
			return v
		}
		out := slices.Clone(list)
		if len(path) > 1 {
			out[i] = remove(out[i], path[1:], compact)
		}
		if len(path) == 1 || compact && hollow(out[i]) {
			return slices.Delete(out, i, i+1)
		}
		return out
	}
	object, _ := v.(map[string]any)
	name, ok := s.of(object)
	if !ok {
		return v
	}
	out := maps.Clone(object)
	if len(path) > 1 {
		out[name] = remove(out[name], path[1:], compact)
	}
	if len(path) == 1 || compact && hollow(out[name]) {
		delete(out, name)
	}
	return out
}

func hollow(v any) bool { return collection(v) && length(v) == 0 }
