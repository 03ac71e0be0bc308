package images

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestEveryImageHasANameThatTheEngineTakes(t *testing.T) {
	digest := "@sha256:" + strings.Repeat("0", 64)
	seen := map[string]bool{}
	for _, ref := range []string{"worker:candidate", "worker" + digest, "registry.example.org:5000/" + strings.Repeat("team/", 20) + "worker:1.2.3" + digest} {
		assert.Regexp(t, regexp.MustCompile(`^bootrace/pulled:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`), pulledAs(ref))
		seen[pulledAs(ref)] = true
	}
	assert.Len(t, seen, 3)
}
