package store_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images/postgrestest"
	"bootrace/results/store"
	"bootrace/results/store/storetest"
)

func TestPostgreSQLIsAStore(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t)
	storetest.Run(t, func(t *testing.T) (storetest.Store, func() storetest.Store) {
		where := server.Database(t)
		open := func() storetest.Store {
			s, err := store.Open(t.Context(), where)
			require.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, s.Close()) })
			return s
		}
		return open(), open
	})
}
