package postgrestest

import "testing"

func TestAKilledServerComesBack(t *testing.T) {
	s := Start(t)
	s.Kill(t)
	s.Again(t)
	s.Wait(t)
	s.Database(t)
}
