package vrl

import (
	"slices"
	"strings"
)

// fallibility of a function of which no more than the name is known.
type fallibility int

const (
	uncertain fallibility = iota
	fallible
	newer // in VRL's sources, maybe not yet in the Vector that runs
)

// unplayedFunctions are the names of VRL's (vectordotdev/vrl src/stdlib, and those that Vector adds, as of 0.56 to 0.58) whose
// signature is not known here, for it depends on more than types. With them, signatures and the played ones, a name that is
// in none is no function.
var unplayedFunctions = func() map[string]fallibility {
	all := map[string]fallibility{}
	for kind, names := range map[fallibility]string{
		uncertain: `get_vector_metric find_vector_metrics aggregate_vector_metrics`,
		fallible:  `http_request`,
		newer:     `fold flat_map for_each_recursive for_keys is_decimal encode_xml crc32 get_vector_timezone parse_ddtags`,
	} {
		for name := range strings.FieldsSeq(names) {
			all[name] = kind
		}
	}
	return all
}()

// signatures are functions that are not played, as `name(parameters) result`. `!` behind the result: it may fail whatever its
// arguments are; `?`: only Vector's compiler knows. In the order of vector.dev/docs/reference/vrl/functions.
var signatures = parseSignatures(`
	basename(value:string) string!
	camelcase(value:string original_case?:string) string
	chunks(value:string chunk_size:int) array
	community_id(source_ip:string destination_ip:string protocol:int source_port?:int destination_port?:int seed?:int) string!
	contains_all(value:string substrings:array case_sensitive?:bool) bool
	crc(value:string algorithm?:string) string
	decode_base16(value:string) string!
	decode_charset(value:string from_charset:string) string!
	decode_gzip(value:string) string!
	decode_lz4(value:string buf_size?:int prepended_size?:bool) string!
	decode_mime_q(value:string) string!
	decode_percent(value:string) string
	decode_punycode(value:string validate?:bool) string!
	decode_snappy(value:string) string!
	decode_zlib(value:string) string!
	decode_zstd(value:string) string!
	decrypt(ciphertext:string algorithm:string key:string iv:string) string!
	decrypt_ip(ip:string key:string mode:string) string!
	dirname(value:string) string!
	dns_lookup(value:string qtype?:string class?:string options?:object) object!
	encode_base16(value:string) string
	encode_charset(value:string to_charset:string) string!
	encode_csv(value:any delimiter?:string) string!
	encode_gzip(value:string compression_level?:int) string
	encode_key_value(value:object fields_ordering?:array key_value_delimiter?:string field_delimiter?:string flatten_boolean?:bool) string
	encode_logfmt(value:object fields_ordering?:array) string
	encode_lz4(value:string prepend_size?:bool) string!
	encode_percent(value:string ascii_set?:string) string
	encode_proto(value:any desc_file:string message_type:string allow_lossy_string_coercion?:bool) string!
	encode_punycode(value:string validate?:bool) string!
	encode_snappy(value:string) string!
	encode_zlib(value:string compression_level?:int) string
	encode_zstd(value:string compression_level?:int) string
	encrypt(plaintext:string algorithm:string key:string iv:string) string!
	encrypt_ip(ip:string key:string mode:string) string!
	assert_eq(left:any right:any message?:string) bool!
	find_enrichment_table_records(table:string condition:object select?:array case_sensitive?:bool wildcard?:string) array!
	format_int(value:int base?:int) string!
	format_number(value:int|float scale?:int decimal_separator?:string grouping_separator?:string) string
	from_entries(value:array) object
	get_enrichment_table_record(table:string condition:object select?:array case_sensitive?:bool wildcard?:string) object!
	get_secret(key:string) string|null
	get_timezone_name() string!
	haversine(latitude1:float longitude1:float latitude2:float longitude2:float measurement_unit?:string) object
	hmac(value:string key:string algorithm?:string) string
	ip_aton(value:string) int!
	ip_cidr_contains(cidr:string|array value:string) bool!
	ip_ntoa(value:int) string!
	ip_ntop(value:string) string!
	ip_pton(value:string) string!
	ip_subnet(value:string subnet:string) string!
	ip_to_ipv6(value:string) string!
	ipv6_to_ipv4(value:string) string!
	is_ipv4(value:string) bool
	is_ipv6(value:string) bool
	kebabcase(value:string original_case?:string) string
	match_array(value:array pattern:regex all?:bool) bool
	match_datadog_query(value:object query:string) bool
	object_from_array(values:array keys?:array) object
	parse_apache_log(value:string format:string timestamp_format?:string) object!
	parse_aws_alb_log(value:string strict_mode?:bool) object!
	parse_aws_cloudwatch_log_subscription_message(value:string) object!
	parse_aws_vpc_flow_log(value:string format?:string) object!
	parse_bytes(value:string unit:string base?:string) float!
	parse_cbor(value:string) any!
	parse_cef(value:string translate_custom_fields?:bool) object!
	parse_common_log(value:string timestamp_format?:string) object!
	parse_csv(value:string delimiter?:string) array!
	parse_dnstap(value:string lowercase_hostnames?:bool) object!
	parse_duration(value:string unit:string) float!
	parse_etld(value:string plus_parts?:int psl?:string) object!
	parse_glog(value:string) object!
	parse_grok(value:string pattern:string) object!
	parse_groks(value:string patterns:array aliases?:object alias_sources?:array) object!
	parse_influxdb(value:string) array!
	parse_klog(value:string) object!
	parse_linux_authorization(value:string) object!
	parse_nginx_log(value:string format:string timestamp_format?:string) object!
	parse_proto(value:string desc_file:string message_type:string) any!
	parse_query_string(value:string) object
	parse_regex_all(value:any pattern:regex numeric_groups?:bool) array!
	parse_ruby_hash(value:string) object!
	parse_syslog(value:string) object!
	parse_tokens(value:string) array
	parse_url(value:string default_known_ports?:bool) object!
	parse_user_agent(value:string mode?:string) object
	parse_xml(value:string include_attr?:bool attr_prefix?:string text_key?:string always_use_text_key?:bool parse_bool?:bool parse_null?:bool parse_number?:bool) object!
	parse_yaml(value:string) any!
	pascalcase(value:string original_case?:string) string
	pop(value:array) array
	random_bool() bool
	random_bytes(length:int) string
	random_float(min:float max:float) float
	random_int(min:int max:int) int
	redact(value:string|object|array filters:array redactor?:any) any
	remove(value:object|array path:array compact?:bool) any!
	remove_secret(key:string) null
	replace_with(value:string pattern:regex count?:int) string
	reverse_dns(value:string) string!
	screamingsnakecase(value:string original_case?:string) string
	seahash(value:string) int
	set_secret(key:string secret:string) null
	set_semantic_meaning(target:any meaning:string) null
	sha3(value:string variant?:string) string
	shannon_entropy(value:string segmentation?:string) float
	sieve(value:string permitted_characters:regex replace_single?:string replace_repeated?:string) string
	snakecase(value:string original_case?:string excluded_boundaries?:array) string
	split_path(value:string) array
	strip_ansi_escape_codes(value:string) string
	tag_types_externally(value:any) any
	tally(value:array) object!
	tally_value(array:array value:any) int
	to_entries(value:array|object) array
	to_regex(value:string) regex!
	to_syslog_facility(value:int) string!
	to_syslog_facility_code(value:string) int!
	to_syslog_level(value:int) string!
	to_syslog_severity(value:string) int!
	type_def(value:any) any
	unflatten(value:object separator?:string recursive?:bool) object
	unnest(path:array) array
	uuid_from_friendly_id(value:string) string!
	uuid_v7(timestamp?:time) string
	validate_json_schema(value:string schema_definition:string ignore_unknown_formats?:bool) bool!
	xxhash(value:string variant?:string) string
	zip(array0:array array1?:array) array
`)

