package config

import (
	"fmt"
	"maps"
	"regexp"
	"strings"
)

// A name may have dots: Vector allows them for the sake of variables made from Java properties
// (vector src/config/loading/…: interpolation expression).
var variable = regexp.MustCompile(`\$\$|\$([[:word:].]+)|\$\{([[:word:].]+)(?:(:?-|:?\?)([^}]*))?\}`)

// Environ makes a map of os.Environ's form. Vector supplies HOSTNAME itself where the environment has none.
func Environ(environ []string, hostname string) map[string]string {
	vars := make(map[string]string, len(environ)+1)
	if hostname != "" {
		vars["HOSTNAME"] = hostname
	}
	for _, line := range environ {
		if name, value, ok := strings.Cut(line, "="); ok {
			vars[name] = value
		}
	}
	return vars
}

// Interpolate puts variables into the text of a configuration as Vector does: before YAML sees it, comments and all.
// Every missing variable is a problem of its own; an empty one is not missing.
func Interpolate(text string, vars map[string]string) (string, []string) {
	var out strings.Builder
	var problems []string
	last := 0
	for _, m := range variable.FindAllStringSubmatchIndex(text, -1) {
		group := func(i int) string {
			if m[2*i] < 0 {
				return ""
			}
			return text[m[2*i]:m[2*i+1]]
		}
		out.WriteString(text[last:m[0]])
		last = m[1]

		name := group(1) + group(2)
		if name == "" {
			out.WriteString("$")
			continue
		}
		value, problem := expand(name, group(3), group(4), vars)
		// Vector takes such a variable out of those it knows, so that it is missing as well.
		if text, set := vars[name]; set && strings.ContainsAny(text, "\r\n") {
			newline := fmt.Sprintf("Environment variable contains newline character. name = %q", name)
			without := maps.Clone(vars)
			delete(without, name)
			value, problem = expand(name, group(3), group(4), without)
			problems = append(problems, newline)
		}
		out.WriteString(value)
		if problem != "" {
			problems = append(problems, problem)
		}
	}
	out.WriteString(text[last:])
	return out.String(), problems
}

func expand(name, flag, argument string, vars map[string]string) (value, problem string) {
	value, set := vars[name]
	switch flag {
	case ":-":
		if value == "" {
			return argument, ""
		}
	case "-":
		if !set {
			return argument, ""
		}
	case ":?":
		if value == "" {
			return "", fmt.Sprintf("Non-empty environment variable required in config. name = %q, error = %q", name, argument)
		}
	case "?":
		if !set {
			return "", fmt.Sprintf("Missing environment variable required in config. name = %q, error = %q", name, argument)
		}
	default:
		if !set {
			return "", fmt.Sprintf("Missing environment variable in config. name = %q", name)
		}
	}
	return value, ""
}
