package document

// texts are the kinds of text that our files have, by the format that names them in
// a tag: a regular expression of RE2 and of ECMA 262, and what it is in words.
var texts = map[string]struct{ pattern, want string }{
	"text": {`[^ \t\r\n]`, "text"},
	// Each unit once, the large ones first: no sign, no overflow, and
	// time.ParseDuration takes all of it but the empty text.
	"duration": {`^([0-9]{1,4}h)?([0-9]{1,6}m)?([0-9]{1,7}([.][0-9]{1,9})?s)?([0-9]{1,9}ms)?$`, "a duration such as 45s or 4m"},
	// What can be part of a case's id and of a container's name.
	"name": {`^[a-z0-9][a-z0-9-]{0,62}$`, "small letters, digits and hyphens"},
	// systemd.unit(5), the characters of unit names.
	"unit": {`^[A-Za-z0-9:_.@\\-]+[.](service|socket|target|path|timer|mount|device|swap|slice|scope|automount)$`, "a unit's full name, such as vector.service"},
	// The names that Key Vault has for secrets.
	"secret":   {`^[0-9A-Za-z-]{1,127}$`, "a secret's name"},
	"requests": {`^[0-9,-]+$`, "numbers of requests, such as 1-3 or 1,4-, in quotes if it is a number"},
}
