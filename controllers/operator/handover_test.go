package operator

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/platform"
)

const withSearch = `{services: [{name: search, image: "registry.test/search:1", replicas: 2, ports: [{name: http, port: 7000}],
	env: [{name: A, value: a}]}, {name: shop, image: "registry.test/shop:1", calls: [{to: search}]}]}`

func managedBy(who v1alpha1.ManagedBy) func(*v1alpha1.StreamingPlatform) {
	return func(p *v1alpha1.StreamingPlatform) { p.Spec.Services[0].ManagedBy = who }
}

// owners names who owns fields of a specification.
func owners(m *v1alpha1.Microservice) []string {
	var all []string
	for _, e := range m.ManagedFields {
		if strings.Contains(e.FieldsV1.GetRawString(), `"f:spec"`) {
			all = append(all, e.Manager)
		}
	}
	return all
}

// writtenBy waits until a Microservice belongs to a platform, or to nobody.
func (w *world) writtenBy(m *v1alpha1.Microservice, p *v1alpha1.StreamingPlatform) {
	w.Helper()
	w.eventually(func() error {
		get(w, m.Name, m)
		if controller := metav1.GetControllerOf(m); (p == nil) != (controller == nil) {
			return fmt.Errorf("%s is controlled by %v", m.Name, controller)
		}
		return nil
	})
}

// team applies a Microservice as its team does.
func (w *world) team(spec string) {
	w.Helper()
	m := &unstructured.Unstructured{}
	text := "{apiVersion: streamplane.dev/v1alpha1, kind: Microservice, metadata: {name: acme-search}, spec: " + spec + "}"
	if err := yaml.Unmarshal([]byte(text), m); err != nil {
		w.Fatal(err)
	}
	m.SetNamespace(w.namespace)
	if err := w.client.Apply(w.Context(), client.ApplyConfigurationFromUnstructured(m), client.FieldOwner("kubectl")); err != nil {
		w.Fatal(err)
	}
}

const teamsSearch = `{platformRef: {name: acme}, serviceName: search, image: "registry.test/search:%d", ports: [{name: http, port: 7000}],
	autoscaling: {minReplicas: 3, maxReplicas: 5}, resources: {requests: {cpu: 100m}}, podLabels: {team: search}}`

func TestHandOverToATeamAndBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	p := w.platform(withSearch)
	w.ready(p)
	o.settle()
	m := get(w, "acme-search", &v1alpha1.Microservice{})
	generation, children := m.Generation, w.children()
	mark := o.requests.mark()

	t.Log("There: nothing that runs changes.")
	change(w, p, managedBy(v1alpha1.ManagedByTeam))
	w.writtenBy(m, nil)
	w.lines(p, "streaming=acme-streaming", "gateway=acme-gateway", "shop=acme-shop", "search=acme-searchTeam")
	w.ready(p)
	w.has(p, v1alpha1.ConditionOverridesUnused, metav1.ConditionTrue, v1alpha1.ReasonManagedByTeam)
	w.has(p, v1alpha1.ConditionMembersReady, metav1.ConditionTrue, v1alpha1.ReasonAvailable)
	o.settle()
	get(w, m.Name, m)
	if m.Generation != generation || m.Spec.PlatformRef.Name != "acme" || len(owners(m)) > 0 || len(m.OwnerReferences) > 0 {
		t.Errorf("generation %d, platform %q, fields of %v, owners %v", m.Generation, m.Spec.PlatformRef.Name, owners(m), m.OwnerReferences)
	}
	if diff := cmp.Diff(children, w.children()); diff != "" {
		t.Errorf("children changed (-before +after):\n%s", diff)
	}
	o.idle()

	t.Log("Back: nothing that runs changes either.")
	change(w, p, managedBy(""))
	w.writtenBy(m, p)
	w.lines(p, "streaming=acme-streaming", "gateway=acme-gateway", "search=acme-search", "shop=acme-shop")
	w.ready(p)
	w.has(p, v1alpha1.ConditionOverridesUnused, "", "")
	o.settle()
	get(w, m.Name, m)
	if diff := cmp.Diff([]string{"streamplane"}, owners(m)); diff != "" || m.Generation != generation || m.Annotations[platform.AnnotationHandedOver] != "" {
		t.Errorf("generation %d, annotations %v, owners of fields %s", m.Generation, m.Annotations, diff)
	}
	if diff := cmp.Diff(children, w.children()); diff != "" {
		t.Errorf("children changed (-before +after):\n%s", diff)
	}
	o.idle()
	deleted := o.requests.since(mark, func(r request) bool { return r.method == "DELETE" })
	if len(deleted) > 0 {
		t.Errorf("deleted: %v", deleted)
	}
}

