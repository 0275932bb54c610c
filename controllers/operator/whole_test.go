package operator

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/apply"
	"github.com/streamplane/streamplane/controllers/microservice"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
)

func TestMinimalPlatform(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(catalog("1.0.0"))
	p := w.platform("{}")

	t.Log("It reconciles until the pods are available.")
	w.becomes(p, v1alpha1.ConditionReconciling, v1alpha1.ReasonServicesNotReady, "streaming: ")
	w.playControllers()
	w.becomes(p, v1alpha1.ConditionReady, v1alpha1.ReasonAvailable, "all 2 services are available")
	if p.Status.Release != "1.0.0" || p.Status.ServicesReady != "2/2" {
		t.Errorf("release %s, services ready %s", p.Status.Release, p.Status.ServicesReady)
	}

	t.Log("It has made exactly what is wanted.")
	want := []string{"StreamingPlatform/acme"}
	for _, name := range []string{"acme-gateway", "acme-streaming"} {
		want = append(want, "Microservice/"+name, "ServiceAccount/"+name, "NetworkPolicy/"+name,
			"Service/"+name, "Service/"+name+"-headless", "Deployment/"+name+"-blue",
			"HorizontalPodAutoscaler/"+name+"-blue", "PodDisruptionBudget/"+name+"-blue",
			"ControllerRevision/"+get(w, name, &v1alpha1.Microservice{}).Status.CurrentRevision)
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(w.versions()))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, name := range []string{"acme-gateway", "acme-streaming"} {
		if d := get(w, name+"-blue", &appsv1.Deployment{}); *d.Spec.Replicas != 2 { // no autoscaler runs here
			t.Errorf("%s starts with %d pods", name, *d.Spec.Replicas)
		}
		m := get(w, name, &v1alpha1.Microservice{})
		checkMade(t, m, p, name)
		for _, kind := range microservice.Owned() {
			for _, child := range []string{name, name + "-headless", name + "-blue", m.Status.CurrentRevision} {
				err := w.client.Get(t.Context(), client.ObjectKey{Namespace: w.namespace, Name: child}, kind)
				if err == nil {
					checkMade(t, kind, m, name)
				}
			}
		}
	}
}

// checkMade checks whose an object is.
func checkMade(t *testing.T, object, owner client.Object, instance string) {
	t.Helper()
	if !metav1.IsControlledBy(object, owner) {
		t.Errorf("%T %s: owned by %v", object, object.GetName(), object.GetOwnerReferences())
	}
	if o := metav1.GetControllerOf(object); o != nil && o.BlockOwnerDeletion != nil && *o.BlockOwnerDeletion {
		t.Errorf("%T %s blocks the deletion of its owner", object, object.GetName())
	}
	if len(object.GetFinalizers()) > 0 {
		t.Errorf("%T %s: finalizers %v", object, object.GetName(), object.GetFinalizers())
	}
	labels := object.GetLabels()
	if labels[desired.LabelManagedBy] != "streamplane" || labels[desired.LabelPartOf] != "acme" {
		t.Errorf("%T %s: labels %v", object, object.GetName(), labels)
	}
	if _, ours := object.(*v1alpha1.Microservice); !ours && labels[desired.LabelInstance] != instance {
		t.Errorf("%T %s: labels %v", object, object.GetName(), labels)
	}
	for _, fields := range object.GetManagedFields() {
		// The first number of pods has an owner of its own, so that the autoscaler can take it.
		onlyScale := fields.Manager == "streamplane-scale" && fields.FieldsV1.GetRawString() == `{"f:spec":{"f:replicas":{}}}`
		if fields.Subresource == "" && fields.Manager != apply.FieldManager && !onlyScale {
			t.Errorf("%T %s: fields owned by %s", object, object.GetName(), fields.Manager)
		}
	}
}

// What kubectl get shows comes from the API server as a table.
func TestPrinterColumns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(catalog("1.0.0"))
	w.playControllers()
	w.ready(w.platform("{}"))
	cases := map[string]struct {
		resource string
		columns  []string
		row      []any
	}{
		"platforms": {
			"streamingplatforms",
			[]string{"Name", "Ready", "Services", "Release", "Message", "Age"},
			[]any{"acme", "True", "2/2", "1.0.0", "all 2 services are available"},
		},
		"microservices": {
			"microservices",
			[]string{"Name", "Service", "Ready", "Pods", "Image", "Message", "Age"},
			[]any{"acme-gateway", "gateway", "True", "2/2", "registry.test/gateway:1.0.0", "2 pods available"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			table := w.in(t).table(tc.resource)
			var columns []string
			for _, c := range table.ColumnDefinitions {
				columns = append(columns, c.Name)
			}
			if diff := cmp.Diff(tc.columns, columns); diff != "" {
				t.Errorf("columns (-want +got):\n%s", diff)
			}
			cells := table.Rows[0].Cells
			if diff := cmp.Diff(tc.row, cells[:len(cells)-1]); diff != "" { // all but the age
				t.Errorf("cells (-want +got):\n%s", diff)
			}
		})
	}
}

func (w *world) table(resource string) metav1.Table {
	w.Helper()
	cfg := rest.CopyConfig(plane.admin)
	cfg.APIPath, cfg.GroupVersion = "/apis", &v1alpha1.GroupVersion
	cfg.NegotiatedSerializer = serializer.NewCodecFactory(plane.scheme).WithoutConversion()
	c, err := rest.RESTClientFor(cfg)
	if err != nil {
		w.Fatal(err)
	}
	data, err := c.Get().Namespace(w.namespace).Resource(resource).
		SetHeader("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io").Do(w.Context()).Raw()
	if err != nil {
		w.Fatal(err)
	}
	var table metav1.Table
	if err := json.Unmarshal(data, &table); err != nil {
		w.Fatal(err)
	}
	return table
}
