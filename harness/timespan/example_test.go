package timespan_test

import (
	"fmt"
	"time"

	"bootrace/harness/timespan"
)

func Example() {
	limit, err := timespan.Parse("1d 2h")
	fmt.Println(limit, err)
	_, err = timespan.Parse("5 parsecs")
	fmt.Println(err)
	fmt.Println(timespan.Format(90 * time.Second))
	// Output:
	// 26h0m0s <nil>
	// "5 parsecs" is no time span such as 5min 20s (systemd.time(7)): there is no unit "parsecs"
	// 1min 30s
}
