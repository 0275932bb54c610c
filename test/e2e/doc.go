// Package e2e tests whole platforms on a real cluster with two nodes: real
// pods, a real browser, real video. Run it with "make e2e".
package e2e
