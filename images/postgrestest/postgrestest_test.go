package postgrestest

import "testing"

func TestAKilledServerComesBackWithItsData(t *testing.T) {
	t.Parallel()
	s := Start(t)
	s.Exec(t, "CREATE TABLE kept (id TEXT)")
	s.Kill(t)
	s.Again(t)
	s.Wait(t)
	s.Exec(t, "INSERT INTO kept VALUES ('a')")
}