func parseSignatures(rows string) map[string]*function {
	all := map[string]*function{}
	for row := range strings.Lines(rows) {
		row = strings.TrimSpace(row)
		if row == "" {
			continue
		}
		name, rest, _ := strings.Cut(row, "(")
		params, result, _ := strings.Cut(rest, ") ")
		kinds := strings.TrimRight(result, "!?")
		f := &function{params: parseParams(params), result: parseKinds(kinds)}
		switch result[len(kinds):] {
		case "!":
			f.fails = always
		case "?":
			f.fails = perhaps
		}
		// What is in a collection, and what `any` narrows to, is Vector's to know.
		if f.result&kObject != 0 {
			f.infer = vague
		}
		all[name] = f
	}
	for name, infer := range refined {
		all[name].infer = infer
	}
	all["replace_with"].closure = kString
	return all
}

// refined are the signatures whose result depends on the arguments (vectordotdev/vrl src/stdlib, type_def of each).
var refined = map[string]func(*checker, *callExpr, []typed, typed) typed{
	"chunks":               itemsOf(kString, failsUnless(valid(func(n int64) bool { return n > 0 }), 1)),
	"contains_all":         failsUnlessStrings,
	"crc":                  failsUnless(anyOf("", "CRC_"), 1),
	"encode_gzip":          failsUnless(valid(compression), 1),
	"encode_key_value":     failsIfOrdered,
	"encode_logfmt":        failsIfOrdered,
	"encode_zlib":          failsUnless(valid(compression), 1),
	"format_int":           vague, // an integer for some versions
	"hmac":                 failsUnless(anyOf("SHA1 SHA-224 SHA-256 SHA-384 SHA-512", ""), 2),
	"parse_regex_all":      inferAllGroups,
	"parse_tokens":         itemsOf(kString, nil),
	"random_bytes":         failsUnless(valid(func(n int64) bool { return n >= 0 && n <= 64<<10 }), 0),
	"random_float":         failsUnless(anyNumber, 0, 1),
	"random_int":           failsUnless(anyNumber, 0, 1),
	"redact":               likeItsArgument,
	"tag_types_externally": tagged,
	"unnest":               onAPath,
	"xxhash":               failsUnless(anyOf("XXH32 XXH64 XXH3-64 XXH3-128", ""), 1),
}

