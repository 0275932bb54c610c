package conditions

import (
	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// Announce records an event when the Ready condition turned or changed its
// reason, in the words of the condition.
func Announce(recorder events.EventRecorder, about runtime.Object, before, after []metav1.Condition) {
	was := apimeta.FindStatusCondition(before, v1alpha1.ConditionReady)
	is := apimeta.FindStatusCondition(after, v1alpha1.ConditionReady)
	switch {
	case is == nil, was != nil && was.Status == is.Status && was.Reason == is.Reason:
		return
	case was == nil && is.Reason == v1alpha1.ReasonProgressing:
		return // that something new is on its way is no news
	}
	kind := corev1.EventTypeNormal
	if apimeta.IsStatusConditionTrue(after, v1alpha1.ConditionStalled) {
		kind = corev1.EventTypeWarning
	}
	recorder.Eventf(about, nil, kind, is.Reason, "Reconcile", "%s", is.Message)
}
