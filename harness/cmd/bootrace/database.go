package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"bootrace/results/store"
)

// dbFlag declares where the results are, for every verb that reads or writes them.
func dbFlag(fl *pflag.FlagSet, db *string) {
	fl.StringVar(db, "db", "", "where results are: a file or postgres://USER@HOST/NAME (default: $BOOTRACE_DB, else state)")
}

// database returns where results are, and the directory in which those wait that
// a database out of reach could not take.
func database(db string) (where, spool string, err error) {
	state, err := stateDir()
	if err != nil {
		return "", "", err
	}
	where = cmp.Or(db, os.Getenv("BOOTRACE_DB"), filepath.Join(state, "results.db"))
	if err := store.Takes(where); err != nil {
		return "", "", usage(err)
	}
	return where, filepath.Join(state, "spool"), nil
}

// withResults calls f with the results that there are, those that waited on this host included.
func withResults(ctx context.Context, io streams, db string, f func(*store.Store) error) error {
	where, spool, err := database(db)
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, where)
	if err != nil {
		return err
	}
	if err := store.Deliver(ctx, s, spool); err != nil {
		fmt.Fprintf(io.err, "bootrace: results of an earlier run still wait: %v\n", err)
	}
	return errors.Join(f(s), s.Close())
}

// openForRun opens the results that a run writes. A database that is out of reach
// does not keep a run from beginning.
func openForRun(ctx context.Context, io streams, db string) (*store.Spool, error) {
	where, spool, err := database(db)
	if err != nil {
		return nil, err
	}
	s, err := store.OpenSpool(ctx, where, spool)
	if err != nil {
		return nil, err
	}
	if err := s.Deliver(ctx); err != nil {
		fmt.Fprintf(io.err, "bootrace: results of an earlier run still wait: %v\n", err)
	}
	return s, nil
}
