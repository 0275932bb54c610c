package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

const rich = `{services: [{name: search, image: "registry.test/search:1", replicas: 2, ports: [{name: http, port: 7000, servicePort: 80}],
	env: [{name: A, value: a}, {name: B, valueFrom: {secretKeyRef: {name: s, key: k}}}], calls: [{to: gateway, timeout: 2s}],
	podLabels: {team: search}, podAnnotations: {team: search}, terminationGracePeriodSeconds: 9, resources: {requests: {cpu: 100m, memory: 64Mi}},
	probes: {readiness: {httpGet: {path: /ready, port: http}}}, nodeSelector: {disk: fast}}]}`

// pod makes one that the Deployment selects: nothing else does here.
func pod(t *testing.T, d *appsv1.Deployment, name string) string {
	t.Helper()
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: d.Namespace, Labels: d.Spec.Template.Labels}}
	p.Spec.Containers = []corev1.Container{{Name: "app", Image: "registry.test/x:1"}}
	if err := plane.client.Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	return string(p.UID)
}

// ejected is a service that runs without the operator, with the Microservice
// that it had.
func ejected(t *testing.T, service, spec string) (namespace string, had *v1alpha1.Microservice) {
	t.Helper()
	namespace = newNamespace(t)
	running(t, namespace, spec, "acme-search-blue")
	playGarbageCollector(t, namespace)
	had = read(t, namespace, "acme-"+service, &v1alpha1.Microservice{})
	if _, err := on(t, namespace, "eject", "--service", service, "--release"); err != nil {
		t.Fatal(err)
	}
	return namespace, had
}

