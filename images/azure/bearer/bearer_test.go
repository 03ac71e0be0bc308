package bearer_test

import (
	"crypto/rand"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"bootrace/images/azure/bearer"
)

func TestAnAuthorizationHeaderIsToldApart(t *testing.T) {
	t.Parallel()
	text := rand.Text()
	tests := map[string]struct {
		header, token string
		auth          bearer.Auth
	}{
		"no header":                  {"", "", bearer.None},
		"a stub's empty token":       {"Bearer ", "", bearer.Empty},
		"the same as net/http trims": {"Bearer", "", bearer.Empty},
		"an uninterpolated variable": {"Bearer ${AXIOM_PLATFORM_TOKEN}", "${AXIOM_PLATFORM_TOKEN}", bearer.Literal},
		"a token":                    {"Bearer " + text, text, bearer.Wrong},
		"another case of the scheme": {"bearer  " + text, text, bearer.Wrong},
		"another scheme":             {"Basic " + text, "", bearer.Wrong},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := http.Header{}
			if tt.header != "" {
				h.Set("Authorization", tt.header)
			}
			token, auth := bearer.Read(h)
			assert.Equal(t, tt.token, token)
			assert.Equal(t, tt.auth, auth)
		})
	}
}
