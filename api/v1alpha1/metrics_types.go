package v1alpha1

// MetricsMode says what is made to have a service scraped.
// +kubebuilder:validation:Enum=ServiceMonitor;None
type MetricsMode string

// The modes of metrics.
const (
	// MetricsServiceMonitor makes a ServiceMonitor of the Prometheus operator.
	MetricsServiceMonitor MetricsMode = "ServiceMonitor"
	// MetricsNone makes nothing.
	MetricsNone MetricsMode = "None"
)

// Metrics has Prometheus scrape a service. What is missing for it, the
// Prometheus operator or the port, is said by the condition MonitoringReady;
// the service runs all the same.
type Metrics struct {
	// mode says what is made: a ServiceMonitor, or None for a service that is
	// to be left out although the platform's defaults have metrics. Absent means
	// ServiceMonitor.
	// +optional
	Mode MetricsMode `json:"mode,omitempty"`

	// port is the name of the entry of ports that serves the metrics;
	// network.metricsFrom says who may connect to it. Absent means metrics.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=15
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`
	Port string `json:"port,omitempty"`

	// path of the metrics. Absent means /metrics.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:Pattern=`^/[A-Za-z0-9/_.~-]*$`
	Path string `json:"path,omitempty"`

	// interval between two scrapes, such as 15s or 1m. Absent means that of
	// Prometheus.
	// +optional
	// +kubebuilder:validation:MaxLength=10
	// +kubebuilder:validation:Pattern=`^[1-9][0-9]{0,4}(s|m|h)$`
	Interval string `json:"interval,omitempty"`

	// labels of the ServiceMonitor, by which a Prometheus selects those that it
	// reads. Labels that the operator sets itself are refused.
	// +optional
	// +kubebuilder:validation:MaxProperties=16
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('app.kubernetes.io/') && !k.startsWith('streamplane.dev/'))",message="the operator sets app.kubernetes.io/ and streamplane.dev/ labels itself: remove them"
	Labels map[string]LabelValue `json:"labels,omitempty"`
}
