package page

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

// The page of 40 cases with 300 events each: how long it takes and how big it is.
func BenchmarkHTMLOfFortyCases(b *testing.B) {
	p := forty(300)
	var out bytes.Buffer
	for b.Loop() {
		out.Reset()
		require.NoError(b, HTML(&out, p))
	}
	b.ReportMetric(float64(out.Len())/1e6, "MB")
}
