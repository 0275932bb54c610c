// Package config embeds what ships with this version for tools that work
// without a cluster.
package config

import _ "embed" // for the file below

// Releases lists the images of each release, as the operator reads them.
//
//go:embed manager/releases.yaml
var Releases []byte
