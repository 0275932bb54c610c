package operator

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
)

// These tests take away CRDs that all tests of the package share, so that they
// must not run beside others.

const searchScraped = `{platformRef: {name: acme}, image: "registry.test/search:1", metrics: {labels: {release: prometheus}},
	ports: [{name: http, port: 8080}, {name: metrics, port: 9090}]}`

// startLooking runs an operator that looks for optional APIs all the time.
func (w *world) startLooking() *running {
	w.Helper()
	return w.startAs(plane.operator, Options{
		Catalog: catalog("1.0.0"), WatchNamespaces: []string{w.namespace}, Metrics: Metrics{Address: "0"},
		DiscoveryInterval: 100 * time.Millisecond,
	})
}

// crd reads the CRD of an optional kind from its file.
func (w *world) crd(kind string) *apiextensionsv1.CustomResourceDefinition {
	w.Helper()
	found := envtest.CRDInstallOptions{Paths: []string{plane.crds[kind]}}
	if err := envtest.ReadCRDFiles(&found); err != nil || len(found.CRDs) != 1 {
		w.Fatalf("%d CRDs, %v", len(found.CRDs), err)
	}
	return found.CRDs[0]
}

// install serves CRDs.
func (w *world) install(all ...*apiextensionsv1.CustomResourceDefinition) {
	w.Helper()
	if _, err := envtest.InstallCRDs(plane.admin, envtest.CRDInstallOptions{CRDs: all}); err != nil {
		w.Fatal(err)
	}
}

// uninstall removes the CRD of an optional kind until the test ends.
func (w *world) uninstall(kind string) {
	w.Helper()
	w.withdraw(w.crd(kind))
	w.Cleanup(func() {
		if _, err := envtest.InstallCRDs(plane.admin, envtest.CRDInstallOptions{Paths: []string{plane.crds[kind]}}); err != nil {
			w.Error(err)
		}
	})
}

// withdraw deletes a CRD, with all objects of its kind.
func (w *world) withdraw(crd *apiextensionsv1.CustomResourceDefinition) {
	w.Helper()
	if err := envtest.UninstallCRDs(plane.admin, envtest.CRDInstallOptions{CRDs: []*apiextensionsv1.CustomResourceDefinition{crd}}); err != nil {
		w.Fatal(err)
	}
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(schema.GroupVersionKind{
		Group: crd.Spec.Group, Version: crd.Spec.Versions[0].Name, Kind: crd.Spec.Names.ListKind,
	})
	w.eventually(func() error {
		err := w.client.List(w.Context(), list)
		if apierrors.IsNotFound(err) || apimeta.IsNoMatchError(err) {
			return nil
		}
		return fmt.Errorf("%s is still served: %w", crd.Name, err)
	})
}

// optionalObject is an empty object of an optional kind.
func optionalObject(kind schema.GroupVersionKind) *unstructured.Unstructured {
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(kind)
	return object
}

// tells waits until a condition of a Microservice has a status, a reason and a
// part of the message; without a status, until it is gone.
func (w *world) tells(m *v1alpha1.Microservice, kind string, status metav1.ConditionStatus, reason, message string) {
	w.Helper()
	w.eventually(func() error {
		if err := w.client.Get(w.Context(), client.ObjectKeyFromObject(m), m); err != nil {
			return err
		}
		c := apimeta.FindStatusCondition(m.Status.Conditions, kind)
		if c == nil && status == "" {
			return nil
		}
		if c == nil || c.Status != status || c.Reason != reason || !strings.Contains(c.Message, message) {
			return fmt.Errorf("want %s=%s, reason %s, message with %q, got %v", kind, status, reason, message, c)
		}
		return nil
	})
}

// readySince is when a Microservice got ready: a moment that stays the same as
// long as it does.
func (w *world) readySince(m *v1alpha1.Microservice) metav1.Time {
	w.Helper()
	get(w, m.Name, m)
	c := apimeta.FindStatusCondition(m.Status.Conditions, v1alpha1.ConditionReady)
	if c == nil || c.Status != metav1.ConditionTrue {
		w.Fatalf("not ready: %v", c)
	}
	return c.LastTransitionTime
}

