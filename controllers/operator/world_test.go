package operator

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/yaml"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

const (
	// patience is how long anything may take on a busy machine.
	patience = 90 * time.Second
	// glance is how often a test looks.
	glance = 50 * time.Millisecond
)

// world is a namespace of its own and what a test does in it, as its admin.
type world struct {
	*testing.T
	client    client.WithWatch
	namespace string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	for _, file := range installedFiles() { // else the go command would not notice that one has changed
		if _, err := os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	c, err := client.NewWithWatch(plane.admin, client.Options{Scheme: plane.scheme})
	if err != nil {
		t.Fatal(err)
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}
	if err := c.Create(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	return &world{T: t, client: c, namespace: namespace.Name}
}

// in is the same world for a subtest.
func (w *world) in(t *testing.T) *world {
	t.Helper()
	return &world{T: t, client: w.client, namespace: w.namespace}
}

// platform creates a StreamingPlatform named acme.
func (w *world) platform(spec string) *v1alpha1.StreamingPlatform {
	w.Helper()
	p := &v1alpha1.StreamingPlatform{}
	w.createYAML("{metadata: {name: acme}, spec: "+spec+"}", p)
	return p
}

// microservice creates a hand-written Microservice.
func (w *world) microservice(name, spec string) *v1alpha1.Microservice {
	w.Helper()
	m := &v1alpha1.Microservice{}
	w.createYAML("{metadata: {name: "+name+"}, spec: "+spec+"}", m)
	return m
}

func (w *world) createYAML(text string, into client.Object) {
	w.Helper()
	if err := yaml.UnmarshalStrict([]byte(text), into); err != nil {
		w.Fatalf("%v in %s", err, text)
	}
	w.create(into)
}

func (w *world) create(object client.Object) {
	w.Helper()
	object.SetNamespace(w.namespace)
	if err := w.client.Create(w.Context(), object); err != nil {
		w.Fatal(err)
	}
}

// get reads an object that must exist.
func get[T client.Object](w *world, name string, into T) T {
	w.Helper()
	if err := w.client.Get(w.Context(), client.ObjectKey{Namespace: w.namespace, Name: name}, into); err != nil {
		w.Fatal(err)
	}
	return into
}

// appears waits for an object.
func appears[T client.Object](w *world, name string, into T) T {
	w.Helper()
	w.eventually(func() error {
		return w.client.Get(w.Context(), client.ObjectKey{Namespace: w.namespace, Name: name}, into)
	})
	return into
}

// change edits an object, whatever it has become meanwhile.
func change[T client.Object](w *world, object T, edit func(T)) T {
	w.Helper()
	get(w, object.GetName(), object)
	before := object.DeepCopyObject().(client.Object)
	edit(object)
	if err := w.client.Patch(w.Context(), object, client.MergeFrom(before)); err != nil {
		w.Fatal(err)
	}
	return object
}

func (w *world) remove(object client.Object) {
	w.Helper()
	if err := w.client.Delete(w.Context(), object); err != nil {
		w.Fatal(err)
	}
}

// eventually polls until check has nothing to complain of.
func (w *world) eventually(check func() error) {
	w.Helper()
	var last error
	err := wait.PollUntilContextTimeout(w.Context(), glance, patience, true, func(context.Context) (bool, error) {
		last = check()
		return last == nil, nil
	})
	if err != nil {
		w.Fatalf("%v: %v", err, last)
	}
}

// becomes waits until the conditions of a resource read like this: the kind of
// the summary, its reason (any when empty), and a part of the message.
func (w *world) becomes(object client.Object, kind, reason, message string) {
	w.Helper()
	w.eventually(func() error {
		return w.is(object, kind, reason, message)
	})
}

func (w *world) is(object client.Object, kind, reason, message string) error {
	if err := w.client.Get(w.Context(), client.ObjectKeyFromObject(object), object); err != nil {
		return err
	}
	all, observed := statusOf(object)
	if observed != object.GetGeneration() {
		return fmt.Errorf("%s: status of generation %d, not %d", object.GetName(), observed, object.GetGeneration())
	}
	c := apimeta.FindStatusCondition(all, kind)
	if c == nil || c.Status != metav1.ConditionTrue || reason != "" && c.Reason != reason || !strings.Contains(c.Message, message) {
		return fmt.Errorf("%s: want %s=True, reason %s, message with %q, got %v", object.GetName(), kind, reason, message, all)
	}
	return nil
}

func statusOf(object client.Object) ([]metav1.Condition, int64) {
	switch object := object.(type) {
	case *v1alpha1.StreamingPlatform:
		return object.Status.Conditions, object.Status.ObservedGeneration
	case *v1alpha1.Microservice:
		return object.Status.Conditions, object.Status.ObservedGeneration
	default:
		return nil, 0
	}
}

// ready waits for Ready=True.
func (w *world) ready(object client.Object) {
	w.Helper()
	w.becomes(object, v1alpha1.ConditionReady, v1alpha1.ReasonAvailable, "")
}

// versions are the resource versions of everything in the namespace that the
// operator may make or write, whoever made it.
func (w *world) versions() map[string]string {
	w.Helper()
	return versions(w, w.client)
}

// children leaves out the resources that carry a status of ours.
func (w *world) children() map[string]string {
	w.Helper()
	all := w.versions()
	for name := range all {
		if strings.HasPrefix(name, "StreamingPlatform/") || strings.HasPrefix(name, "Microservice/") {
			delete(all, name)
		}
	}
	return all
}

func versions(w *world, from client.Reader) map[string]string {
	w.Helper()
	all := map[string]string{}
	for _, list := range listed() {
		if err := from.List(w.Context(), list, client.InNamespace(w.namespace)); err != nil {
			w.Fatal(err)
		}
		err := apimeta.EachListItem(list, func(item runtime.Object) error {
			object := item.(client.Object)
			gvk, err := apiutil.GVKForObject(object, plane.scheme)
			all[gvk.Kind+"/"+object.GetName()] = object.GetResourceVersion()
			return err
		})
		if err != nil {
			w.Fatal(err)
		}
	}
	return all
}
