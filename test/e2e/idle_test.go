//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

const operatorNamespace = "streamplane-system"

// applied is what the operator has last written into each child: the fields it
// owns and when. Writes of other controllers, such as status, do not count.
func (tv theater) applied(t *testing.T) map[string]string {
	t.Helper()
	written := map[string]string{}
	for _, list := range []client.ObjectList{
		&v1alpha1.MicroserviceList{}, &appsv1.DeploymentList{}, &corev1.ServiceList{}, &corev1.ServiceAccountList{}, &corev1.ConfigMapList{},
		&autoscalingv2.HorizontalPodAutoscalerList{}, &policyv1.PodDisruptionBudgetList{}, &networkingv1.NetworkPolicyList{},
	} {
		err := kube.List(t.Context(), list, client.InNamespace(tv.namespace),
			client.MatchingLabels{"app.kubernetes.io/part-of": tv.name})
		if err != nil {
			t.Fatal(err)
		}
		err = apimeta.EachListItem(list, func(o runtime.Object) error {
			object := o.(client.Object)
			for _, f := range object.GetManagedFields() {
				if f.Manager == "streamplane" && f.Subresource == "" {
					written[fmt.Sprintf("%T %s", o, object.GetName())] = fmt.Sprintf("%s %s", object.GetUID(), f.Time)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return written
}

// versions are the resource versions of the children that nobody but the
// operator writes.
func (tv theater) versions(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, list := range []client.ObjectList{
		&corev1.ServiceList{}, &corev1.ServiceAccountList{}, &corev1.ConfigMapList{}, &networkingv1.NetworkPolicyList{},
	} {
		err := kube.List(t.Context(), list, client.InNamespace(tv.namespace),
			client.MatchingLabels{"app.kubernetes.io/part-of": tv.name})
		if err != nil {
			t.Fatal(err)
		}
		err = apimeta.EachListItem(list, func(o runtime.Object) error {
			object := o.(client.Object)
			all[fmt.Sprintf("%T %s", o, object.GetName())] = object.GetResourceVersion()
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// idles forces 50 reconciles and restarts the operator: nothing is written.
func (tv theater) idles(t *testing.T) {
	waitSettled(t, tv.namespace, tv.name)
	written, versions := tv.applied(t), tv.versions(t)
	if len(written) < 14 || len(versions) < 8 {
		t.Fatalf("only %d children are known: %v", len(written), written)
	}
	for i := range 50 {
		for _, object := range []string{"sp/acme", "ms/acme-gateway", "ms/acme-streaming"} {
			kubectl(t, "annotate", "--namespace", tv.namespace, object, "--overwrite", "example.com/poke="+strconv.Itoa(i))
		}
	}
	restartOperator(t)
	waitSettled(t, tv.namespace, tv.name)
	if now := tv.applied(t); !maps.Equal(now, written) {
		t.Errorf("the operator wrote although nothing changed:\n%v\nbefore:\n%v", now, written)
	}
	if now := tv.versions(t); !maps.Equal(now, versions) {
		t.Errorf("resource versions moved although nothing changed:\n%v\nbefore:\n%v", now, versions)
	}
}

func restartOperator(t *testing.T) {
	t.Helper()
	kubectl(t, "rollout", "restart", "--namespace="+operatorNamespace, "deployment/streamplane-operator")
	kubectl(t, "rollout", "status", "--namespace="+operatorNamespace, "deployment/streamplane-operator", "--timeout=3m")
}

// survivesLostStatus wipes the status of the platform and its services: it
// comes back, with the release, and no child changes.
func (tv theater) survivesLostStatus(t *testing.T) {
	written := tv.applied(t)
	release := get(t, tv.namespace, tv.name, &v1alpha1.StreamingPlatform{}).Status.Release
	for _, object := range []string{"sp/acme", "ms/acme-gateway", "ms/acme-streaming"} {
		kubectl(t, "patch", "--namespace", tv.namespace, object, "--subresource=status", "--type=json",
			`--patch=[{"op":"replace","path":"/status","value":{}}]`)
	}
	waitSettled(t, tv.namespace, tv.name)
	if now := get(t, tv.namespace, tv.name, &v1alpha1.StreamingPlatform{}).Status.Release; now != release {
		t.Errorf("the release is %q, was %q", now, release)
	}
	if now := tv.applied(t); !maps.Equal(now, written) {
		t.Errorf("children changed:\n%v\nbefore:\n%v", now, written)
	}
}

// needsNoOperator takes the operator away: autoscaling, a rolling restart and
// the traffic go on. When it comes back it mends what it owns and keeps the rest.
func (tv theater) needsNoOperator(t *testing.T) {
	kubectl(t, "scale", "--namespace="+operatorNamespace, "deployment/streamplane-operator", "--replicas=0")
	eventually(t, "the operator is gone", func() string {
		list := &corev1.PodList{}
		if err := kube.List(t.Context(), list, client.InNamespace(operatorNamespace)); err != nil {
			t.Fatal(err)
		}
		return strings.Repeat("a pod is left ", len(list.Items))
	})
	old := podUIDs(t, tv.namespace, "acme-gateway")
	viewers := startLoad(t, 8, 40, tv.paths(t)...)
	kubectl(t, "rollout", "restart", "--namespace", tv.namespace, "deployment/acme-gateway-blue")
	kubectl(t, "rollout", "status", "--namespace", tv.namespace, "deployment/acme-gateway-blue", "--timeout=3m")
	kubectl(t, "patch", "hpa/acme-gateway-blue", "--namespace", tv.namespace, "--type=merge", `--patch={"spec":{"minReplicas":3}}`)
	eventually(t, "the autoscaler works", func() string {
		if d := get(t, tv.namespace, "acme-gateway-blue", &appsv1.Deployment{}); d.Status.AvailableReplicas < 3 {
			return fmt.Sprintf("%d pods are available", d.Status.AvailableReplicas)
		}
		return ""
	})
	viewers.mustBeClean(t)
	for uid := range podUIDs(t, tv.namespace, "acme-gateway") {
		if old[uid] {
			t.Errorf("pod %s was not restarted", uid)
		}
	}

	restarted := podUIDs(t, tv.namespace, "acme-gateway")
	kubectl(t, "scale", "--namespace="+operatorNamespace, "deployment/streamplane-operator", "--replicas=1")
	eventually(t, "the operator mends the autoscaler", func() string {
		hpa := get(t, tv.namespace, "acme-gateway-blue", &autoscalingv2.HorizontalPodAutoscaler{})
		if *hpa.Spec.MinReplicas != 2 {
			return fmt.Sprintf("minReplicas is %d", *hpa.Spec.MinReplicas)
		}
		return ""
	})
	waitSettled(t, tv.namespace, tv.name)
	for uid := range podUIDs(t, tv.namespace, "acme-gateway") {
		if !restarted[uid] {
			t.Error("the operator undid the restart")
		}
	}
}
