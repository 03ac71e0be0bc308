package envfile_test

import (
	"fmt"

	"bootrace/populator/envfile"
)

// What Append writes, systemd reads back byte for byte.
func Example() {
	line, err := envfile.Append(nil, "AXIOM_PLATFORM_DATASET", `a "quoted" $name`)
	fmt.Print(string(line), err, "\n")
	env, err := envfile.Parse(line)
	fmt.Println(env, err)
	// Output:
	// AXIOM_PLATFORM_DATASET="a \"quoted\" \$name"
	// <nil>
	// map[AXIOM_PLATFORM_DATASET:a "quoted" $name] <nil>
}
