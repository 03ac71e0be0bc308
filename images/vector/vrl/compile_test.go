package vrl

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The codes are those of vector.dev/docs/reference/vrl/errors and of Vector's compiler.
func TestProgramsAreRefusedAsVectorRefusesThem(t *testing.T) {
	t.Parallel()
	check(t, []row{
		{"an undefined function (seen on 0.56)", `.x = nosuch(.y)`, ``, `E105`},
		{"a fallible assignment (seen on 0.56)", `.x = parse_json(.message)`, ``, `E103`},
		{"a function that was taken out of VRL", `.x = to_timestamp(.message)`, ``, `E105`},
		{"a function of another language", `.x = trim_start("a")`, ``, `E105`},
		{"a fallible call at the root", `get_env_var("HOST")`, ``, `E100`},
		{"a field of any type at the root", `upcase(.message)`, ``, `E110`},
		{"a field of any type in an assignment", `.x = upcase(.message)`, ``, `E103`},
		{"an argument that can never be right", `.x = upcase(1)`, ``, `E110`},
		{"not even with a bang", `.x = upcase!(1)`, ``, `E110`},
		{"a fallible argument", `. = merge(., parse_json(.message))`, ``, `E630`},
		{"an argument of any JSON", `. = merge(., parse_json!(.message))`, ``, `E103`},
		{"that one asserted", `. = merge(., object!(parse_json!(.message)))`, `{"message":"{}"}`, `{"message":"{}"}`},
		{"that one with a bang", `. = merge!(., parse_json!(.message))`, `{"message":"{}"}`, `{"message":"{}"}`},
		{"a merge of any JSON into the root", `. |= parse_json!(.message)`, ``, `E652`},
		{"a merge of what is coalesced with an object", `. |= object(parse_json(.message) ?? {}) ?? {}`, `{"message":"1"}`, `{"message":"1"}`},
		{"an assignment for an error that cannot be", `.x, err = upcase("a")`, ``, `E104`},
		{"a coalescing that cannot be", `.x = upcase("a") ?? "b"`, ``, `E651`},
		{"a coalescing behind a bang", `.x = parse_json!(.m) ?? {}`, ``, `E651`},
		{"a bang too many is a warning only", `.x = upcase!("a")`, ``, `{"x":"A"}`},
		{"a predicate of any type", `if .flag { .x = 1 }`, ``, `E102`},
		{"that one compared", `if .flag == true { .x = 1 }`, `{"flag":true}`, `{"flag":true,"x":1}`},
		{"a predicate that can fail", `if contains(.m, "x") { .x = 1 }`, ``, `E110`},
		{"a fallible comparison", `if .n > 1 { .x = 1 }`, ``, `E100`},
		{"that one coerced", `if (to_int(.n) ?? 0) > 1 { .x = 1 }`, `{"n":"2"}`, `{"n":"2","x":1}`},
		{"a fallible and", `.x = .a && .b`, ``, `E103`},
		{"an or of anything", `.x = .a || "b"`, `{}`, `{"x":"b"}`},
		{"a not of anything", `.x = !.a`, ``, `E660`},
		{"a sum with any field", `.x = "a" + .b`, ``, `E103`},
		{"that one asserted too", `.x = "a" + string!(.b)`, `{"b":"c"}`, `{"b":"c","x":"ac"}`},
		{"a template of a variable that may be no string", `v = .b; .x = "a {{ v }}"`, ``, `E103`},
		{"a division by what may be zero", `.x = 1 / 0`, ``, `E103`},
		{"a remainder by what may be zero", `.x = mod(1, 0)`, ``, `E103`},
		{"chained comparisons", `.x = 1 < 2 < 3`, ``, `E650`},
		{"chained equality", `.x = 1 == 1 == true`, ``, `E650`},
		{"an undefined variable", `.x = y`, ``, `E701`},
		{"a variable of a block that has ended", `if true { y = 1 }; .x = y`, ``, `E701`},
		{"a template of nothing", `.x = "{{ y }}"`, ``, `E701`},
		{"too many arguments", `.x = upcase("a", "b")`, ``, `E106`},
		{"a missing argument", `.x = split("a")`, ``, `E107`},
		{"an unknown keyword", `.x = upcase(text: "a")`, ``, `E108`},
		{"a closure too many", `upcase("a") -> |x| { x }`, ``, `E109`},
		{"a closure too few", `for_each({})`, ``, `E111`},
		{"a closure with too few variables", `for_each({}) -> |x| { x }`, ``, `E120`},
		{"a closure over anything", `for_each(.a) -> |k, v| { true }`, ``, `E121`},
		{"a filter that gives no boolean", `.x = filter({"a": 1}) -> |k, v| { k }`, ``, `E122`},
		{"a fallible closure", `for_each({"a": 1}) -> |k, v| { .x = parse_json(k) }`, ``, `E103`},
		{"an assignment to nothing", `_ = upcase("a")`, ``, `E640`},
		{"an assignment into a string", `.a = "text"; .a.b = 1`, ``, `E642`},
		{"a bad regex", `.x = match("a", r'(')`, ``, `E101`},
		{"a bad timestamp", `.x = t'yesterday'`, ``, `E601`},
		{"deletion of no path", `del("a")`, ``, `E610`},
		{"an abort with a message that may fail", `abort to_string(.x)`, ``, `E631`},
		{"an abort with no text", `abort 1`, ``, `E300`},
		{"a reserved word", `while = 1`, ``, `E205`},
		{"an else on a line of its own", "if true { .a = 1 }\nelse { .a = 2 }", ``, `E203`},
		{"an empty block", `if true { }`, ``, `E203`},
		{"two expressions on a line", `.a = 1 .b = 2`, ``, `E203`},
		{"an open string", `.a = "x`, ``, `E202`},
		{"an unknown escape", `.a = "\q"`, ``, `E202`},
		{"an open brace", `if true { .a = 1`, ``, `E204`},
		{"an open bracket", `.a[`, ``, `E204`},
		{"a predicate of several expressions that breaks off", "if (.a == 1\nb,) { .x = 1 }", ``, `E203`},
		{"nothing to assign", `.a =`, ``, `E204`},
		{"an assignment to a literal", `"a" = 1`, ``, `E203`},
		{"a variable that was not put in", `.a = ${TOKEN}`, ``, `E203`},
		{"an operator of another language", `.a = true and false`, ``, `E203`},
		{"an assignment operator that VRL has not", `.a ??= 1`, ``, `E203`},
	})
}