type inference = func(*checker, *callExpr, []typed, typed) typed

func vague(_ *checker, _ *callExpr, _ []typed, out typed) typed {
	out.kind.unsure = true
	return out
}

// failsUnless: an argument that is given has to be known, and good.
func failsUnless(good func(any) bool, arguments ...int) inference {
	return func(c *checker, e *callExpr, _ []typed, out typed) typed {
		for _, i := range arguments {
			arg := e.ordered[i]
			if value, known := c.constant(arg); arg != nil && !(known && good(value)) {
				out.merge(typed{fallible: true, code: 100})
			}
		}
		return out
	}
}

func valid(good func(int64) bool) func(any) bool {
	return func(v any) bool {
		n, ok := v.(int64)
		return ok && good(n)
	}
}

func compression(n int64) bool { return n <= 10 }

func anyNumber(any) bool { return true } // a range the wrong way round is refused, not fallible

// anyOf takes one of these words, or what begins like that.
func anyOf(words, prefix string) func(any) bool {
	return func(v any) bool {
		text, ok := v.(string)
		text = strings.ToUpper(text)
		return ok && (slices.Contains(strings.Fields(words), text) || prefix != "" && strings.HasPrefix(text, prefix))
	}
}

// failsUnlessStrings: the items that are looked for.
func failsUnlessStrings(c *checker, e *callExpr, args []typed, out typed) typed {
	if list, ok := e.ordered[1].(*arrayExpr); ok {
		for _, item := range list.items {
			value, known := c.constant(item)
			if _, text := value.(string); !text {
				out.merge(typed{fallible: true, unsure: !known, code: 100})
			}
		}
		return out
	}
	if items := args[1].kind.items; items != nil && items.bits == kString {
		return out
	}
	out.merge(typed{fallible: true, unsure: args[1].kind.unsure || args[1].kind.bits == kArray, code: 100})
	return out
}

