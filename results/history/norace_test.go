//go:build !race

package history_test

const fewer = 1
