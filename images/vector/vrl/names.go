package vrl

import "strings"

// fallibility of a function that is not played.
type fallibility int

const (
	fallible fallibility = iota
	uncertain
	newer // in VRL's sources, maybe not yet in the Vector that runs
)

// unplayedFunctions are the rest of VRL's names (vectordotdev/vrl src/stdlib and docs/generated, and those that Vector adds,
// as of 0.56 to 0.58). With them and the played ones, a name that is in neither is no function.
var unplayedFunctions = func() map[string]fallibility {
	all := map[string]fallibility{}
	for kind, names := range map[fallibility]string{
		fallible: `parse_apache_log parse_aws_alb_log parse_aws_cloudwatch_log_subscription_message parse_aws_vpc_flow_log parse_bytes
			parse_cbor parse_cef parse_common_log parse_csv parse_dnstap parse_duration parse_etld parse_glog parse_grok parse_groks
			parse_influxdb parse_klog parse_linux_authorization parse_nginx_log parse_proto parse_query_string parse_regex_all
			parse_ruby_hash parse_syslog parse_tokens parse_url parse_user_agent parse_xml parse_yaml
			decode_base16 decode_charset decode_gzip decode_lz4 decode_mime_q decode_percent decode_punycode decode_snappy decode_zlib
			decode_zstd decrypt decrypt_ip encrypt encrypt_ip encode_charset encode_proto encode_snappy dns_lookup reverse_dns
			http_request chunks ip_aton ip_cidr_contains ip_ntoa ip_ntop ip_pton ip_subnet ip_to_ipv6 ipv6_to_ipv4 to_regex
			to_syslog_facility_code to_syslog_severity uuid_from_friendly_id validate_json_schema community_id
			get_enrichment_table_record find_enrichment_table_records random_bytes random_float random_int tally`,
		uncertain: `assert_eq basename dirname split_path camelcase pascalcase snakecase screamingsnakecase kebabcase crc
			encode_base16 encode_csv encode_gzip encode_key_value encode_logfmt encode_lz4 encode_percent encode_punycode encode_zlib
			encode_zstd format_number format_int haversine hmac is_ipv4 is_ipv6 match_array match_datadog_query
			object_from_array pop random_bool redact remove replace_with seahash sha3 shannon_entropy sieve strip_ansi_escape_codes
			tag_types_externally tally_value to_entries from_entries to_syslog_facility to_syslog_level type_def unflatten unnest
			uuid_v7 xxhash zip get_timezone_name get_secret set_secret remove_secret set_semantic_meaning
			get_vector_metric find_vector_metrics aggregate_vector_metrics contains_all`,
		newer: `fold flat_map for_each_recursive for_keys is_decimal encode_xml crc32 get_vector_timezone parse_ddtags`,
	} {
		for name := range strings.FieldsSeq(names) {
			all[name] = kind
		}
	}
	return all
}()
