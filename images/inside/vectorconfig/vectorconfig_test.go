package vectorconfig

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"bootrace/harness/recording"
)

func TestWhatACommandLineMakesVectorRead(t *testing.T) {
	t.Parallel()
	paths := func(files []recording.ConfigFile) (out []string) {
		for _, f := range files {
			out = append(out, f.Format+" "+f.Path)
		}
		return out
	}
	tests := []struct {
		name string
		argv []string
		vars map[string]string
		want []string
	}{
		{"nothing named", []string{"/usr/bin/vector"}, nil, []string{"yaml /etc/vector/vector.yaml"}},
		{"-c", []string{"vector", "-c", "/a.toml"}, nil, []string{"toml /a.toml"}},
		{"several, both ways", []string{"vector", "--config=/a.yaml,/b.json", "-c", "/c.yml"}, nil, []string{"yaml /a.yaml", "json /b.json", "yaml /c.yml"}},
		{"by a variable", []string{"vector"}, map[string]string{"VECTOR_CONFIG": "/v.yaml"}, []string{"yaml /v.yaml"}},
		{"a flag goes before its variable", []string{"vector", "-c", "/a.yaml"}, map[string]string{"VECTOR_CONFIG": "/v.yaml"}, []string{"yaml /a.yaml"}},
		{"a format that is named", []string{"vector", "--config-json", "/conf"}, nil, []string{"json /conf"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, paths(configFiles(tt.argv, tt.vars)))
		})
	}
	argv, vars := ofUnit("ExecStart={ path=/usr/bin/vector ; argv[]=/usr/bin/vector --config /x.yaml ; ignore_errors=no }\nEnvironment=VECTOR_CONFIG_DIR=/d OTHER=1\n")
	assert.Equal(t, []string{"/usr/bin/vector", "--config", "/x.yaml"}, argv)
	assert.Equal(t, map[string]string{"VECTOR_CONFIG_DIR": "/d"}, vars)
}