func TestWhatIsNotPlayedIsNamed(t *testing.T) {
	t.Parallel()
	check(t, []row{
		{"a function", ".a = 1\n\n.b = parse_grok!(.m, \"%{X:x}\")", ``, `unknown: function parse_grok (line 3)`},
		{"each function once a line, in order", ".b = parse_syslog!(.m)\n.c = parse_url!(.u)\n.d = parse_url!(.v)", ``, `unknown: function parse_syslog (line 1), function parse_url (line 2), function parse_url (line 3)`},
		{"one with its error handled", `.b = parse_syslog(.m) ?? {}`, ``, `unknown: function parse_syslog (line 1)`},
		{"one that surely fails, unhandled", `.b = parse_syslog(.m)`, ``, `E103`},
		{"one that cannot fail", `.b = snakecase("a b")`, ``, `unknown: function snakecase (line 1)`},
		{"one with a variable that is written down", `x = "CRC_32_CKSUM"; .b = crc("a b", x)`, ``, `unknown: function crc (line 1)`},
		{"one with a variable that is not", `x = string!(.x); .b = crc("a b", x)`, ``, `E103`},
		{"one with a word of its own", `.b = sha3("a", variant: "SHA3-224")`, ``, `unknown: function sha3 (line 1)`},
		{"one with a word that there is not", `.b = sha3("a", variant: "SHA-1")`, ``, `E610`},
		{"one with a word of the event", `.b = sha3("a", variant: string!(.v))`, ``, `E610`},
		{"one that is played with a word that there is not", `.b = to_unix_timestamp(now(), unit: "fortnights")`, ``, `E610`},
		{"one that gives an event's field a meaning", `set_semantic_meaning(.foo, "message")`, ``, `unknown: function set_semantic_meaning (line 1)`},
		{"one with an algorithm that is written down", `.b = hmac("a", "k", "sha-512")`, ``, `unknown: function hmac (line 1)`},
		{"one with an algorithm that there is not", `.b = hmac("a", "k", "SHA-9")`, ``, `E103`},
		{"one with its own algorithm", `.b = xxhash("a")`, ``, `unknown: function xxhash (line 1)`},
		{"one with an algorithm of the event", `.b = xxhash("a", string!(.v))`, ``, `E103`},
		{"one with a level that is written down", `.b = encode_gzip("a", 9)`, ``, `unknown: function encode_gzip (line 1)`},
		{"one with a level that there is not", `.b = encode_gzip("a", 11)`, ``, `E103`},
		{"one with a range", `.b = random_int(0, 10)`, ``, `unknown: function random_int (line 1)`},
		{"one with a range of the event", `.b = random_int(0, int!(.n))`, ``, `E103`},
		{"one that looks for strings", `.b = contains_all("abc", ["a", "b"])`, ``, `unknown: function contains_all (line 1)`},
		{"one that looks for what is no string", `.b = contains_all("abc", ["a", 2])`, ``, `E103`},
		{"one that leaves its argument's type", `.b = upcase(redact("abc", filters: [r'b']))`, ``, `unknown: function redact (line 1)`},
		{"one that leaves an argument's of any type", `.b = redact(.m, filters: [r'b'])`, ``, `E103`},
		{"one of pairs", `.b = zip([1], [2])`, ``, `unknown: function zip (line 1)`},
		{"one on a path", `. = unnest!(.items)`, ``, `unknown: function unnest (line 1)`},
		{"one on a path that is not taken care of", `. = unnest(.items)`, ``, `E103`},
		{"one on what is no path", `.b = unnest([1])`, ``, `E610`},
		{"one with a closure", `.b = replace_with("abc", r'b') -> |m| { upcase(m.string) }`, ``, `unknown: function replace_with (line 1)`},
		{"one with a closure of the wrong type", `.b = replace_with("abc", r'b') -> |m| { 1 }`, ``, `E122`},
		{"one with a closure that takes a group as it is", `.b = replace_with("abc", r'(b)') -> |m| { upcase(m.captures[0]) }`, ``, `E103`},
		{"one whose argument may be wrong", `.b = snakecase(.a)`, ``, `E103`},
		{"one whose argument is wrong", `.b = encode_base16(1)`, ``, `E110`},
		{"one without an argument", `.b = parse_apache_log(.a) ?? {}`, ``, `E107`},
		{"one with an argument by no name of its own", `.b = ip_subnet!(.a, mask: "/24")`, ``, `E108`},
		{"one that fails if its fields are ordered", `.b = encode_logfmt(., ["a"])`, ``, `E103`},
		{"one that does not without", `.b = encode_logfmt(.)`, ``, `unknown: function encode_logfmt (line 1)`},
		{"one with a size that is written down", `.b = chunks("abcd", 2)`, ``, `unknown: function chunks (line 1)`},
		{"one with a size of anywhere", `.b = chunks("abcd", int!(.n))`, ``, `E103`},
		{"one that gives an object", `. |= parse_syslog!(.message)`, ``, `unknown: function parse_syslog (line 1)`},
		{"one that gives no object", `. |= parse_csv!(.message)`, ``, `E652`},
		{"one of newer versions", `.b = is_decimal!(.a)`, ``, `undecided: whether function is_decimal is there (line 1)`},
		{"a loop of newer versions", "for _, x in .a {\n.b = x\n}", ``, `undecided: loop (line 1)`},
		{"a regex of Rust's own", `.b = match("a", r'[a-z&&[^b]]')`, ``, `unknown: a regex that this interpreter cannot read (line 1)`},
		{"a class that both read alike", `.b = match("-]a", r'^[^\w\s]{1}[]x][[:alpha:]_-]$')`, ``, `{"b":true}`},
		{"a regex that only Rust reads", `.b = match("a", r'(?x) a # b')`, ``, `unknown: a regex that this interpreter cannot read (line 1)`},
		{"a join, whatever is known of its items", `.b = join(["a", "b"], ",")`, ``, `E103`},
		{"a join with its error", `.b, err = join(["a", "b"], ",")`, ``, `{"b":"a,b"}`},
		{"that one with a bang", `.b = join!(["a", "b"], ",")`, ``, `{"b":"a,b"}`},
		{"a group beside an error", `m, err = parse_regex(.m, r'(?P<l>[a-z]+)'); .l = string(m.l) ?? "none"`, `{"m":"7"}`, `{"m":"7","l":"none"}`},
		{"a group beside an error that is taken for a string", `m, err = parse_regex(.m, r'(?P<l>[a-z]+)'); .l = upcase(m.l)`, ``, `E103`},
		{"a group without an error", `m = parse_regex!(.m, r'(?P<l>[a-z]+)'); .l = upcase(m.l)`, `{"m":"a"}`, `{"m":"a","l":"A"}`},
		{"what a log may have, beside an error", `p, err = parse_nginx_log(.m, "error"); u, e = split(p.request, " ")`, ``, `unknown: function parse_nginx_log (line 1)`},
		{"what a log may have, beside an error, unhandled", `p, err = parse_nginx_log(.m, "error"); .u = split(p.request, " ")`, ``, `E103`},
		{"what a log may have", `p = parse_nginx_log!(.m, "error"); .u = split(p.request, " ")`, ``, `undecided: whether an expression can fail (line 1)`},
		{"a place, which Vector takes for a number", `.r = slice!("a(b", find("a(b", "(") + 1)`, ``, `{"r":"b"}`},
		{"a place that may be of what is no text", `.r = find(.m, "(") + 1`, ``, `E103`},
		{"a string beside an error", `s, err = string(.m); .l = upcase(s)`, `{"m":1}`, `{"m":1,"l":""}`},
		{"a division by a field of a variable, which Vector may know", `x = {"n": 2}; .b = 4 / x.n`, ``, `undecided: whether an expression can fail (line 1)`},
		{"a division by a variable that is written down", `x = 2; .b = 4 / x`, ``, `{"b":2}`},
		{"a division by one that was", `x = 2; x = int!(.n); .b = 4 / x`, `{"n":1}`, `E103`},
		{"a division by one that may not be", `x = 2; if .n == 1 { x = 4 }; .b = 4 / x`, `{"n":1}`, `E103`},
		{"a division by one beside a branch", `x = 2; if .n == 1 { .c = 1 }; .b = 4 / x`, `{"n":1}`, `{"b":2,"c":1,"n":1}`},
		{"a division by a closure's variable of the same name", `x = 2; for_each([1]) -> |_, x| { .b = 4 / x }`, ``, `E103`},
		{"the items of a list that is written down", `.b = filter([1, 2, 3]) -> |_, v| { v > 1 }`, ``, `{"b":[2,3]}`},
		{"the items of a list of several types", `.b = filter([1, "a"]) -> |_, v| { v > 1 }`, ``, `E103`},
		{"the fields of an object that is written down", `.b = map_values({"a": "x"}) -> |v| { upcase(v) }`, ``, `{"b":{"a":"X"}}`},
		{"the fields of one of several types", `.b = map_values({"a": "x", "b": 1}) -> |v| { upcase(v) }`, ``, `E103`},
		{"an item of an array of strings", `x = split("a,b", ","); .b = upcase(x[0])`, ``, `E103`},
		{"that one asserted", `x = split("a,b", ","); .b = upcase(string!(x[0]))`, ``, `{"b":"A"}`},
		{"that one coerced", `x = split("a,b", ","); .b = to_string(x[9])`, ``, `{"b":""}`},
		{"a named group", `x = parse_regex!("a b", r'(?P<first>\w+)'); .b = upcase(x.first)`, ``, `{"b":"A"}`},
		{"a group by its number", `x = parse_regex!("a b", r'(?P<first>\w+)', numeric_groups: true); .b = upcase(x."1")`, ``, `E103`},
		{"a group that may not be there", `x = parse_regex(.a, r'(?P<first>\w+)') ?? {}; .b = upcase(x.first)`, ``, `E103`},
		{"an item of a known array", `x = ["a"]; .b = upcase(x[0])`, ``, `undecided: whether an expression can fail (line 1)`},
		{"nesting without end", strings.Repeat("(", 500) + "1" + strings.Repeat(")", 500), ``, `undecided: expressions nested too deep (line 1)`},
		{"a program of a megabyte", strings.Repeat(".a = 1\n", 1<<17), ``, `undecided: whether a program that long compiles`},
	})
}

