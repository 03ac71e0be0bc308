package history

// Doors for the tests of the arithmetic.
var (
	HodgesLehmann = hodgesLehmann
	Midranks      = midranks
	Wilson        = wilson
)
