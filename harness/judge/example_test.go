package judge_test

import (
	"fmt"
	"os"

	"bootrace/harness/judge"
)

// A recording is judged without an engine, long after its boot.
func ExampleRecording() {
	for _, name := range []string{"populator-delay-45s-trixie", "token-logged-delay-0s-trixie", "starved-pre-trixie"} {
		j, err := judge.Recording(os.DirFS("testdata/" + name))
		fmt.Println(name, j.Verdict, err)
	}
	// Output:
	// populator-delay-45s-trixie pass <nil>
	// token-logged-delay-0s-trixie fail <nil>
	// starved-pre-trixie invalid <nil>
}
