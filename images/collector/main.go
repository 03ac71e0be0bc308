// Command collector is run by the harness in a machine whose case is about to end, to ask
// what may still happen, and once more when it has ended: it writes what is only to be had
// inside to stdout, as a tar stream. It is installed as bootrace-collect, and nothing of it
// runs before multi-user.target: of a boot that took long it is asked then how much of the CPU
// others have had.
package main

import (
	"context"
	"fmt"
	"os"
)

func main() {
	if err := collect(context.Background(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bootrace-collect:", err)
		os.Exit(1)
	}
}
