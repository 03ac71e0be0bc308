package vrl

import "maps"

// maxIndex bounds how far an assignment can lengthen an array.
const maxIndex = 10_000

func index(list []any, i int) (any, bool) {
	if i < 0 {
		i += len(list)
	}
	if i < 0 || i >= len(list) {
		return nil, false
	}
	return list[i], true
}

// lookup follows a path; what is not there is not found.
func lookup(v any, path []step) (any, bool) {
	for _, s := range path {
		found := false
		if s.array {
			list, _ := v.([]any)
			v, found = index(list, s.index)
		} else if object, ok := v.(map[string]any); ok {
			names := s.alts
			if names == nil {
				names = []string{s.field}
			}
			v = nil
			for _, name := range names {
				if inner, ok := object[name]; ok {
					v, found = inner, true
					break
				}
			}
		}
		if !found {
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
		list, ok := v.([]any)
		i := s.index
		if i < 0 {
			i += len(list)
		}
		if !ok || i < 0 || i >= len(list) {
			return v
		}
		out := append([]any{}, list...)
		if len(path) == 1 {
			return append(out[:i], out[i+1:]...)
		}
		out[i] = remove(out[i], path[1:], compact)
		if compact && hollow(out[i]) {
			return append(out[:i], out[i+1:]...)
		}
		return out
	}
	object, ok := v.(map[string]any)
	if !ok {
		return v
	}
	name := s.field
	for _, alt := range s.alts {
		if _, ok := object[alt]; ok {
			name = alt
			break
		}
	}
	if _, ok := object[name]; !ok {
		return v
	}
	out := maps.Clone(object)
	if len(path) == 1 {
		delete(out, name)
		return out
	}
	out[name] = remove(out[name], path[1:], compact)
	if compact && hollow(out[name]) {
		delete(out, name)
	}
	return out
}

func hollow(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return false
}