// adopted runs adopt and holds it to change nothing that runs.
func adopted(t *testing.T, namespace, name string, args ...string) {
	t.Helper()
	d := read(t, namespace, name+"-blue", &appsv1.Deployment{})
	uid, before := pod(t, d, "one"), uids(t, namespace, name)
	out, err := on(t, namespace, append([]string{"adopt", d.Name, "--platform", "acme"}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(out, uid) != 2 {
		t.Errorf("the pod's UID %s is not there before and after:\n%s", uid, out)
	}
	if diff := cmp.Diff(before, uids(t, namespace, name)); diff != "" {
		t.Errorf("what runs changed (-before +after):\n%s", diff)
	}
	owned, m := read(t, namespace, d.Name, &appsv1.Deployment{}), read(t, namespace, name, &v1alpha1.Microservice{})
	if diff := cmp.Diff(d.Spec, owned.Spec); diff != "" || !metav1.IsControlledBy(owned, m) || m.Spec.Paused {
		t.Errorf("owned by %v, paused %t, Deployment (-before +after):\n%s", owned.OwnerReferences, m.Spec.Paused, diff)
	}
	eventually(t, func() error {
		for _, s := range read(t, namespace, "acme", &v1alpha1.StreamingPlatform{}).Status.Services {
			if s.ManagedBy == v1alpha1.ManagedByTeam && s.Microservice == name && s.Reason != v1alpha1.ReasonMicroserviceMissing {
				return nil
			}
		}
		return errors.New("the platform does not show it")
	})
}

// uids are identities without generations: the generation of a Deployment
// rises with its annotations.
func uids(t *testing.T, namespace, prefix string) map[string]string {
	t.Helper()
	all := identities(t, namespace, prefix)
	for name, identity := range all {
		all[name], _, _ = strings.Cut(identity, " ")
	}
	return all
}

// What eject leaves, adopt takes again, and the platform after it: nothing that
// runs changes.
func TestAdoptWhatWasEjected(t *testing.T) {
	namespace, had := ejected(t, "search", rich)
	out, err := on(t, namespace, "adopt", "acme-search-blue", "--platform", "acme", "--dry-run")
	if err != nil {
		t.Fatal(err)
	}
	computed := &v1alpha1.Microservice{}
	if err := yaml.Unmarshal([]byte(out[strings.Index(out, "apiVersion"):]), computed); err != nil {
		t.Fatalf("%v in\n%s", err, out)
	}
	if diff := cmp.Diff(had.Spec.Env, computed.Spec.Env); diff != "" || len(computed.Spec.Calls) != 1 || computed.Spec.Calls[0].Timeout != "2s" {
		t.Errorf("calls %v, env (-had +computed):\n%s", computed.Spec.Calls, diff)
	}
	err = plane.client.Get(t.Context(), client.ObjectKeyFromObject(had), &v1alpha1.Microservice{})
	if !apierrors.IsNotFound(err) {
		t.Fatalf("a dry-run made a Microservice: %v", err)
	}
	adopted(t, namespace, had.Name)
}

// A computed Microservice would close a door that is open.
func TestAdoptAGivenMicroservice(t *testing.T) {
	namespace, had := ejected(t, "gateway", `{services: [{name: search, image: "registry.test/search:1", replicas: 2}]}`)
	_, err := on(t, namespace, "adopt", "acme-gateway-blue", "--platform", "acme")
	if err == nil || !strings.Contains(err.Error(), "update NetworkPolicy acme-gateway") {
		t.Errorf("not refused: %v", err)
	}
	data, err := yaml.Marshal(map[string]any{
		"apiVersion": v1alpha1.GroupVersion.String(), "kind": "Microservice", "metadata": map[string]any{"name": had.Name}, "spec": had.Spec,
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "gateway.yaml")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	adopted(t, namespace, had.Name, "--filename", file)
}

// settled is a Deployment that others wrote, whose pods are there and of one version.
func settled(t *testing.T, namespace, name, labels, security string) {
	t.Helper()
	d, set := &appsv1.Deployment{}, &appsv1.ReplicaSet{}
	spec := "selector: {matchLabels: {" + labels + "}}, template: {metadata: {labels: {" + labels +
		"}}, spec: {containers: [{name: web, image: 'registry.test/shop:1', securityContext: " + security + "}]}}"
	create(t, namespace, "{metadata: {name: "+name+"}, spec: {"+spec+"}}", d)
	create(t, namespace, fmt.Sprintf(`{metadata: {name: %s-1, ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: %[1]s, uid: %s, controller: true}]}, spec: {replicas: 1, %s}}`,
		name, d.UID, spec), set)
	d.Status = appsv1.DeploymentStatus{ObservedGeneration: d.Generation, Replicas: 1, UpdatedReplicas: 1, ReadyReplicas: 1, AvailableReplicas: 1}
	if err := plane.client.Status().Update(t.Context(), d); err != nil {
		t.Fatal(err)
	}
}

func TestAdoptRefuses(t *testing.T) {
	namespace := newNamespace(t)
	running(t, namespace, `{services: [{name: search, image: "registry.test/search:1", replicas: 2}]}`, "acme-search-blue")
	const ours = "app.kubernetes.io/name: shop, app.kubernetes.io/instance: shop, streamplane.dev/slot: blue"
	deployment := func(name, labels string) string {
		return "{metadata: {name: " + name + "}, spec: {selector: {matchLabels: {" + labels + "}}, template: {metadata: {labels: {" + labels +
			"}}, spec: {containers: [{name: app, image: 'registry.test/shop:1'}]}}}}"
	}
	for name, labels := range map[string]string{"other": "app: shop", "wrong-name": ours, "shop-blue": ours} {
		create(t, namespace, deployment(name, labels), &appsv1.Deployment{})
	}
	const labelled, restricted = "app.kubernetes.io/name: shop, app.kubernetes.io/instance: release", `{runAsNonRoot: true, allowPrivilegeEscalation: false,
		capabilities: {drop: [ALL]}, seccompProfile: {type: RuntimeDefault}}`
	settled(t, namespace, "rooted", labelled, "{}")
	settled(t, namespace, "helmed", labelled, restricted)
	create(t, namespace, "{metadata: {name: helmed}, spec: {selector: {app.kubernetes.io/instance: release}, ports: [{port: 80}]}}", &corev1.Service{})
	before := versions(t, namespace)
	cases := map[string]struct{ deployment, want string }{
		"not restricted":       {"rooted", "its pods break the restricted Pod Security Standard"},
		"nobody may reach it":  {"helmed", "create NetworkPolicy release"},
		"a Service loses them": {"helmed --name acme-shop", "service helmed selects pods by app.kubernetes.io/instance=release"},
		"the name is taken":    {"helmed --name acme-search --service shop", "acme-search"},
		"of the operator":      {"acme-search-blue", "deployment acme-search-blue belongs to Microservice acme-search"},
		"another selector":     {"other", "deployment other is on its way, or has no pods"},
		"another name":         {"wrong-name", "deployment wrong-name is on its way, or has no pods"},
		"pods would change":    {"shop-blue", "spec.template.spec.securityContext"},
		"there is none":        {"none", "not found"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := on(t, namespace, append([]string{"adopt", "--platform", "acme"}, strings.Fields(tc.deployment)...)...)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v, want %q", err, tc.want)
			}
		})
	}
	if diff := cmp.Diff(before, versions(t, namespace)); diff != "" {
		t.Errorf("something was written (-before +after):\n%s", diff)
	}
}
