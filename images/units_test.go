package images

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestUnitsAreThoseBroughtElseThoseChanged(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		files map[string]string // by link target
		want  []string
	}{
		{"units and links to them", map[string]string{"b.timer": "", "a.service": "", "multi-user.target.wants/a.service": "/etc/systemd/system/a.service"}, []string{"a.service", "b.timer"}},
		{"an alias", map[string]string{"other.service": "a.service"}, nil},
		{"a drop-in", map[string]string{"vector.service.d/50-own.conf": ""}, []string{"vector.service"}},
		{"a mask", map[string]string{"a.service": "/dev/null"}, []string{"a.service"}},
		{"a mask beside a unit", map[string]string{"a.service": "/dev/null", "b.service": ""}, []string{"b.service"}},
		{"neither", map[string]string{"README": "", "a.service.d/README": ""}, nil},
	} {
		assert.Equal(t, tt.want, Units(tt.files), tt.name)
	}
}
