package store_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/results/store"
	"bootrace/results/store/storetest"
)

func TestSQLiteIsAStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) (storetest.Store, func() storetest.Store) {
		// The path is taken as it is, whatever is in it.
		path := filepath.Join(t.TempDir(), "a folder that is not there", "results ?#%.db")
		open := func() storetest.Store {
			s, err := store.Open(t.Context(), path)
			require.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, s.Close()) })
			return s
		}
		s := open()
		assert.FileExists(t, path)
		return s, open
	})
}
