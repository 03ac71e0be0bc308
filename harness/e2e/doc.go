// Package e2e holds the tests of the whole: the shipped scenarios, and populators
// broken on purpose, on real machines. There is nothing in it to import.
package e2e
