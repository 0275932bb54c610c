package microservice

import (
	"errors"
	"fmt"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/apply"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
	"github.com/streamplane/streamplane/controllers/optional"
)

// Optional lists the kinds that a Microservice may own where they are served.
func Optional() []optional.API {
	return []optional.API{
		{Kind: desired.HTTPRouteKind, Resource: "httproutes", Source: "the Gateway API, version 1.0 or later"},
		{Kind: desired.ServiceMonitorKind, Resource: "servicemonitors", Source: "the Prometheus operator"},
		{Kind: desired.ScaledObjectKind, Resource: "scaledobjects", Source: "KEDA"},
	}
}

// beside are the kinds whose objects keep no pod from serving: each is synced
// for itself, and what is wrong with it is said by a condition of its own.
func beside(served optional.Served) map[schema.GroupVersionKind]client.ObjectList {
	all := served.Lists()
	all[desired.IngressKind] = &networkingv1.IngressList{}
	return all
}

// split parts the objects that pods serve with from those of the kinds beside.
func split(objects []client.Object) (serving []client.Object, others map[schema.GroupVersionKind][]client.Object) {
	others = map[schema.GroupVersionKind][]client.Object{}
	for _, object := range objects {
		kind := object.GetObjectKind().GroupVersionKind()
		if _, optionally := object.(*unstructured.Unstructured); optionally || kind == desired.IngressKind {
			others[kind] = append(others[kind], object)
			continue
		}
		serving = append(serving, object)
	}
	return serving, others
}

// monitoringReady is nil while nothing is missing.
func monitoringReady(o observed, did outcome) *metav1.Condition {
	if !desired.WantsMetrics(o.microservice) {
		return nil
	}
	if port, exists := desired.MetricsPort(o.microservice); !exists {
		return &metav1.Condition{
			Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonPortMissing, Message: fmt.Sprintf(
				"spec.metrics: the service has no port named %s: add it to spec.ports, or name another one in spec.metrics.port", port),
		}
	}
	return notMade(o, did, desired.ServiceMonitorKind)
}

// notMade is why the object of a kind beside is not as it is wanted; nil when
// it is.
func notMade(o observed, did outcome, kind schema.GroupVersionKind) *metav1.Condition {
	if kind != desired.IngressKind && !o.served.Has(kind) {
		return &metav1.Condition{Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonAPIMissing, Message: o.served.Missing(kind)}
	}
	err := did.beside[kind]
	if err == nil {
		return nil
	}
	reason := v1alpha1.ReasonApplyFailed
	if _, taken := errors.AsType[*apply.ConflictError](err); taken {
		reason = v1alpha1.ReasonNameConflict
	}
	return &metav1.Condition{Status: metav1.ConditionFalse, Reason: reason, Message: err.Error()}
}