func TestOptionalAPIComesAndGoes(t *testing.T) {
	w := newWorld(t)
	w.uninstall("ServiceMonitor")
	o := w.startLooking()
	w.playControllers()
	m := w.microservice("search", searchScraped)
	w.ready(m)
	w.tells(m, v1alpha1.ConditionMonitoringReady, metav1.ConditionFalse, v1alpha1.ReasonAPIMissing, "install the Prometheus operator")
	since := w.readySince(m)
	o.settle()
	o.idle()

	for round := range 2 {
		t.Logf("The API comes, round %d.", round)
		w.install(w.crd("ServiceMonitor"))
		monitor := appears(w, "search", optionalObject(desired.ServiceMonitorKind))
		checkMade(t, monitor, m, "search")
		if monitor.GetLabels()["release"] != "prometheus" {
			t.Errorf("labels %v", monitor.GetLabels())
		}
		w.tells(m, v1alpha1.ConditionMonitoringReady, "", "", "")
		o.settle()
		o.idle()

		t.Log("It goes, and the operator goes on.")
		w.withdraw(w.crd("ServiceMonitor"))
		w.tells(m, v1alpha1.ConditionMonitoringReady, metav1.ConditionFalse, v1alpha1.ReasonAPIMissing, "install the Prometheus operator")
		if again := w.readySince(m); !again.Equal(&since) {
			t.Errorf("Ready turned at %s", again)
		}
		change(w, m, func(m *v1alpha1.Microservice) { m.Spec.Image = fmt.Sprintf("registry.test/search:2.%d", round) })
		w.ready(m)
		since = w.readySince(m)
		o.settle()
		o.idle()
	}
}

// What holds for other objects holds for those of optional kinds.
func TestOptionalObjectsAreLookedAfter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.startLooking()
	w.playControllers()
	foreign := optionalObject(desired.ServiceMonitorKind)
	w.createYAML(`{apiVersion: monitoring.coreos.com/v1, kind: ServiceMonitor, metadata: {name: search}, spec: {selector: {}, endpoints: []}}`, foreign)
	m := w.microservice("search", searchScraped)
	w.ready(m)
	w.tells(m, v1alpha1.ConditionMonitoringReady, metav1.ConditionFalse, v1alpha1.ReasonNameConflict, "ServiceMonitor search exists")
	if got := get(w, "search", optionalObject(desired.ServiceMonitorKind)); got.GetResourceVersion() != foreign.GetResourceVersion() {
		t.Errorf("a foreign object was touched: %v", got)
	}
	w.remove(foreign)
	w.tells(m, v1alpha1.ConditionMonitoringReady, "", "", "")
	o.settle()

	t.Log("Drift is mended, and what is deleted comes back.")
	monitor := appears(w, "search", optionalObject(desired.ServiceMonitorKind))
	change(w, monitor, func(u *unstructured.Unstructured) {
		if err := unstructured.SetNestedField(u.Object, "elsewhere", "spec", "jobLabel"); err != nil {
			t.Fatal(err)
		}
	})
	w.eventually(func() error {
		label, _, err := unstructured.NestedString(get(w, "search", monitor).Object, "spec", "jobLabel")
		if err == nil && label != desired.LabelName {
			err = errors.New("label " + label)
		}
		return err
	})
	first := monitor.GetUID()
	w.remove(monitor)
	w.eventually(func() error {
		monitor := optionalObject(desired.ServiceMonitorKind)
		err := w.client.Get(t.Context(), client.ObjectKeyFromObject(m), monitor)
		if err == nil && monitor.GetUID() == first {
			err = errors.New("not yet deleted")
		}
		return err
	})
	o.settle()
	o.idle()

	t.Log("A port that is not there is named; what is no longer asked for goes.")
	change(w, m, func(m *v1alpha1.Microservice) { m.Spec.Metrics.Port = "stats" })
	w.tells(m, v1alpha1.ConditionMonitoringReady, metav1.ConditionFalse, v1alpha1.ReasonPortMissing, "no port named stats")
	w.goes(monitor)
	change(w, m, func(m *v1alpha1.Microservice) { m.Spec.Metrics = nil })
	w.tells(m, v1alpha1.ConditionMonitoringReady, "", "", "")
	w.ready(m)
	o.settle()
	o.idle()
}

// A CRD that serves the kind only in a version that is not worked with counts
// as missing.
func TestOptionalAPIInAnotherVersion(t *testing.T) {
	w := newWorld(t)
	w.uninstall("ServiceMonitor")
	old := w.crd("ServiceMonitor")
	old.Spec.Versions[0].Name = "v1beta1"
	w.install(old)
	o := w.startLooking()
	w.playControllers()
	m := w.microservice("search", searchScraped)
	w.ready(m)
	w.tells(m, v1alpha1.ConditionMonitoringReady, metav1.ConditionFalse, v1alpha1.ReasonAPIMissing, "ServiceMonitor of monitoring.coreos.com/v1:")
	o.settle()
	o.idle()
	w.withdraw(old)
}
