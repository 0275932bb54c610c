//go:build tools

// Package metricsserver pins the metrics server that the local cluster runs.
package metricsserver

import (
	_ "sigs.k8s.io/metrics-server/cmd/metrics-server"
)
