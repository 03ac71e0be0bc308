package scenarios

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"bootrace/images/azure/fault"
	"bootrace/scenarios/document"
)

// schema is that of scenario files; what goes together in them, sense judges.
var schema = sync.OnceValue(func() *document.Schema {
	s := document.Of(Scenario{}, "bootrace scenario")
	var ops []string
	for _, list := range fault.Services() {
		ops = append(ops, list...)
	}
	slices.Sort(ops)
	s.At("cloud", "faults", "0", "op").Enum = document.Choice(ops)
	s.At("cloud", "faults", "0", "service").Enum = document.Choice(slices.Sorted(maps.Keys(fault.Services())))
	s.At("cloud", "faults", "0", "kind").Extras = map[string]any{"enumDescriptions": kinds()}
	s.At("expect", "starts", "").Minimum = "1"
	s.Keys("unit", "expect", "starts")
	return s
})

// kinds says of each kind of fault, in the table's order, what happens and to whom. Editors
// show it beside the kind.
func kinds() []string {
	var out []string
	for _, row := range fault.Table() {
		where := "every service"
		if len(row.Services) > 0 {
			where = strings.Join(row.Services, ", ")
		}
		out = append(out, where+": "+row.Doc)
	}
	return out
}

// Schema is the JSON Schema (2020-12) of scenario files, for editors.
func Schema() ([]byte, error) { return schema().JSON() }

func names[T ~string](list []T) []string {
	var out []string
	for _, n := range list {
		out = append(out, string(n))
	}
	return out
}
