package desired

import (
	"cmp"
	"slices"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// network is what the platform opens for every service, with what the service
// opens itself.
func network(platform, own *v1alpha1.Network) *v1alpha1.Network {
	if platform == nil || own == nil {
		return cmp.Or(own, platform).DeepCopy()
	}
	both := platform.DeepCopy()
	both.Egress = slices.Concat(both.Egress, own.DeepCopy().Egress)
	if own.EdgeFrom != nil {
		both.EdgeFrom = own.DeepCopy().EdgeFrom
	}
	if own.MetricsFrom != nil {
		both.MetricsFrom = own.DeepCopy().MetricsFrom
	}
	if own.DNS != nil {
		both.DNS = own.DeepCopy().DNS
	}
	return both
}
