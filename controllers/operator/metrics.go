package operator

import (
	"fmt"
	"os"
	"path/filepath"

	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

// The files of a certificate, as in a Secret of type kubernetes.io/tls.
const (
	certFile = "tls.crt"
	keyFile  = "tls.key"
)

// Metrics says where and how metrics are served.
type Metrics struct {
	// Address to listen on; "0" switches metrics off.
	Address string
	// Secure asks the API server who wants to read the metrics and whether
	// they may, which needs the ClusterRole streamplane-metrics-auth.
	Secure bool
	// CertFolder holds the certificate; the operator makes one when empty.
	CertFolder string
}

func (m Metrics) options() (server.Options, error) {
	o := server.Options{BindAddress: m.Address}
	if !m.Secure {
		return o, nil
	}
	o.SecureServing = true
	o.FilterProvider = filters.WithAuthenticationAndAuthorization
	if m.CertFolder == "" {
		return o, nil
	}
	// The server would go on with a certificate of its own.
	for _, file := range []string{certFile, keyFile} {
		if _, err := os.Stat(filepath.Join(m.CertFolder, file)); err != nil {
			return o, fmt.Errorf("find certificate of the metrics: %w", err)
		}
	}
	o.CertDir, o.CertName, o.KeyName = m.CertFolder, certFile, keyFile
	return o, nil
}
