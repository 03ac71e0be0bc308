package vrl

import (
	"maps"
	"regexp"
	"time"
)

// bits are the types that a value may have.
type bits uint16

const (
	kString bits = 1 << iota
	kInt
	kFloat
	kBool
	kNull
	kTime
	kRegex
	kArray
	kObject

	kAny    = kString | kInt | kFloat | kBool | kNull | kTime | kRegex | kArray | kObject
	kJSON   = kString | kInt | kFloat | kBool | kNull | kArray | kObject
	kNumber = kInt | kFloat
)

// kind is what is known of a value before the program runs.
type kind struct {
	bits bits
	// fields are those known of an object; rest is what any other field may be (0: there is none).
	fields map[string]kind
	rest   bits
	// items is what any item of an array may be, where that is known. listed: Vector knows each of them.
	items  *kind
	listed bool
	// unsure says that Vector's compiler knows more than this one, but not of null: it may be that, and missing says so of any
	// field.
	unsure, null, missing bool
}

// open says that only Vector knows whether the value is within these types.
func (k kind) open(want bits) bool { return k.unsure && !(k.null && want&kNull == 0) }

func of(b bits) kind {
	k := kind{bits: b}
	if b&kObject != 0 {
		k.rest = kAny
		if b == kJSON {
			k.rest = kJSON
		}
	}
	return k
}

func unsureAny() kind {
	k := of(kAny)
	k.unsure = true
	return k
}

func (k kind) within(b bits) bool { return k.bits&^b == 0 }

func (k kind) other() kind {
	if k.rest == 0 {
		return of(kNull)
	}
	o := of(k.rest)
	o.bits |= kNull
	o.unsure = k.unsure
	return o
}

func (k kind) field(name string) kind {
	if k.bits&kObject == 0 {
		if k.unsure {
			return unsureAny()
		}
		return of(kNull)
	}
	f, known := k.fields[name]
	if !known {
		f = k.other()
	}
	if k.bits != kObject {
		f.bits |= kNull
	}
	if k.null || k.missing {
		f.bits |= kNull
		f.null = true
	}
	return f
}

// at is the kind of what a path leads to.
func (k kind) at(path []step) kind {
	for _, s := range path {
		switch {
		case s.array:
			if k.bits&kArray == 0 && !k.unsure {
				return of(kNull)
			}
			if (k.bits == kAny || k.bits == kJSON) && !k.unsure && len(k.fields) == 0 {
				k = of(k.bits) // an event's field: any stays any
				continue
			}
			if k.items == nil {
				return unsureAny()
			}
			listed := k.listed
			k = k.items.union(of(kNull))
			k.unsure = k.unsure || listed
		case s.alts != nil:
			out := kind{}
			for _, alt := range s.alts {
				out = out.union(k.field(alt))
			}
			k = out
			k.unsure = true
		default:
			k = k.field(s.field)
		}
	}
	return k
}

func (k kind) union(o kind) kind {
	out := kind{bits: k.bits | o.bits, rest: k.rest | o.rest, unsure: k.unsure || o.unsure, listed: k.listed || o.listed,
		null: k.null || o.null, missing: k.missing || o.missing}
	switch {
	case k.bits&kArray == 0:
		out.items = o.items
	case o.bits&kArray == 0:
		out.items = k.items
	case k.items != nil && o.items != nil:
		items := k.items.union(*o.items)
		out.items = &items
	}
	if k.bits&kObject == 0 {
		out.fields = o.fields
		return out
	}
	if o.bits&kObject == 0 {
		out.fields = k.fields
		return out
	}
	for _, pair := range [][2]kind{{k, o}, {o, k}} {
		for name, f := range pair[0].fields {
			other, known := pair[1].fields[name]
			if !known {
				other = pair[1].other()
			}
			out = out.with(name, f.union(other))
		}
	}
	return out
}

// with is a copy that has the field.
func (k kind) with(name string, f kind) kind {
	fields := make(map[string]kind, len(k.fields)+1)
	maps.Copy(fields, k.fields)
	fields[name] = f
	k.fields = fields
	return k
}

// insert is the kind after an assignment at the path.
func (k kind) insert(path []step, v kind) kind {
	if len(path) == 0 {
		return v
	}
	s := path[0]
	if s.array || s.alts != nil {
		return unsureAny()
	}
	inner := kind{}
	if k.bits&kObject != 0 {
		inner = k.field(s.field)
	} else {
		k = kind{unsure: k.unsure}
	}
	k.bits = kObject
	return k.with(s.field, inner.insert(path[1:], v))
}

// kindOf is the kind of a literal.
func kindOf(v any) kind {
	switch v.(type) {
	case nil:
		return of(kNull)
	case string:
		return of(kString)
	case int64:
		return of(kInt)
	case float64:
		return of(kFloat)
	case bool:
		return of(kBool)
	case time.Time:
		return of(kTime)
	case *regexp.Regexp:
		return of(kRegex)
	case []any:
		return of(kArray)
	default:
		return of(kObject)
	}
}

// orZero is the kind of a variable beside an error (vectordotdev/vrl, src/compiler/expression/assignment.rs): the fields of an
// object may be missing.
func (k kind) orZero() kind {
	switch zero := k.zero().(type) {
	case nil:
		return k.union(of(kNull))
	case map[string]any:
		return k.union(kind{bits: kObject, missing: true})
	case []any:
		return k // an item may be missing anyway
	default:
		return k.union(kindOf(zero))
	}
}

// zero is what a variable becomes beside an error: the empty value of its kind if that is exact, else null.
func (k kind) zero() any {
	switch k.bits {
	case kString:
		return ""
	case kInt:
		return int64(0)
	case kFloat:
		return 0.0
	case kBool:
		return false
	case kArray:
		return []any{}
	case kObject:
		return map[string]any{}
	case kTime:
		return time.Unix(0, 0).UTC()
	}
	return nil
}
