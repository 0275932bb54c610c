package v1alpha1

// EdgeRoute is the way of requests from outside to a service: an HTTPRoute, an
// Ingress, or the one until the other takes over.
type EdgeRoute struct {
	// parentRefs are the Gateways that an HTTPRoute attaches to; TLS ends there.
	// It needs the Gateway API, version 1.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=8
	ParentRefs []ParentReference `json:"parentRefs,omitempty"`

	// hostnames that are routed; a first label of * stands for any. Absent means
	// all that the Gateway or Ingress controller gets.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	Hostnames []Hostname `json:"hostnames,omitempty"`

	// ingress makes an Ingress. With parentRefs it is the fallback: it is there
	// while no Gateway has accepted the HTTPRoute.
	// +optional
	Ingress *Ingress `json:"ingress,omitempty"`
}

// Hostname is a DNS name, whose first label may be *.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:Pattern=`^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$`
type Hostname string

// ParentReference names a Gateway, or one of its listeners.
type ParentReference struct {
	// name of the Gateway.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`

	// namespace of the Gateway. Absent means the one of this resource.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`
	Namespace string `json:"namespace,omitempty"`

	// sectionName of the listener. Absent means all that fit.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	SectionName string `json:"sectionName,omitempty"`
}

// Ingress is what an Ingress has beside its hosts and paths. It takes no
// timeouts.
type Ingress struct {
	// className is the IngressClass. Absent means the default one of the cluster.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	ClassName string `json:"className,omitempty"`

	// tlsSecretName is the Secret in this namespace, of type kubernetes.io/tls,
	// that TLS ends with. Absent means plain HTTP.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	TLSSecretName string `json:"tlsSecretName,omitempty"`

	// annotations of the Ingress, for its controller.
	// +optional
	// +kubebuilder:validation:MaxProperties=16
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('streamplane.dev/'))",message="streamplane.dev/ annotations belong to the operator: remove them"
	Annotations map[string]AnnotationValue `json:"annotations,omitempty"`
}

// Edge is where viewers come in. The service gateway gets the route; services
// whose expose has mode Direct and paths or hostnames get one of their own,
// which takes from here what it does not say itself. Those that teams write
// have only their own.
//
// +kubebuilder:validation:XValidation:rule="has(self.parentRefs) || has(self.ingress)",message="set parentRefs, ingress or both"
type Edge struct {
	EdgeRoute `json:",inline"`
}

// RouteTimeouts bound requests as in an HTTPRoute, for example 10s; 0s means
// never.
//
// +kubebuilder:validation:XValidation:rule="!has(self.request) || !has(self.backendRequest) || duration(self.request) == duration('0s') || duration(self.backendRequest) <= duration(self.request)",message="backendRequest must not exceed request",fieldPath=".backendRequest"
type RouteTimeouts struct {
	// request as a whole, from the Gateway's first byte to its last.
	// +optional
	// +kubebuilder:validation:MaxLength=24
	// +kubebuilder:validation:Pattern=`^([0-9]{1,5}(h|m|s|ms)){1,4}$`
	Request string `json:"request,omitempty"`

	// backendRequest is one attempt at the service.
	// +optional
	// +kubebuilder:validation:MaxLength=24
	// +kubebuilder:validation:Pattern=`^([0-9]{1,5}(h|m|s|ms)){1,4}$`
	BackendRequest string `json:"backendRequest,omitempty"`
}
