package operator

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/apply"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
)

const (
	usesOneKey = `{platformRef: {name: acme}, image: "registry.test/a:1", replicas: 2,
		env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: db, key: password}}},
			{name: URL, valueFrom: {configMapKeyRef: {name: settings, key: url}}}]}`
	usesAll     = `{platformRef: {name: acme}, image: "registry.test/b:1", replicas: 2, envFrom: [{secretRef: {name: db}}]}`
	usesVolume  = `{platformRef: {name: acme}, image: "registry.test/c:1", replicas: 2, volumes: [{name: v, configMap: {name: settings}}]}`
	usesNothing = `{platformRef: {name: acme}, image: "registry.test/d:1", replicas: 2}`

	secretValue = "hunter2-is-no-good-password"
)

// secretAndSettings makes what the services above use.
func (w *world) secretAndSettings() (*corev1.Secret, *corev1.ConfigMap) {
	w.Helper()
	secret, settings := &corev1.Secret{}, &corev1.ConfigMap{}
	w.createYAML("{metadata: {name: db}, stringData: {user: me, password: "+secretValue+"}}", secret)
	w.createYAML("{metadata: {name: settings}, data: {url: here, size: big}}", settings)
	return secret, settings
}

// templates are the pod templates of the Deployments of the namespace.
func (w *world) templates() map[string]corev1.PodTemplateSpec {
	w.Helper()
	list := &appsv1.DeploymentList{}
	if err := w.client.List(w.Context(), list, client.InNamespace(w.namespace)); err != nil {
		w.Fatal(err)
	}
	all := map[string]corev1.PodTemplateSpec{}
	for _, d := range list.Items {
		all[strings.TrimSuffix(d.Name, "-blue")] = d.Spec.Template
	}
	return all
}

// rolled waits until the template of exactly these services has changed, and
// returns the new ones.
func (o *running) rolled(before map[string]corev1.PodTemplateSpec, services ...string) map[string]corev1.PodTemplateSpec {
	o.Helper()
	o.eventually(func() error {
		now := o.templates()
		for _, name := range services {
			if cmp.Equal(before[name], now[name]) {
				return fmt.Errorf("%s has not rolled", name)
			}
		}
		return nil
	})
	o.settle()
	now := o.templates()
	for name := range now {
		is, was := now[name], before[name]
		delete(is.Annotations, desired.AnnotationConfig)
		was = *was.DeepCopy()
		delete(was.Annotations, desired.AnnotationConfig)
		if diff := cmp.Diff(len(was.Annotations), len(is.Annotations)); diff != "" {
			o.Errorf("%s has other annotations: %s", name, diff)
		}
		was.Annotations, is.Annotations = nil, nil
		if diff := cmp.Diff(was, is); diff != "" {
			o.Errorf("%s changed in more than its annotation (-before +after):\n%s", name, diff)
		}
	}
	now = o.templates()
	var got []string
	for _, name := range []string{"a", "b", "c", "d"} {
		if stampOf(before[name]) != stampOf(now[name]) {
			got = append(got, name)
		}
	}
	if diff := cmp.Diff(services, got); diff != "" {
		o.Errorf("rolled (-want +got):\n%s", diff)
	}
	return now
}

func stampOf(template corev1.PodTemplateSpec) string {
	return template.Annotations[desired.AnnotationConfig]
}

// cached waits until the operator has seen an object as it is now.
func (o *running) cached(object client.Object) {
	o.Helper()
	get(o.world, object.GetName(), object)
	o.eventually(func() error {
		seen := object.DeepCopyObject().(client.Object)
		if err := o.manager.GetClient().Get(o.Context(), client.ObjectKeyFromObject(object), seen); err != nil {
			return err
		}
		if seen.GetResourceVersion() != object.GetResourceVersion() {
			return fmt.Errorf("%s is not seen", object.GetName())
		}
		return nil
	})
	o.settle()
}

func TestConfigRollsExactlyWhatUsesIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	secret, settings := w.secretAndSettings()
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	for name, spec := range map[string]string{"a": usesOneKey, "b": usesAll, "c": usesVolume, "d": usesNothing} {
		w.ready(w.microservice(name, spec))
	}
	o.settle()
	now := w.templates()
	for _, name := range []string{"a", "b", "c"} {
		if stampOf(now[name]) == "" {
			t.Errorf("%s has no annotation", name)
		}
	}
	if stampOf(now["d"]) != "" {
		t.Error("a service that refers to nothing has the annotation")
	}

	t.Log("A key that one service uses by name.")
	change(w, secret, func(s *corev1.Secret) { s.Data["password"] = []byte("another") })
	now = o.rolled(now, "a", "b")

	t.Log("A key that only those use who use all.")
	change(w, secret, func(s *corev1.Secret) { s.Data["user"] = []byte("you") })
	now = o.rolled(now, "b")
	change(w, settings, func(c *corev1.ConfigMap) { c.Data["size"] = "small" })
	now = o.rolled(now, "c")
	change(w, secret, func(s *corev1.Secret) { s.Data["more"] = []byte("x") })
	now = o.rolled(now, "b")

	t.Log("No content.")
	change(w, secret, func(s *corev1.Secret) { s.Labels = map[string]string{"a": "b"} })
	o.cached(secret)
	now = o.rolled(now)

	t.Log("Deleted and made again as it was.")
	w.remove(secret)
	a := get(w, "a", &v1alpha1.Microservice{})
	missing := func() error {
		c := apimeta.FindStatusCondition(get(w, "a", a).Status.Conditions, v1alpha1.ConditionConfigResolved)
		if c == nil || c.Reason != v1alpha1.ReasonConfigMissing || !strings.HasPrefix(c.Message, "Secret db: not found; create it") {
			return fmt.Errorf("condition %v", c)
		}
		return nil
	}
	w.eventually(missing)
	if !apimeta.IsStatusConditionTrue(a.Status.Conditions, v1alpha1.ConditionReady) {
		t.Errorf("pods that run go on: %v", a.Status.Conditions)
	}
	now = o.rolled(now)
	t.Log("While it is gone, another change waits.")
	change(w, settings, func(c *corev1.ConfigMap) { c.Data["url"] = "there" })
	now = o.rolled(now, "c")
	change(w, settings, func(c *corev1.ConfigMap) { c.Data["url"] = "here" })
	now = o.rolled(now, "c")
	secret.ResourceVersion, secret.UID, secret.Labels = "", "", nil
	w.create(secret)
	o.cached(secret)
	w.eventually(func() error {
		if c := apimeta.FindStatusCondition(get(w, "a", a).Status.Conditions, v1alpha1.ConditionConfigResolved); c != nil {
			return fmt.Errorf("condition %v", c)
		}
		return nil
	})
	o.rolled(now)
	o.idle()
	w.nowhere(secretValue, "another")
}

// nowhere says that values are in none of what the operator wrote.
func (w *world) nowhere(values ...string) {
	w.Helper()
	for _, list := range listed() {
		if _, users := list.(*corev1.ConfigMapList); users {
			continue
		}
		if err := w.client.List(w.Context(), list, client.InNamespace(w.namespace)); err != nil {
			w.Fatal(err)
		}
		text, err := json.Marshal(list)
		if err != nil {
			w.Fatal(err)
		}
		for _, value := range values {
			if strings.Contains(string(text), value) {
				w.Errorf("%q is in %T", value, list)
			}
		}
	}
}

// A service that starts before its Secret is not rolled by it: its pods wait.
func TestConfigThatComesLate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	m := w.microservice("a", usesOneKey)
	w.ready(m)
	o.settle()
	before := w.templates()
	secret, settings := w.secretAndSettings()
	o.cached(secret)
	o.cached(settings)
	o.rolled(before)
	o.idle()
	change(w, settings, func(c *corev1.ConfigMap) { c.Data["url"] = "there" })
	o.rolled(before, "a")
}

