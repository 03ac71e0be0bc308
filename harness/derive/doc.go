// Package derive makes of what logs show what bootrace is told to boot: thresholds of a
// fleet, and the scenario of one boot. Each value has where it is from, and what is not
// known is said. It is pure: facts in, text out; it does not read files, and does not judge.
//
//	fmt.Print(derive.Scenario("incident", facts))
package derive
