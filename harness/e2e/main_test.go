package e2e

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"testing"
)

// TestMain runs one test more at once than there are processors, unless -parallel says
// otherwise: there is nearly always one that waits for minutes.
func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		if err := flag.Set("test.parallel", fmt.Sprint(runtime.GOMAXPROCS(0)+1)); err != nil {
			fmt.Fprintln(os.Stderr, "e2e: set -parallel:", err)
			os.Exit(2)
		}
	}
	m.Run()
}
