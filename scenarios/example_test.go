package scenarios_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"bootrace/scenarios"
)

func ExampleFind() {
	s, err := scenarios.Find("delay-45s")
	fmt.Println(s.WorkerEnv.When, s.WorkerEnv.Delay, s.Look.Window, err)
	_, err = scenarios.Find("delay-45")
	fmt.Println(err)
	// Output:
	// after 45s 2m0s <nil>
	// there is no scenario "delay-45" (did you mean delay-45s?); bootrace scenarios lists them, a file is given by its path
}

// Everything that is wrong is said at once, with its place.
func ExampleParse() {
	_, err := scenarios.Parse("mine.yaml", []byte(`version: 1
name: mine
description: worker.env comes late
worker_env: {when: after, dealy: 45s}
look: {window: soon}
expect: {registered: true}
`))
	fmt.Println(err)
	// Output:
	// mine.yaml:4:27: unknown key worker_env.dealy: expected delay, way, when (did you mean delay?)
	//     worker_env: {when: after, dealy: 45s}
	//                               ^
	// mine.yaml:5:16: look.window: expected a duration such as 45s or 4m, found "soon"
	//     look: {window: soon}
	//                    ^
}

// What the README shows of a scenario can be copied.
func TestTheREADMEsScenarioIsOne(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	_, after, found := strings.Cut(string(text), "\n    worker_env: ")
	require.True(t, found)
	shown, _, _ := strings.Cut("    worker_env: "+after, "\n\n")
	rest := "\nversion: 1\nname: mine\ndescription: of the README\nexpect: {registered: true}\n"
	_, err = scenarios.Parse("README.md", []byte(strings.ReplaceAll("\n"+shown, "\n    ", "\n")+rest))
	require.NoError(t, err)
}
