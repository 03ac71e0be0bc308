// Package vrl plays Vector Remap Language as far as log shipping uses it.
package vrl
