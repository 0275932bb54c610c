package operator

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

const everyDefault = `env: [{name: TIER, value: gold}], envFrom: [{configMapRef: {name: site}}], resources: {requests: {ephemeral-storage: 1Gi}},
	rollout: {maxSurge: 3}, terminationGracePeriodSeconds: 33, nodeSelector: {disk: ssd}, tolerations: [{key: spot, operator: Exists}],
	topologySpread: [{topologyKey: rack, maxSkew: 1, whenUnsatisfiable: ScheduleAnyway}], priorityClassName: low,
	disruption: {maxUnavailable: 2}, podLabels: {team: tv}, podAnnotations: {cost: "7"}`

// What defaults say arrives in the pods of every service, unless that service
// says otherwise; a bundled one knows its grace period.
func TestDefaultsReachThePods(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	p := w.platform(`{defaults: {` + everyDefault + `}, services: [
		{name: search, image: "registry.test/search:1"},
		{name: finder, image: "registry.test/finder:1", priorityClassName: high, podLabels: {team: radio}}]}`)
	w.ready(p)
	for name, want := range map[string]struct {
		priority, team string
		grace          int64
	}{
		"acme-search":    {"low", "tv", 33},
		"acme-finder":    {"high", "radio", 33},
		"acme-streaming": {"low", "tv", 75},
	} {
		d := get(w, name+"-blue", &appsv1.Deployment{})
		pod := d.Spec.Template
		if pod.Spec.PriorityClassName != want.priority || pod.Labels["team"] != want.team ||
			*pod.Spec.TerminationGracePeriodSeconds != want.grace {
			t.Errorf("%s: priority %s, team %s, grace period %d", name,
				pod.Spec.PriorityClassName, pod.Labels["team"], *pod.Spec.TerminationGracePeriodSeconds)
		}
		checkDefaults(t, d)
		if n := get(w, name+"-blue", &policyv1.PodDisruptionBudget{}).Spec.MaxUnavailable.IntValue(); n != 2 {
			t.Errorf("%s: a drain may take %d", name, n)
		}
	}
	o.settle()
	o.idle()

	t.Log("Without them the pods are those of before.")
	change(w, p, func(p *v1alpha1.StreamingPlatform) { p.Spec.Defaults = nil })
	w.ready(p)
	pod := get(w, "acme-search-blue", &appsv1.Deployment{}).Spec.Template
	if pod.Spec.PriorityClassName != "" || pod.Labels["team"] != "" || pod.Spec.Tolerations != nil {
		t.Errorf("defaults are left in %v", pod)
	}
}

func checkDefaults(t *testing.T, d *appsv1.Deployment) {
	t.Helper()
	pod := d.Spec.Template.Spec
	app := pod.Containers[0]
	got := map[string]any{
		"env":         variable(app.Env, "TIER").Value,
		"envFrom":     app.EnvFrom[0].ConfigMapRef.Name,
		"storage":     app.Resources.Requests.StorageEphemeral().String(),
		"surge":       d.Spec.Strategy.RollingUpdate.MaxSurge.IntValue(),
		"disk":        pod.NodeSelector["disk"],
		"tolerations": pod.Tolerations,
		"spread":      pod.TopologySpreadConstraints[0].TopologyKey,
		"cost":        d.Spec.Template.Annotations["cost"],
	}
	want := map[string]any{
		"env": "gold", "envFrom": "site", "storage": "1Gi", "surge": 3, "disk": "ssd",
		"tolerations": []corev1.Toleration{{Key: "spot", Operator: corev1.TolerationOpExists}}, "spread": "rack", "cost": "7",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", d.Name, diff)
	}
}
