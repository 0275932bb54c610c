package operator

import (
	"fmt"
	"testing"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
)

const searchByKEDA = `{platformRef: {name: acme}, image: "registry.test/search:1", resources: {requests: {cpu: 100m}},
	autoscaling: {mode: KEDA, minReplicas: 2, maxReplicas: 9, triggers: [{type: cron, metadata: {timezone: UTC}}]}}`

func setKEDA(m *v1alpha1.Microservice) {
	m.Spec.Replicas, m.Spec.Autoscaling = nil, &v1alpha1.Autoscaling{
		Mode: v1alpha1.AutoscalingKEDA, MinReplicas: 2, MaxReplicas: 9,
		Triggers: []v1alpha1.ScalingTrigger{{Type: "cron", Metadata: map[string]v1alpha1.AnnotationValue{"timezone": "UTC"}}},
	}
}

func TestHandOverToAndFromKEDA(t *testing.T) {
	t.Parallel()
	cases := map[string]handOver{
		"fixed to KEDA keeps the number":            {searchFixed(4), setKEDA, []int32{4}},
		"a native autoscaler to KEDA keeps it":      {searchScaled, setKEDA, []int32{2}},
		"KEDA to a native autoscaler keeps it":      {searchByKEDA, setAutoscaling, []int32{2}},
		"KEDA to fixed sets the number":             {searchByKEDA, setReplicas(3), []int32{2, 3}},
		"zero to KEDA, which starts with the least": {searchFixed(0), setKEDA, []int32{0, 2}},
	}
	for name, tc := range cases {
		t.Run(name, tc.check)
	}
}

// answerKEDA writes what KEDA says about a ScaledObject.
func (w *world) answerKEDA(name string, status metav1.ConditionStatus, reason, message string) {
	w.Helper()
	w.eventually(func() error {
		scaled := get(w, name, optionalObject(desired.ScaledObjectKind))
		all := []any{
			map[string]any{"type": "Ready", "status": string(status), "reason": reason, "message": message},
			map[string]any{"type": "Active", "status": "False", "reason": "ScalerNotActive", "message": "no trigger is active"},
		}
		if err := unstructured.SetNestedSlice(scaled.Object, all, "status", "conditions"); err != nil {
			return err
		}
		return w.client.Status().Update(w.Context(), scaled)
	})
}

func TestKEDAComesAndGoes(t *testing.T) {
	w := newWorld(t)
	w.uninstall("ScaledObject")
	o := w.startLooking()
	w.playControllers()
	m := w.microservice("search", searchFixed(4))
	w.ready(m)
	o.settle()
	had := w.everHad("search-blue")
	change(w, m, setKEDA)
	w.tells(m, v1alpha1.ConditionScalingActive, metav1.ConditionFalse, v1alpha1.ReasonAPIMissing, "install KEDA; the number of pods stays as it is")
	o.settle()
	o.idle()

	t.Log("It comes, and is shown in its own words.")
	w.install(w.crd("ScaledObject"))
	checkMade(t, appears(w, "search-blue", optionalObject(desired.ScaledObjectKind)), m, "search")
	w.tells(m, v1alpha1.ConditionScalingActive, metav1.ConditionUnknown, v1alpha1.ReasonScalingUnknown, "KEDA has not reported yet")
	w.answerKEDA("search-blue", metav1.ConditionFalse, "ScaledObjectCheckFailed", "no such trigger")
	w.tells(m, v1alpha1.ConditionScalingActive, metav1.ConditionFalse, "ScaledObjectCheckFailed", "no such trigger")
	w.answerKEDA("search-blue", metav1.ConditionTrue, "ScaledObjectReady", "it scales")
	w.tells(m, v1alpha1.ConditionScalingActive, metav1.ConditionTrue, "ScaledObjectReady", "it scales")
	o.settle()
	o.idle()

	t.Log("It goes, and nothing else changes.")
	w.withdraw(w.crd("ScaledObject"))
	w.tells(m, v1alpha1.ConditionScalingActive, metav1.ConditionFalse, v1alpha1.ReasonAPIMissing, "install KEDA")
	o.settle()
	o.idle()
	if got := had(); fmt.Sprint(got) != "[4]" {
		t.Errorf("it had %v replicas", got)
	}
	w.goes(&autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "search-blue"}})
}
