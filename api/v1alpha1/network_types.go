package v1alpha1

import (
	networkingv1 "k8s.io/api/networking/v1"
)

// Network opens connections beside the calls between services. Everything
// else is denied: pods receive only what a service that calls them sends, and
// send only to the services that they call and to DNS.
type Network struct {
	// egress lists what lies outside of the platform and may be connected to,
	// for example an S3 bucket, a database or an API on the internet. Without
	// it nothing may: a service whose MEDIA_URL begins with s3:// needs it.
	// Entries of the platform and of the service add up.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=50
	Egress []NetworkEgress `json:"egress,omitempty"`

	// edgeFrom lists who may connect to the first port of services with expose,
	// such as the namespace of an ingress controller. Absent means everybody.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=20
	EdgeFrom []networkingv1.NetworkPolicyPeer `json:"edgeFrom,omitempty"`

	// metricsFrom lists who may connect to ports named metrics, and to the one
	// that metrics.port names. Absent means the pods of every namespace.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=20
	MetricsFrom []networkingv1.NetworkPolicyPeer `json:"metricsFrom,omitempty"`

	// dns lists where names are resolved. Absent means port 53, TCP and UDP, of
	// any address: DNS servers can be pods, processes of a node or neither.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=20
	DNS []networkingv1.NetworkPolicyPeer `json:"dns,omitempty"`
}

// NetworkEgress is a range of addresses outside of the platform.
type NetworkEgress struct {
	// cidr is the range, for example 203.0.113.0/24 or 2001:db8::/32.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=43
	// +kubebuilder:validation:XValidation:rule="isCIDR(self)",message="must be a range of addresses such as 203.0.113.0/24"
	CIDR string `json:"cidr"`

	// except lists parts of the range that stay closed.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:items:MaxLength=43
	// +kubebuilder:validation:items:XValidation:rule="isCIDR(self)",message="must be a range of addresses such as 203.0.113.0/24"
	Except []string `json:"except,omitempty"`

	// ports that may be connected to, over TCP. Absent means every port and
	// protocol.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:items:Minimum=1
	// +kubebuilder:validation:items:Maximum=65535
	Ports []int32 `json:"ports,omitempty"`
}
