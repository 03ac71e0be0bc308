package postgrestest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	backend "bootrace/harness/machine/container"
)

func TestAKilledServerComesBackWithItsData(t *testing.T) {
	t.Parallel()
	s := Start(t)
	s.Exec(t, "CREATE TABLE kept (id TEXT)")
	s.Kill(t)
	s.Again(t)
	s.Wait(t)
	s.Exec(t, "INSERT INTO kept VALUES ('a')")
}

// The kernel lets go of the lock of a test that dies.
func TestASweepTakesWhatADeadTestLeft(t *testing.T) {
	t.Parallel()
	s := Start(t)
	n, err := s.backend.Sweep(t.Context(), backend.OfRun(s.run))
	require.NoError(t, err)
	assert.Zero(t, n, "the test lives")
	require.NoError(t, s.lock.Close())
	n, err = s.backend.Sweep(t.Context(), backend.OfRun(s.run))
	require.NoError(t, err)
	assert.Equal(t, 1, n)
}
