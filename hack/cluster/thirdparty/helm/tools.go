//go:build tools

// Package helm pins the Helm release that installs charts.
package helm

import (
	_ "helm.sh/helm/v4/cmd/helm"
)