func TestAnErrorSaysWhereAndQuotesNoLiteral(t *testing.T) {
	t.Parallel()
	const secret = "xaat-not-a-token"
	for name, program := range map[string]string{
		"in a string":         `.a = nosuch("` + secret + `")`,
		"in a bad string":     `.a = "` + secret + `\q"`,
		"in an open string":   `.a = "` + secret,
		"in a raw string":     `.a = upcase(s'` + secret + `', 1)`,
		"in a regex":          `.a = match("a", r'` + secret + `(')`,
		"in a timestamp":      `.a = t'` + secret + `'`,
		"as a bare word":      `.a = ` + secret,
		"as a function":       `.a = ` + secret + `()`,
		"as a keyword":        `.a = upcase(` + strings.ReplaceAll(secret, "-", "_") + `: 1)`,
		"behind an operator":  `.a = 1 ` + secret,
		"in an object's key":  `.a = {"` + secret + `": nosuch()}`,
		"in a quoted field":   `."` + secret + `" = parse_json(.m)`,
		"in an argument":      `.a = 1 + upcase("` + secret + `")`,
		"in a merged literal": `. |= "` + secret + `"`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Compile("# a line before\n" + program)
			var refused *CompileError
			require.ErrorAs(t, err, &refused)
			assert.NotContains(t, err.Error(), "xaat")
			assert.Equal(t, 2, refused.Line)
			assert.Contains(t, err.Error(), "(:2:")
		})
	}
}