// Restarts write nothing, and find what changed meanwhile. This test needs the
// same key all the time, and must not run beside others.
func TestConfigAcrossRestarts(t *testing.T) {
	w := newWorld(t)
	secret, settings := w.secretAndSettings()
	first := w.start(catalog("1.0.0"))
	w.playControllers()
	for name, spec := range map[string]string{"a": usesOneKey, "c": usesVolume} {
		w.ready(w.microservice(name, spec))
	}
	first.settle()
	first.stop()
	before, templates := w.versions(), w.templates()

	second := w.start(catalog("1.0.0"))
	second.cached(secret)
	second.idle()
	second.stop()
	if diff := cmp.Diff(before, w.versions()); diff != "" {
		t.Errorf("objects changed (-before +after):\n%s", diff)
	}
	if sent := second.requests.since(0, func(r request) bool { return !informerOrDiscovery(r) }); len(sent) > 0 {
		t.Errorf("requests besides those that fill the cache: %v", sent)
	}

	change(w, secret, func(s *corev1.Secret) { s.Data["password"], s.Data["user"] = []byte("another"), []byte("you") })
	third := w.start(catalog("1.0.0"))
	templates = third.rolled(templates, "a")
	third.stop()

	t.Log("Without the key, and without Secrets, nothing compares, and nothing rolls.")
	for name, options := range map[string]Options{"without the key": {WatchSecrets: true}, "without Secrets": {}} {
		options.Catalog, options.WatchNamespaces, options.Metrics = catalog("1.0.0"), []string{w.namespace}, Metrics{Address: "0"}
		t.Log(name)
		other := w.startAs(plane.operator, options)
		other.eventually(func() error {
			if d := get(w, "a-blue", &appsv1.Deployment{}); d.Annotations[desired.AnnotationConfigBaseline] == "" {
				return fmt.Errorf("no baseline: %v", d.Annotations)
			}
			return nil
		})
		if diff := cmp.Diff(templates, w.templates()); diff != "" {
			t.Errorf("%s (-before +after):\n%s", name, diff)
		}
		other.stop()
	}
	last := w.start(catalog("1.0.0"))
	last.settle()
	change(w, settings, func(c *corev1.ConfigMap) { c.Data["url"] = "there" })
	last.rolled(templates, "a", "c")
}

// What an older operator made gets no annotation until something changes.
func TestConfigOfAnOlderOperator(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	secret, _ := w.secretAndSettings()
	m := w.microservice("a", usesOneKey)
	owner := m.DeepCopy()
	owner.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Microservice"))
	objects := desired.Objects(m, desired.SlotBlue, desired.RevisionOf(m, desired.SlotBlue, ""), "")
	for _, object := range objects {
		delete(object.GetAnnotations(), desired.AnnotationRevision) // it knew no revisions
	}
	_, err := apply.Syncer{Client: w.client, Live: w.client}.Sync(t.Context(), apply.Set{Owner: owner, Objects: objects})
	if err != nil {
		t.Fatal(err)
	}
	before := w.templates()
	if stampOf(before["a"]) != "" {
		t.Fatal("not as an older operator made it")
	}
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	w.ready(m)
	o.settle()
	if diff := cmp.Diff(before, w.templates()); diff != "" {
		t.Errorf("the upgrade rolls pods (-before +after):\n%s", diff)
	}
	o.idle()
	change(w, secret, func(s *corev1.Secret) { s.Data["user"] = []byte("you") })
	o.cached(secret)
	o.rolled(before)
	change(w, secret, func(s *corev1.Secret) { s.Data["password"] = []byte("another") })
	now := o.rolled(before, "a")
	o.idle()
	t.Log("And back.")
	change(w, secret, func(s *corev1.Secret) { s.Data["password"] = []byte(secretValue) })
	o.rolled(now, "a")
	if diff := cmp.Diff(before, w.templates()); diff != "" {
		t.Errorf("not as it was (-before +after):\n%s", diff)
	}
}

// Without the right to Secrets ConfigMaps are still looked at.
func TestConfigWithoutSecrets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const user = "operator-without-secrets"
	for _, role := range roles(t, roleFile) {
		if role.Kind == "ClusterRole" {
			w.allow(user, role.Rules...)
		}
	}
	secret, settings := w.secretAndSettings()
	o := w.startAs(as(user), Options{
		Catalog: catalog("1.0.0"), WatchNamespaces: []string{w.namespace}, Namespace: w.namespace, Metrics: Metrics{Address: "0"},
	})
	w.playControllers()
	for name, spec := range map[string]string{"a": usesOneKey, "b": usesAll} {
		w.ready(w.microservice(name, spec))
	}
	o.settle()
	now := w.templates()
	change(w, secret, func(s *corev1.Secret) { s.Data["password"] = []byte("another") })
	change(w, settings, func(c *corev1.ConfigMap) { c.Data["url"] = "there" })
	o.rolled(now, "a")
	w.remove(secret)
	o.idle()
	if c := apimeta.FindStatusCondition(get(w, "b", &v1alpha1.Microservice{}).Status.Conditions, v1alpha1.ConditionConfigResolved); c != nil {
		t.Errorf("condition %v", c)
	}
}
