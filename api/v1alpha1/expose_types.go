package v1alpha1

// ExposeMode says how callers from outside reach a service.
// +kubebuilder:validation:Enum=Gateway;Direct
type ExposeMode string

const (
	// ExposeGateway sends paths of the platform's address through the gateway
	// to the service.
	ExposeGateway ExposeMode = "Gateway"
	// ExposeDirect lets callers from outside the platform connect to the service.
	ExposeDirect ExposeMode = "Direct"
)

// Expose opens a service to callers from outside the platform.
//
// +kubebuilder:validation:XValidation:rule="!has(self.mode) || self.mode != 'Direct' || !has(self.timeout)",message="timeout is for mode Gateway, timeouts for mode Direct",fieldPath=".timeout"
// +kubebuilder:validation:XValidation:rule="(has(self.mode) && self.mode == 'Direct') || !(has(self.parentRefs) || has(self.hostnames) || has(self.ingress) || has(self.timeouts))",message="parentRefs, hostnames, ingress and timeouts are for mode Direct: set it, or remove them"
type Expose struct {
	// mode of the exposure. Gateway, which absent means, sends paths of the
	// platform's address through the gateway; the first port answers them.
	// Direct lets callers from outside connect to the service itself: nobody
	// checks them before it does. With any of paths, hostnames, parentRefs,
	// ingress and timeouts it gets a route of its own, of which the condition
	// RouteReady tells.
	// +optional
	Mode ExposeMode `json:"mode,omitempty"`

	EdgeRoute `json:",inline"`

	// timeouts of the HTTPRoute of mode Direct. Absent leaves them to its
	// Gateway.
	// +optional
	Timeouts *RouteTimeouts `json:"timeouts,omitempty"`

	// paths that are sent to the service, with all that is below them: /search
	// takes /search and /search/new. Absent means, through the gateway, / and
	// the service's name, and with mode Direct all. The service sees the path as
	// it was asked for. When two services want one path of the gateway, the
	// first gets it and a condition of the platform names the other.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:XValidation:rule="!self.exists(p, p.matches('^/(api|v|assets)(/|$)'))",message="/api, /v and /assets belong to the gateway itself: choose other paths"
	Paths []RoutePath `json:"paths,omitempty"`

	// timeout of the beginning of a response through the gateway, such as 500ms
	// or 30s, at most 300s. Absent means 15s.
	// +optional
	// +kubebuilder:validation:MaxLength=8
	// +kubebuilder:validation:Pattern=`^([1-9][0-9]{0,4}ms|[1-9][0-9]?s|[12][0-9][0-9]s|300s)$`
	Timeout string `json:"timeout,omitempty"`
}

// RoutePath is a path prefix of whole elements.
// +kubebuilder:validation:MinLength=2
// +kubebuilder:validation:MaxLength=128
// +kubebuilder:validation:Pattern=`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$`
type RoutePath string

// Route is a path that a gateway sends to a service.
type Route struct {
	// path prefix, of whole elements.
	Path RoutePath `json:"path"`

	// service inside the platform that answers.
	// +kubebuilder:validation:MaxLength=63
	Service string `json:"service"`

	// microservice is its resource.
	// +kubebuilder:validation:MaxLength=63
	Microservice string `json:"microservice"`

	// port that its pods listen on.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port"`

	// timeout of the beginning of a response. Absent means 15s.
	// +optional
	// +kubebuilder:validation:MaxLength=8
	Timeout string `json:"timeout,omitempty"`
}