func TestTheTextIsVectors(t *testing.T) {
	t.Parallel()
	_, err := Compile(`.x = nosuch(.y)`)
	require.EqualError(t, err, "error[E105]: call to undefined function (:1:6), see https://errors.vrl.dev/105")
	_, err = Compile(".x = 1\n.x = parse_json(.message)")
	require.EqualError(t, err, "error[E103]: unhandled fallible assignment (:2:6), see https://errors.vrl.dev/103")
}

// A program must not cost more than its event is worth, whatever it does.
func TestARunIsBounded(t *testing.T) {
	t.Parallel()
	for name, program := range map[string]string{
		"a string that doubles":        `x = "ab"` + strings.Repeat("; x = x + x", 60) + `; .x = x`,
		"a string times a million":     `.x = "abcdefghij" * 10000000`,
		"an array that doubles":        `x = [1]` + strings.Repeat("; x = append(x, x)", 60) + `; .x = length(x)`,
		"an object shared with no end": `x = {}` + strings.Repeat(`; x = {"a": x, "b": x}`, 60) + `; . = x`,
		"that one compared":            `x = {}; y = {}` + strings.Repeat(`; x = {"a": x, "b": x}; y = {"a": y, "b": y}`, 60) + `; .x = x == y`,
		"that one encoded":             `x = {}` + strings.Repeat(`; x = {"a": x, "b": x}`, 60) + `; .x = encode_json(x)`,
		"that one flattened":           `x = {}` + strings.Repeat(`; x = {"a": x, "b": x, "c": 1}`, 60) + `; .x = flatten(x)`,
		"an index out of sight":        `.x[100000000] = 1`,
		"loops in loops":               `.a = [1,2,3,4,5,6,7,8,9,10]; a = array!(.a)` + nestedLoops(9),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := Compile(program)
			require.NoError(t, err)
			_, err = p.Run(map[string]any{}, testEnv)
			require.ErrorIs(t, err, errLimit)
			assert.NotErrorIs(t, err, ErrAbort)
		})
	}
}

func nestedLoops(n int) string {
	return "; " + strings.Repeat("for_each(a) -> |_i, _v| { ", n) + ".n = 1" + strings.Repeat(" }", n)
}
