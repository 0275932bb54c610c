package operator

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

const foreignDeployment = `{metadata: {name: search-blue%s}, spec: {replicas: 5, selector: {matchLabels: {a: b}},
	template: {metadata: {labels: {a: b}}, spec: {containers: [{name: x, image: "registry.test/x:1"}]}}}}`

// ours is what the operator labels its own with; the cache selects by it.
const ours = ", labels: {app.kubernetes.io/managed-by: streamplane}"

func TestForeignObjectsAreNeverTouched(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		foreign client.Object
		yaml    string
		message string
	}{
		"Service": {&corev1.Service{}, `{metadata: {name: search}, spec: {ports: [{port: 1}]}}`, "Service search exists"},
		"headless Service with our label": {
			&corev1.Service{}, `{metadata: {name: search-headless` + ours + `}, spec: {ports: [{port: 1}]}}`, "Service search-headless exists",
		},
		"Deployment":                {&appsv1.Deployment{}, fmt.Sprintf(foreignDeployment, ""), "Deployment search-blue exists"},
		"Deployment with our label": {&appsv1.Deployment{}, fmt.Sprintf(foreignDeployment, ours), "Deployment search-blue exists"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			o := w.start(catalog("1.0.0"))
			w.playControllers()
			w.createYAML(tc.yaml, tc.foreign)
			m := w.microservice("search", `{platformRef: {name: acme}, image: "registry.test/search:1"}`)
			w.becomes(m, v1alpha1.ConditionStalled, v1alpha1.ReasonNameConflict, tc.message)
			for range 10 {
				if err := o.reconcile(); err != nil {
					t.Fatal(err)
				}
			}
			w.untouched(tc.foreign)

			t.Log("Once it is gone the Microservice gets whole.")
			w.remove(tc.foreign)
			w.ready(m)
		})
	}
}

// untouched compares an object with what it was, except for its status.
func (w *world) untouched(before client.Object) {
	w.Helper()
	after := before.DeepCopyObject().(client.Object)
	get(w, before.GetName(), after)
	switch after := after.(type) { // their status is written by others, and by us
	case *appsv1.Deployment:
		was := before.(*appsv1.Deployment)
		after.Status, after.ResourceVersion, after.ManagedFields = was.Status, was.ResourceVersion, was.ManagedFields
	case *v1alpha1.Microservice:
		was := before.(*v1alpha1.Microservice)
		after.Status, after.ResourceVersion, after.ManagedFields = was.Status, was.ResourceVersion, was.ManagedFields
	}
	if diff := cmp.Diff(before, after); diff != "" {
		w.Errorf("%T %s was touched (-before +after):\n%s", before, before.GetName(), diff)
	}
}

func TestForeignMicroserviceIsNeverTouched(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(catalog("1.0.0"))
	w.playControllers()
	team := w.microservice("acme-gateway", `{platformRef: {name: acme}, image: "registry.test/other:1", replicas: 3}`)
	w.ready(team)
	p := w.platform("{}")
	w.becomes(p, v1alpha1.ConditionStalled, v1alpha1.ReasonNameConflict, "Microservice acme-gateway exists")
	w.untouched(team)

	t.Log("The other services run all the same.")
	m := appears(w, "acme-streaming", &v1alpha1.Microservice{})
	w.ready(m)

	t.Log("Once it is gone the platform makes its own.")
	w.remove(team)
	w.eventually(func() error {
		m := &v1alpha1.Microservice{}
		err := w.client.Get(w.Context(), client.ObjectKeyFromObject(team), m)
		if err == nil && m.UID == team.UID {
			return fmt.Errorf("%s is still there", m.Name)
		}
		return err
	})
}

// A Microservice that is deleted and made again finds what the old one left
// until it is garbage collected. That is not its own.
func TestLeftoversOfANamesakeAreNotTouched(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	old := w.microservice("search", `{platformRef: {name: acme}, image: "registry.test/search:1", replicas: 4}`)
	w.ready(old)
	o.settle()
	w.remove(old)
	w.goes(old)
	before := w.children()
	m := w.microservice("search", `{platformRef: {name: acme}, image: "registry.test/search:2",
		autoscaling: {minReplicas: 2, maxReplicas: 6}, resources: {requests: {cpu: 100m}}}`)
	w.becomes(m, v1alpha1.ConditionReconciling, v1alpha1.ReasonApplyFailed, "belongs to a deleted Microservice of the same name")
	for range 10 {
		if err := o.reconcile(); err == nil {
			t.Fatal("it took what is not its own")
		}
	}
	// Of the new one only the autoscaler has a name that is free.
	if diff := cmp.Diff(serving(before), without(serving(w.children()), "HorizontalPodAutoscaler/search-blue")); diff != "" {
		t.Errorf("touched (-before +after):\n%s", diff)
	}
	if m.Status.Pods != "0/0" {
		t.Errorf("pods %s are not of this Microservice", m.Status.Pods)
	}
}
