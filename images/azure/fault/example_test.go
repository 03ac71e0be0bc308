package fault_test

import (
	"fmt"
	"time"

	"bootrace/images/azure/fault"
)

// The vault is not there for its first three requests of a secret.
func Example() {
	faults := []fault.Fault{{Service: "keyvault", Kind: fault.Status, Status: 503, Requests: "1-3"}}
	fmt.Println(faults[0].Validate())
	schedule := fault.NewSchedule(faults, func() time.Duration { return 0 })
	for range 4 {
		f, bad := schedule.Next(fault.Answer, fault.Target{Service: "keyvault", Op: "secrets.get", Secret: "shared-cell-id"})
		fmt.Println(f.Status, bad)
	}
	// Output:
	// []
	// 503 true
	// 503 true
	// 503 true
	// 0 false
}

// A fault that cannot happen is refused, by the key that is wrong.
func ExampleFault_Validate() {
	f := fault.Fault{Service: "imds", Kind: fault.SecretDisabled, Until: fault.Duration{Duration: time.Second}, From: fault.Duration{Duration: time.Minute}}
	for _, problem := range f.Validate() {
		fmt.Println(problem)
	}
	// Output:
	// kind: secret-disabled cannot happen to imds, only to keyvault
	// until: 1s is not after from, 1m0s
}
