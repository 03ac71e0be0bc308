package scenarios

import "bootrace/scenarios/document"

// Problem is one thing that is wrong with a file.
type Problem = document.Problem

// Problems is everything that is wrong with a file.
type Problems = document.Problems

// problems gathers them in one file.
type problems struct{ document.Problems }
