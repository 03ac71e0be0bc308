package vrl

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestConditionsComeToABooleanAndChangeNothing(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, program, want string }{
		{"a comparison", `.a == 1`, ``},
		{"several lines", "x = .a == 1\nx || .b == 2", ``},
		{"either branch", `if .a == 1 { true } else { false }`, ``},
		{"one branch alone", `if .a == 1 { true }`, `boolean`},
		{"any field", `.a`, `boolean`},
		{"nothing", ``, `boolean`},
		{"an error taken by null", `.a > 1 ?? null`, `boolean`},
		{"an error taken by a boolean", `.a > 1 ?? false`, ``},
		{"an error not taken", `.a > 1`, `E100`},
		{"an assignment to the event", `.a = true`, `E315`},
		{"an assignment to metadata", `%a = true`, `E315`},
		{"a deletion", `del(.a) == 1`, `E315`},
		{"a deletion in a variable", `x = {"a": 1}; del(x.a) == 1`, ``},
		{"what only Vector knows", `x = {"n": 2}; 4 / x.n == 2.0`, `doubt`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			doubts, err := CheckCondition(tt.program)
			var refused *CompileError
			switch tt.want {
			case "":
				require.NoError(t, err)
				assert.Empty(t, doubts)
			case "doubt":
				require.NoError(t, err)
				assert.Len(t, doubts, 1)
			case "boolean":
				require.ErrorIs(t, err, errNoBoolean)
			default:
				require.True(t, errors.As(err, &refused), "%v", err)
				assert.True(t, strings.HasPrefix(err.Error(), "error["+tt.want+"]"), err)
			}
		})
	}
}

func TestTablesThatAreLookedUp(t *testing.T) {
	t.Parallel()
	p, err := Compile(`.a = get_enrichment_table_record!("one", {"k": 1}); .b = find_enrichment_table_records!(condition: {"k": 1}, table: "two"); .c = get!(., ["three"])`)
	require.NoError(t, err)
	assert.Equal(t, []string{"one", "two"}, p.Tables())
}
