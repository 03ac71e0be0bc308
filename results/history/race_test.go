//go:build race

package history_test

// fewer divides how many comparisons are simulated: the race detector makes each ten
// times slower, and they have nothing in common that could race.
const fewer = 10