// The team owns every field, and the platform gets every field back.
func TestATeamEditsWhatItWasHanded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	p := w.platform(withSearch)
	w.ready(p)
	m := get(w, "acme-search", &v1alpha1.Microservice{})
	uid := get(w, "acme-search-blue", &appsv1.Deployment{}).UID
	before := m.Spec.DeepCopy()
	change(w, p, managedBy(v1alpha1.ManagedByTeam))
	w.writtenBy(m, nil)
	change(w, m, func(m *v1alpha1.Microservice) { m.Spec.Replicas, m.Spec.Env = nil, nil })
	w.team(fmt.Sprintf(teamsSearch, 2))
	w.becomes(m, v1alpha1.ConditionReady, v1alpha1.ReasonAvailable, "3 pods")
	o.settle()
	mark := o.requests.mark()

	t.Log("What the platform says of it has no effect, not even enabled: false.")
	change(w, p, func(p *v1alpha1.StreamingPlatform) {
		p.Spec.Services[0].Image, p.Spec.Services[0].Enabled = "registry.test/search:9", new(false)
	})
	w.becomes(p, v1alpha1.ConditionOverridesUnused, v1alpha1.ReasonManagedByTeam, "services[search]: enabled, env, image, ports, replicas")
	o.settle()
	o.idle()
	written := o.requests.since(mark, func(r request) bool { return write(r) && to("microservices", "acme-search")(r) })
	if len(written) > 0 {
		t.Errorf("written: %v", written)
	}

	t.Log("Back again: no field of the team is left.")
	change(w, p, func(p *v1alpha1.StreamingPlatform) {
		s := &p.Spec.Services[0]
		s.ManagedBy, s.Image, s.Enabled = v1alpha1.ManagedByPlatform, "registry.test/search:1", nil
	})
	w.writtenBy(m, p)
	w.ready(p)
	o.settle()
	if diff := cmp.Diff(before, &get(w, m.Name, m).Spec); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
	if now := get(w, "acme-search-blue", &appsv1.Deployment{}).UID; now != uid {
		t.Errorf("the Deployment was made again: %s, was %s", now, uid)
	}
	o.idle()
}

// A Microservice is taken only when it says so.
func TestATeamMayRefuseToGiveBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(catalog("1.0.0"))
	w.playControllers()
	p := w.platform(withSearch)
	w.ready(p)
	change(w, p, managedBy(v1alpha1.ManagedByTeam))
	m := get(w, "acme-search", &v1alpha1.Microservice{})
	w.writtenBy(m, nil)
	change(w, m, func(m *v1alpha1.Microservice) { delete(m.Annotations, platform.AnnotationHandedOver) })
	change(w, p, managedBy(""))
	w.becomes(p, v1alpha1.ConditionStalled, v1alpha1.ReasonNameConflict, platform.AnnotationHandedOver+": acme")
	w.untouched(get(w, m.Name, m))

	change(w, m, func(m *v1alpha1.Microservice) {
		m.Annotations = map[string]string{platform.AnnotationHandedOver: "acme"}
	})
	w.writtenBy(m, p)
	w.ready(p)
}

// What is its team's stays when the platform goes, and its platform says when
// it has gone itself.
func TestHandedOverOutlivesThePlatform(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	p := w.platform(withSearch)
	w.ready(p)
	change(w, p, managedBy(v1alpha1.ManagedByTeam))
	m := get(w, "acme-search", &v1alpha1.Microservice{})
	w.writtenBy(m, nil)
	w.ready(p)
	o.settle()
	children := w.children()
	w.remove(p)
	w.has(m, v1alpha1.ConditionPlatformFound, metav1.ConditionFalse, v1alpha1.ReasonPlatformNotFound)
	w.ready(m)
	o.settle()
	if diff := cmp.Diff(children, w.children()); diff != "" || len(m.OwnerReferences) > 0 {
		t.Errorf("owned by %v, children (-before +after):\n%s", m.OwnerReferences, diff)
	}

	t.Log("A new platform of that name finds it again.")
	p = w.platform(`{services: [{name: search, managedBy: Team}]}`)
	w.lines(p, "streaming=acme-streaming", "gateway=acme-gateway", "search=acme-searchTeam")
	w.remove(m)
	w.has(p, v1alpha1.ConditionMembersReady, metav1.ConditionFalse, v1alpha1.ReasonMembersNotReady)
	w.lines(p, "streaming=acme-streaming", "gateway=acme-gateway", "search=acme-searchTeam")
}
