// A module of its own, so that the CRDs that API tests install stay out of the product. Nothing here is compiled: the
// tests ask for the folders of these modules, so that "go mod tidy" has no place here.
module github.com/streamplane/streamplane/test/crds

go 1.26.0

require (
	github.com/kedacore/keda/v2 v2.18.1
	github.com/prometheus-operator/prometheus-operator v0.85.0
	sigs.k8s.io/gateway-api v1.6.3
)
