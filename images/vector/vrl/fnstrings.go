package vrl

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

func mapped(f func(string) string) *function {
	return sureFn("value:string", "string", func(in *invocation) any {
		in.spend(len(in.str(0)))
		return f(in.str(0))
	})
}

// affix is starts_with, ends_with or contains.
func affix(part string, f func(s, part string) bool) *function {
	return sureFn("value:string "+part+":string case_sensitive?:bool", "bool", func(in *invocation) any {
		if in.flag(2, true) {
			return f(in.str(0), in.str(1))
		}
		return f(strings.ToLower(in.str(0)), strings.ToLower(in.str(1)))
	})
}

var stringFunctions = map[string]*function{
	"upcase":           mapped(strings.ToUpper),
	"downcase":         mapped(strings.ToLower),
	"strip_whitespace": mapped(strings.TrimSpace),
	"starts_with":      affix("substring", strings.HasPrefix),
	"ends_with":        affix("substring", strings.HasSuffix),
	"contains":         affix("substring", strings.Contains),
	"replace":          sureFn("value:string pattern:string|regex with:string count?:int", "string", replace),
	"split":            listing(kString, sureFn("value:string pattern:string|regex limit?:int", "array", split)),
	"join":             mayFn("value:array separator?:string", "string", join), // whatever is known of the items (src/stdlib/join.rs)
	"slice":            mayFn("value:string|array start:int end?:int", "string|array", slice),
	"truncate":         sureFn("value:string limit:int suffix?:string", "string", truncate),
	"strlen": sureFn("value:string", "int", func(in *invocation) any {
		return int64(utf8.RuneCountInString(in.str(0)))
	}),
	"find": sureFn("value:string pattern:string|regex from?:int", "int", find), // and null is what it gives (src/stdlib/find.rs)
	"match": sureFn("value:string pattern:regex", "bool", func(in *invocation) any {
		return in.args[1].(*regexp.Regexp).MatchString(in.str(0))
	}),
	"match_any": sureFn("value:string patterns:array", "bool", func(in *invocation) any {
		for _, p := range in.list(1) {
			if re, ok := p.(*regexp.Regexp); ok && re.MatchString(in.str(0)) {
				return true
			}
		}
		return false
	}),
}

// replace takes captures in the replacement as Go and Rust both write them: `$1`, `${name}`, `$$`.
func replace(in *invocation) any {
	s, with, count := in.str(0), in.str(2), int(in.integer(3, -1))
	if count < 0 {
		count = -1
	}
	re, ok := in.args[1].(*regexp.Regexp)
	if !ok {
		out := strings.Replace(s, in.str(1), with, count)
		in.spend(len(out))
		return out
	}
	var b strings.Builder
	last := 0
	for _, at := range re.FindAllStringSubmatchIndex(s, count) {
		before := b.Len()
		b.WriteString(s[last:at[0]])
		b.Write(re.ExpandString(nil, with, s, at))
		last = at[1]
		in.spend(b.Len() - before)
	}
	b.WriteString(s[last:])
	in.spend(b.Len())
	return b.String()
}

func split(in *invocation) any {
	s, limit := in.str(0), int(in.integer(2, -1))
	if limit == 0 {
		return []any{}
	}
	var parts []string
	if re, ok := in.args[1].(*regexp.Regexp); ok {
		parts = splitRegex(re, s, limit)
	} else if in.str(1) == "" {
		parts = append(append([]string{""}, strings.SplitN(s, "", limit)...), "")
	} else {
		parts = strings.SplitN(s, in.str(1), limit)
	}
	list := make([]any, len(parts))
	for i, part := range parts {
		list[i] = part
	}
	in.spend(len(s) + nodeCost*len(list))
	return list
}

// splitRegex keeps the empty pieces at both ends, as Rust does and Go's Split does not.
func splitRegex(re *regexp.Regexp, s string, limit int) []string {
	var parts []string
	last := 0
	for _, at := range re.FindAllStringIndex(s, -1) {
		if len(parts)+1 == limit {
			break
		}
		parts, last = append(parts, s[last:at[0]]), at[1]
	}
	return append(parts, s[last:])
}

func slice(in *invocation) any {
	size := length(in.args[0])
	start, end := in.integer(1, 0), in.integer(2, int64(size))
	if start < 0 {
		start += int64(size)
	}
	if end < 0 {
		end += int64(size)
	}
	switch {
	case start < 0 || start > int64(size):
		panic(errorf(`"start" must be between "-%d" and "%d"`, size, size))
	case end < start:
		panic(errorf(`"end" must be greater or equal to "start"`))
	}
	end = min(end, int64(size))
	if list, ok := in.args[0].([]any); ok {
		return list[start:end:end]
	}
	in.spend(size)
	return strings.ToValidUTF8(in.str(0)[start:end], "\uFFFD")
}

func truncate(in *invocation) any {
	s, limit := in.str(0), max(in.integer(1, 0), 0)
	n := int64(0)
	for i := range s {
		if n == limit {
			in.spend(i + len(in.str(2)))
			return s[:i] + in.str(2)
		}
		n++
	}
	return s
}

func find(in *invocation) any {
	s, from := in.str(0), max(in.integer(2, 0), 0)
	if from > int64(len(s)) {
		return nil
	}
	at := -1
	if re, ok := in.args[1].(*regexp.Regexp); ok {
		if loc := re.FindStringIndex(s[from:]); loc != nil {
			at = loc[0]
		}
	} else {
		at = strings.Index(s[from:], in.str(1))
	}
	if at < 0 {
		return nil
	}
	return int64(at) + from
}

func join(in *invocation) any {
	var parts []string
	size := 0
	for _, item := range in.list(0) {
		s, ok := item.(string)
		if !ok {
			panic(errorf("all array items must be strings"))
		}
		parts, size = append(parts, s), size+len(s)+len(in.str(1))
	}
	in.spend(size)
	return strings.Join(parts, in.str(1))
}

// finds: whether null is among its types differs between versions.
