package microservice

import (
	"errors"
	"fmt"

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
		{Kind: desired.ServiceMonitorKind, Resource: "servicemonitors", Source: "the Prometheus operator"},
	}
}

// split parts the objects of kinds that every cluster serves from those of
// optional kinds.
func split(objects []client.Object) (always []client.Object, optionally map[schema.GroupVersionKind][]client.Object) {
	optionally = map[schema.GroupVersionKind][]client.Object{}
	for _, object := range objects {
		if u, ok := object.(*unstructured.Unstructured); ok {
			kind := u.GroupVersionKind()
			optionally[kind] = append(optionally[kind], u)
			continue
		}
		always = append(always, object)
	}
	return always, optionally
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

// notMade is why the object of an optional kind is not as it is wanted; nil
// when it is.
func notMade(o observed, did outcome, kind schema.GroupVersionKind) *metav1.Condition {
	if !o.served.Has(kind) {
		return &metav1.Condition{Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonAPIMissing, Message: o.served.Missing(kind)}
	}
	err := did.optional[kind]
	if err == nil {
		return nil
	}
	reason := v1alpha1.ReasonApplyFailed
	if _, taken := errors.AsType[*apply.ConflictError](err); taken {
		reason = v1alpha1.ReasonNameConflict
	}
	return &metav1.Condition{Status: metav1.ConditionFalse, Reason: reason, Message: err.Error()}
}
