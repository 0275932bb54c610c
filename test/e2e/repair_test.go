//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// repairs deletes one of each kind by hand; each comes back with a new UID.
func (tv theater) repairs(t *testing.T) {
	cases := []struct {
		what   string
		object client.Object
		name   string
	}{
		{"service", &corev1.Service{}, "acme-streaming"},
		{"headless service", &corev1.Service{}, "acme-streaming-headless"},
		{"service account", &corev1.ServiceAccount{}, "acme-streaming"},
		{"network policy", &networkingv1.NetworkPolicy{}, "acme-streaming"},
		{"autoscaler", &autoscalingv2.HorizontalPodAutoscaler{}, "acme-streaming-blue"},
		{"disruption budget", &policyv1.PodDisruptionBudget{}, "acme-streaming-blue"},
		{"deployment", &appsv1.Deployment{}, "acme-streaming-blue"},
		// Last, because everything that it owned goes with it.
		{"microservice", &v1alpha1.Microservice{}, "acme-streaming"},
	}
	for _, tc := range cases {
		before := get(t, tv.namespace, tc.name, tc.object.DeepCopyObject().(client.Object)).GetUID()
		if err := kube.Delete(t.Context(), get(t, tv.namespace, tc.name, tc.object)); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the "+tc.what+" comes back", func() string {
			again := tc.object.DeepCopyObject().(client.Object)
			if !exists(t, tv.namespace, tc.name, again) || again.GetUID() == before {
				return "it is missing"
			}
			return ""
		})
	}
	waitMicroserviceReady(t, tv.namespace, "acme-streaming") // the platform may still speak of the one before
	waitSettled(t, tv.namespace, tv.name)
	eventually(t, "the gateway finds the new pods", func() string {
		response, err := http.Get(tv.url + "/v/clock/master.m3u8") //nolint:noctx // the deadline is that of eventually
		if err != nil {
			return err.Error()
		}
		defer func() { _ = response.Body.Close() }()
		if response.StatusCode != http.StatusOK {
			return response.Status
		}
		return ""
	})
	checkPlayback(t, tv.url)
}

// TestNamesOfOthers proves that an object of a wanted name that somebody else
// made is never touched, and that the rest of the platform runs.
func TestNamesOfOthers(t *testing.T) {
	ns := namespace(t, "shared")
	foreign := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "acme-gateway", Namespace: ns, Labels: map[string]string{"owner": "somebody"}},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 5432}}},
	}
	if err := kube.Create(t.Context(), foreign); err != nil {
		t.Fatal(err)
	}
	sample(t, ns, "minimal.yaml")
	eventually(t, "the conflict is reported", func() string {
		m := &v1alpha1.Microservice{}
		if !exists(t, ns, "acme-gateway", m) {
			return "no Microservice yet"
		}
		stalled := condition(m.Status.Conditions, v1alpha1.ConditionStalled)
		if !strings.Contains(stalled, v1alpha1.ReasonNameConflict) || !strings.Contains(stalled, "Service acme-gateway") {
			return stalled
		}
		return ""
	})
	eventually(t, "the other service runs", func() string {
		m := get(t, ns, "acme-streaming", &v1alpha1.Microservice{})
		if !apimeta.IsStatusConditionTrue(m.Status.Conditions, v1alpha1.ConditionReady) {
			return condition(m.Status.Conditions, v1alpha1.ConditionReady)
		}
		return ""
	})
	if now := get(t, ns, foreign.Name, &corev1.Service{}); now.ResourceVersion != foreign.ResourceVersion {
		t.Errorf("the foreign Service was touched: %v", now.ManagedFields)
	}
	if err := kube.Delete(t.Context(), foreign); err != nil {
		t.Fatal(err)
	}
	waitReady(t, ns, "acme")
}

