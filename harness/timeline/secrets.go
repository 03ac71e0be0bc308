package timeline

import (
	"regexp"
	"slices"
	"strings"

	"bootrace/harness/recording"
)

// The recorder replaces each secret it knows by a marker. It works on the bytes
// it writes, so a value inside a field that journalctl prints as an array of
// numbers (anything unprintable in it does that) escapes it: what has the
// form of a token is therefore named and blotted out here, after decoding.
var (
	marker    = regexp.MustCompile(`\[secret:([^\]\s]{1,200})\]`)
	axiomForm = regexp.MustCompile(`xaat-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
	imdsForm  = regexp.MustCompile(`bootrace-imds-[0-9a-f]{32}-?`)
)

// unknownAxiom is the name of a token that the recorder did not know.
const unknownAxiom = "unknown-axiom-token"

// IdentityToken is the name of the tokens of the machine's identity.
const IdentityToken = recording.IdentityToken

// scrub blots out what has the form of a token.
func scrub(s string) string {
	if !strings.Contains(s, "xaat-") && !strings.Contains(s, "bootrace-imds-") { // as nearly always
		return s
	}
	s = axiomForm.ReplaceAllString(s, "[secret:"+unknownAxiom+"]")
	return imdsForm.ReplaceAllString(s, "[secret:"+IdentityToken+"]")
}

// secretsIn names the secrets that stand in scrubbed text.
func secretsIn(s string) []string {
	var names []string
	for _, m := range marker.FindAllStringSubmatch(s, -1) {
		if !slices.Contains(names, m[1]) {
			names = append(names, m[1])
		}
	}
	return names
}
