// Package chart holds the tests of charts/streamplane and config/default: what both install is valid,
// restricted and the same.
package chart
