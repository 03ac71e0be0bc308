package images

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhatVectorMayBe(t *testing.T) {
	t.Parallel()
	pinned := official(PinnedVector)
	file := filepath.Join(t.TempDir(), "vector.deb")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for _, tt := range []struct {
		text    string
		want    Vector
		problem string
	}{
		{"", Vector{autoVector, pinned}, ""},
		{"auto", Vector{autoVector, pinned}, ""},
		{"stand-in", Vector{}, ""},
		{"stand-in:0.56", Vector{standInVector, "0.56.0"}, ""},
		{"stand-in:0.58.0", Vector{standInVector, "0.58.0"}, ""},
		{"stand-in:0.57", Vector{}, "the stand-in plays stand-in:0.56 and stand-in:0.58"},
		{"stand-in:", Vector{}, "the stand-in plays"},
		{"real", Vector{realVector, pinned}, ""},
		{"real:0.56.0", Vector{realVector, "timberio/vector:0.56.0-debian"}, ""},
		{"real:latest", Vector{}, "expected a whole version, as real:" + PinnedVector},
		{file, Vector{realVector, file}, ""},
		{"./absent", Vector{}, "no such file"},
		{"/absent/vector", Vector{}, "no such file"},
		{"127.0.0.1:5000/vector:0.56.0", Vector{realVector, "127.0.0.1:5000/vector:0.56.0"}, ""},
	} {
		t.Run(tt.text, func(t *testing.T) {
			t.Parallel()
			v, err := ParseVector(tt.text)
			if tt.problem != "" {
				require.ErrorContains(t, err, tt.problem)
				assert.ErrorContains(t, err, tt.text)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.want, v)
			assert.Equal(t, tt.want.kind == autoVector, v.IsAuto())
			assert.Equal(t, tt.want.kind == standInVector, v.IsStandIn())
		})
	}
}

func TestASilentRegistryIsRememberedForAWhileAndForItsImage(t *testing.T) {
	t.Parallel()
	b := Builder{Cache: filepath.Join(t.TempDir(), "cache")}
	_, ok := b.silentSince("a")
	assert.False(t, ok, "nobody was asked")
	require.NoError(t, b.rememberSilence("a"))
	at, ok := b.silentSince("a")
	assert.True(t, ok)
	assert.WithinDuration(t, time.Now(), at, time.Minute)
	_, ok = b.silentSince("b")
	assert.False(t, ok, "another image may be in another registry")
	for text, why := range map[string]string{
		`{"image":"a","at":"2020-01-01T00:00:00Z"}`: "long ago",
		`{"image":"a","at":"2999-01-01T00:00:00Z"}`: "the clock was wrong",
		`{"image":"a","at":`:                        "torn",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(b.Cache, silenceFile), []byte(text), 0o600))
		_, ok = b.silentSince("a")
		assert.False(t, ok, why)
	}
}
