package page

import (
	"fmt"
	"reflect"
)

// mostText bounds each text of a page, in characters; systemd allows a unit's
// name 255, and a line of a journal can be of any length. The recording has it whole.
const mostText = 600

// bounded is v with no text in it longer than mostText. It is done once, to all
// that a page is made of, so that no text can be forgotten.
func bounded[T any](v T) T { return bound(reflect.ValueOf(v)).Interface().(T) }

func bound(v reflect.Value) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	out.Set(v)
	switch v.Kind() {
	case reflect.String:
		out.SetString(clip(v.String(), mostText))
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() { // a time has no text
				out.Field(i).Set(bound(v.Field(i)))
			}
		}
	case reflect.Slice:
		if !v.IsNil() {
			out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
			for i := range v.Len() {
				out.Index(i).Set(bound(v.Index(i)))
			}
		}
	case reflect.Map:
		if !v.IsNil() {
			out.Set(reflect.MakeMapWithSize(v.Type(), v.Len()))
			for key, value := range v.Seq2() {
				out.SetMapIndex(bound(key), bound(value))
			}
		}
	case reflect.Pointer:
		if !v.IsNil() {
			out.Set(reflect.New(v.Type().Elem()))
			out.Elem().Set(bound(v.Elem()))
		}
	}
	return out
}

// clip bounds a text, and says how much of it there is.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return fmt.Sprintf("%s… (%d of %d characters)", string(r[:most]), most, len(r))
}
