package operator

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

func TestRejectedPodTemplateKeepsWhatRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	p := w.platform(`{services: [{name: search, image: "registry.test/search:1"}]}`)
	w.ready(p)
	m := get(w, "acme-search", &v1alpha1.Microservice{})
	o.settle()
	before := w.children()
	cases := map[string]struct{ patch, message string }{
		"a label of the selector": {
			`{"metadata": {"labels": {"streamplane.dev/slot": "green"}}}`,
			"spec.podTemplate.metadata.labels[streamplane.dev/slot]: belongs to the operator",
		},
		"an unknown field": {`{"spec": {"nodeNmae": "a"}}`, `spec.podTemplate: unknown field "spec.nodeNmae"`},
		"an insecure pod":  {`{"spec": {"hostPID": true}}`, "spec.podTemplate: breaks the restricted Pod Security Standard: host namespaces (hostPID=true)"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w, o := w.in(t), o.in(t)
			change(w, p, func(p *v1alpha1.StreamingPlatform) {
				p.Spec.Services[0].Image = "registry.test/search:2"
				p.Spec.Services[0].PodTemplate = &runtime.RawExtension{Raw: []byte(tc.patch)}
			})
			w.becomes(m, v1alpha1.ConditionStalled, v1alpha1.ReasonPodTemplateRejected, tc.message)
			w.becomes(p, v1alpha1.ConditionStalled, v1alpha1.ReasonServicesNotReady, "search: "+tc.message)
			o.settle()
			o.idle()
			if diff := cmp.Diff(before, w.children()); diff != "" {
				t.Errorf("what runs was changed (-before +after):\n%s", diff)
			}
		})
	}

	t.Log("A patch that is allowed comes through the platform whole, directives included.")
	change(w, p, func(p *v1alpha1.StreamingPlatform) {
		p.Spec.Services[0].PodTemplate = &runtime.RawExtension{Raw: []byte(
			`{"spec": {"topologySpreadConstraints": [{"$patch": "replace"}], "containers": [{"name": "app", "readinessProbe": {"$patch": "delete"}, "tty": true}]}}`,
		)}
	})
	w.ready(p)
	spec := get(w, "acme-search-blue", &appsv1.Deployment{}).Spec.Template.Spec
	app := spec.Containers[0]
	if len(spec.TopologySpreadConstraints) > 0 || app.ReadinessProbe != nil || !app.TTY || app.Image != "registry.test/search:2" {
		t.Errorf("%+v", spec)
	}
	o.settle()
	o.idle()
}

// Null would be lost on the way to the Microservice.
func TestNullInAPodTemplate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(catalog("1.0.0"))
	const patch = "podTemplate: {spec: {affinity: null}}"
	p := w.platform(`{services: [{name: gateway, ` + patch + `}]}`)
	w.becomes(p, v1alpha1.ConditionStalled, v1alpha1.ReasonInvalidSpec, "services[gateway].podTemplate.spec.affinity: null removes nothing")
	m := w.microservice("search", `{platformRef: {name: acme}, image: "registry.test/search:1", `+patch+`}`)
	w.becomes(m, v1alpha1.ConditionStalled, v1alpha1.ReasonInvalidSpec, "spec.podTemplate.spec.affinity: null removes nothing")
}
