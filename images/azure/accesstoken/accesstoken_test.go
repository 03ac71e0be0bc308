package accesstoken_test

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images/azure/accesstoken"
)

const vault = "https://vault.azure.net"

func TestATokenSaysWhatItIsForUntilItExpires(t *testing.T) {
	t.Parallel()
	issuer, now := accesstoken.New(), time.Now()
	token := issuer.Issue(vault, now.Add(time.Hour))

	resource, err := issuer.Check(token, now)
	require.NoError(t, err)
	assert.Equal(t, vault, resource)

	resource, err = issuer.Check(token, now.Add(time.Hour))
	require.ErrorIs(t, err, accesstoken.ErrExpired)
	assert.Equal(t, vault, resource)
}

func TestWhatIsNoTokenOfThisIssuerIsRefused(t *testing.T) {
	t.Parallel()
	issuer, now := accesstoken.New(), time.Now()
	good := issuer.Issue(vault, now.Add(time.Hour))
	tests := map[string]string{
		"nothing":                  "",
		"a dot":                    ".",
		"any text":                 rand.Text(),
		"another cloud's token":    accesstoken.New().Issue(vault, now.Add(time.Hour)),
		"a token cut short":        good[:len(good)-1],
		"a token with another end": good + "A",
		"the prefix alone":         "bootrace-imds-.",
	}
	for name, token := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := issuer.Check(token, now)
			require.ErrorIs(t, err, accesstoken.ErrForged)
		})
	}
}

func TestEachTokenIsNewAndFoundWhole(t *testing.T) {
	t.Parallel()
	issuer := accesstoken.New()
	one, two := issuer.Issue(vault, time.Now()), issuer.Issue(vault, time.Now())
	assert.NotEqual(t, one, two)
	assert.Regexp(t, `^bootrace-imds-[0-9a-f]{32}-`, one)
	assert.Equal(t, `say "X"`, accesstoken.Matcher().ReplaceAllString(`say "`+one+`"`, "X"))
}