func itemsOf(items bits, then inference) inference {
	return func(c *checker, e *callExpr, args []typed, out typed) typed {
		each := of(items)
		out.kind.items = &each
		if then != nil {
			out = then(c, e, args, out)
		}
		return out
	}
}

func likeItsArgument(_ *checker, _ *callExpr, args []typed, out typed) typed {
	out.kind = args[0].kind
	return out
}

func tagged(_ *checker, _ *callExpr, args []typed, out typed) typed {
	out.kind = of(kObject)
	if b := args[0].kind.bits; b == kArray || b == kNull {
		out.kind = of(b)
	}
	out.kind.unsure = true
	return out
}

// onAPath: the function needs to know where the value was.
func onAPath(c *checker, e *callExpr, _ []typed, out typed) typed {
	switch e.ordered[0].(type) {
	case *queryExpr:
	case *varExpr:
		c.doubt("whether "+e.name+" takes a variable", e.from)
	default:
		refuse(610, "function compilation error: error[E400] unexpected expression", e.span)
	}
	return out
}

// failsIfOrdered: the items of `fields_ordering` may be no strings.
func failsIfOrdered(_ *checker, e *callExpr, _ []typed, out typed) typed {
	if e.ordered[1] != nil {
		out.merge(typed{fallible: true, code: 100})
	}
	return out
}

// enumerations are the arguments that must be one of some words, and known (optional_enum and required_enum in
// vectordotdev/vrl src/stdlib).
var enumerations = map[string]string{
	"camelcase original_case":          cases,
	"encode_percent ascii_set":         "NON_ALPHANUMERIC CONTROLS FRAGMENT QUERY SPECIAL PATH USERINFO COMPONENT WWW_FORM_URLENCODED",
	"from_unix_timestamp unit":         units,
	"haversine measurement_unit":       "kilometers miles",
	"is_json variant":                  "object array bool number string null",
	"kebabcase original_case":          cases,
	"parse_apache_log format":          "common combined error",
	"parse_user_agent mode":            "fast reliable enriched",
	"pascalcase original_case":         cases,
	"screamingsnakecase original_case": cases,
	"sha3 variant":                     "SHA3-224 SHA3-256 SHA3-384 SHA3-512",
	"shannon_entropy segmentation":     "byte codepoint grapheme",
	"snakecase original_case":          cases,
	"to_unix_timestamp unit":           units,
}

const (
	cases = "camelCase PascalCase SCREAMING_SNAKE snake_case kebab-case"
	units = "seconds milliseconds microseconds nanoseconds"
)

// enumerated refuses an argument that is none of the words.
func (c *checker) enumerated(e *callExpr, param string, arg expr) {
	words, ok := enumerations[e.name+" "+param]
	if !ok {
		return
	}
	value, known := c.constant(arg)
	word, _ := value.(string)
	switch {
	case !known:
		refuse(610, "function compilation error: error[E400] unexpected expression", arg.where())
	case !slices.Contains(strings.Fields(words), word):
		refuse(610, "function compilation error: error[E403] invalid enum variant", arg.where())
	}
}

// tableOf is the enrichment table that a call looks up, if it is written down.
func (c *checker) tableOf(e *callExpr) (string, bool) {
	lookups := []string{"get_enrichment_table_record", "find_enrichment_table_records"}
	if !slices.Contains(lookups, e.name) {
		return "", false
	}
	for i, arg := range e.arguments {
		if arg.keyword == "table" || arg.keyword == "" && i == 0 {
			name, _ := c.constant(arg.value)
			text, ok := name.(string)
			return text, ok
		}
	}
	return "", false
}
