package timeline_test

import (
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gotest.tools/v3/golden"

	"bootrace/harness/timeline"
	"bootrace/harness/timeline/timelinetest"
)

// The recordings in testdata are of systemd 257 in a container, with units made
// to fail, to wait and to form a cycle.
func TestRealRecordings(t *testing.T) {
	t.Parallel()
	dirs, err := filepath.Glob("testdata/systemd*/manifest.json")
	require.NoError(t, err)
	require.NotEmpty(t, dirs)
	for _, manifest := range dirs {
		dir := filepath.Dir(manifest)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			tl, err := timeline.Read(os.DirFS(dir))
			require.NoError(t, err)
			require.False(t, golden.FlagUpdate() && os.Getenv("CI") != "", "goldens are not made anew in CI")
			golden.Assert(t, tl.Text(), filepath.Base(dir)+".timeline")
		})
	}
}

func TestHealthyBootIsReadWhole(t *testing.T) {
	t.Parallel()
	tl, err := timeline.Read(timelinetest.Healthy().FS())
	require.NoError(t, err)
	assert.Empty(t, tl.Missing)
	assert.Empty(t, tl.Final.Leaks, "the canary is no leak")
	require.False(t, golden.FlagUpdate() && os.Getenv("CI") != "", "goldens are not made anew in CI")
	golden.Assert(t, tl.Text(), "healthy.timeline")
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	t.Parallel()
	cut := func(b []byte) []byte { return b[:len(b)/2] }
	for _, tt := range []struct {
		name, source, want string
		break_             func(b *timelinetest.Boot)
	}{
		{"a file that is not there", timeline.Units, "not in the recording", func(b *timelinetest.Boot) { b.Drop = []string{timeline.Units} }},
		{"the recorder's own reason", timeline.Leaks, "no answer within 8s", func(b *timelinetest.Boot) {
			b.Missing[timeline.Leaks] = "no answer within 8s"
		}},
		{"a collection that broke off", timeline.Jobs, "collection: exec: broken pipe", func(b *timelinetest.Boot) {
			b.Missing["collection"] = "exec: broken pipe"
		}},
		{"a boot clock nobody could read", timeline.Manifest, "boot clock: no manager.txt", func(b *timelinetest.Boot) {
			b.Missing["boot clock"] = "no manager.txt"
		}},
		{"a journal cut short", timeline.Journal, "cut short after line", func(b *timelinetest.Boot) {
			b.Replace[timeline.Journal] = cut(b.FS()[timeline.Journal].Data)
		}},
		{"a journal that is none", timeline.Journal, "not gzip", func(b *timelinetest.Boot) { b.Replace[timeline.Journal] = []byte("x") }},
		{"a file cut at the end of a line", timeline.Units, "bytes where the manifest has", func(b *timelinetest.Boot) {
			b.Replace[timeline.Units] = []byte("Id=a.service\nActiveState=active\n\n")
		}},
		{"a file cut within a line, before the manifest was made", timeline.Jobs, "ends in the middle of a line", func(b *timelinetest.Boot) {
			b.Extra[timeline.Jobs] = []byte("7 a.service start wait")
		}},
		{"a file the manifest does not list", timeline.Leaks, "not listed in the manifest", func(b *timelinetest.Boot) {
			b.Drop, b.Replace[timeline.Leaks] = []string{timeline.Leaks}, []byte{}
		}},
		{"a search that found nothing, nor the canary", timeline.Leaks, "search: canary not found", func(b *timelinetest.Boot) {
			b.Extra[timeline.Leaks] = nil
		}},
		{"a collector that says its search is not to be believed", timeline.Leaks, "search: canary not found in /run", func(b *timelinetest.Boot) {
			b.Missing[timeline.Leaks] = "search: canary not found in /run"
		}},
		{"a cloud log without its beginning", timeline.Cloud, "never said it is ready", func(b *timelinetest.Boot) { b.Cloud = b.Cloud[1:] }},
		{"an empty console", timeline.Console, "empty", func(b *timelinetest.Boot) { b.Console = nil }},
		{"a host nobody looked at", timeline.Host, "no sample", func(b *timelinetest.Boot) { b.Host = nil }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := timelinetest.Healthy()
			tt.break_(b)
			tl, err := timeline.Read(b.FS())
			require.NoError(t, err)
			assert.Contains(t, tl.Missing[tt.source], tt.want)
		})
	}
}

func TestARecordingNeedsItsManifest(t *testing.T) {
	t.Parallel()
	for name, fsys := range map[string]fstest.MapFS{
		"none":           {},
		"not JSON":       {timeline.Manifest: {Data: []byte("{")}},
		"another format": {timeline.Manifest: {Data: []byte(`{"format":2}`)}},
	} {
		_, err := timeline.Read(fsys)
		require.ErrorContains(t, err, "recording: ", name)
	}
}

func TestEventsOfOneInstantKeepTheirOrder(t *testing.T) {
	t.Parallel()
	b := timelinetest.New()
	for _, unit := range []string{"c.service", "a.service", "b.service"} {
		b.Starting(time.Second, unit)
	}
	b.Call(time.Second, "imds", "token", 200)
	for range 3 {
		tl, err := timeline.Read(b.FS())
		require.NoError(t, err)
		var got []string
		for _, e := range tl.Of(timeline.Starting, timeline.Request) {
			got = append(got, string(e.Kind)+" "+e.Unit)
		}
		assert.Equal(t, []string{"starting c.service", "starting a.service", "starting b.service", "request "}, got)
	}
}