// TestServicesComeAndGo adds a service of the user's own, removes it, and
// disables a bundled one: exactly their objects go.
func TestServicesComeAndGo(t *testing.T) {
	ns := namespace(t, "guests")
	platform := func(services string) string {
		return "apiVersion: streamplane.dev/v1alpha1\nkind: StreamingPlatform\nmetadata: {name: acme}\nspec: {services: [" + services + "]}\n"
	}
	search := fmt.Sprintf("{name: search, image: %q, replicas: 1, calls: [{to: streaming}]}", releaseImage(t, "gateway"))
	if out, err := kubectlApply(t, ns, platform(search)); err != nil {
		t.Fatal(out)
	}
	waitSettled(t, ns, "acme")
	others := tv(ns).uids(t, "acme-gateway", "acme-streaming")
	if len(pods(t, ns, "acme-search")) != 1 {
		t.Error("the custom service has no pod")
	}
	if out, err := kubectlApply(t, ns, platform("{name: streaming, enabled: false}")); err != nil {
		t.Fatal(out)
	}
	for _, gone := range []string{"acme-search", "acme-streaming"} {
		eventually(t, gone+" goes", func() string { return strings.Join(tv(ns).objectsOf(t, gone), ", ") })
	}
	waitSettled(t, ns, "acme")
	for uid := range tv(ns).uids(t, "acme-gateway") {
		if !others[uid] {
			t.Errorf("a pod of gateway was replaced")
		}
	}
	if page := read(t, publish(t, ns, "acme-gateway")); !strings.Contains(page, "<video") {
		t.Error("the page is gone with the video service")
	}
}

func tv(namespace string) theater { return theater{namespace: namespace, name: "acme"} }

func (tv theater) uids(t *testing.T, microservices ...string) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for _, m := range microservices {
		maps.Copy(all, podUIDs(t, tv.namespace, m))
	}
	return all
}

// releaseImage is the image of a component in the release that is installed.
func releaseImage(t *testing.T, component string) string {
	t.Helper()
	releases := kubectl(t, "get", "configmap", "--namespace=streamplane-system", "--output=jsonpath={.items[*].data.releases\\.yaml}")
	for line := range strings.Lines(releases) {
		if name, image, found := strings.Cut(strings.TrimSpace(line), ": "); found && name == component {
			return strings.Trim(image, `"`)
		}
	}
	t.Fatalf("no image of %s in:\n%s", component, releases)
	return ""
}

// objectsOf lists everything that carries the labels of a Microservice.
func (tv theater) objectsOf(t *testing.T, microservice string) []string {
	t.Helper()
	var names []string
	for _, list := range []client.ObjectList{
		&appsv1.DeploymentList{}, &corev1.ServiceList{}, &corev1.ServiceAccountList{}, &corev1.ConfigMapList{}, &corev1.PodList{},
		&autoscalingv2.HorizontalPodAutoscalerList{}, &policyv1.PodDisruptionBudgetList{}, &networkingv1.NetworkPolicyList{},
	} {
		err := kube.List(t.Context(), list, client.InNamespace(tv.namespace),
			client.MatchingLabels{"app.kubernetes.io/instance": microservice})
		if err != nil {
			t.Fatal(err)
		}
		err = apimeta.EachListItem(list, func(o runtime.Object) error {
			names = append(names, fmt.Sprintf("%T %s", o, o.(client.Object).GetName()))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return names
}

// goesWithoutTrace deletes the platform: everything that was made for it goes,
// although nothing has a finalizer.
func (tv theater) goesWithoutTrace(t *testing.T) {
	kubectl(t, "delete", "--namespace", tv.namespace, "streamingplatform/"+tv.name, "--wait=true", "--timeout=60s")
	for _, m := range []string{"acme-gateway", "acme-streaming"} {
		eventually(t, "everything of "+m+" goes", func() string {
			left := tv.objectsOf(t, m)
			if exists(t, tv.namespace, m, &v1alpha1.Microservice{}) {
				left = append(left, "Microservice "+m)
			}
			return strings.Join(left, ", ")
		})
	}
}
