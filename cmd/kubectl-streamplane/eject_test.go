package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/yaml"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/microservice"
)

// everything lists the metadata of what the operator makes in a namespace, by
// kind and name.
func everything(ctx context.Context, namespace string) (map[string]metav1.PartialObjectMetadata, error) {
	all := map[string]metav1.PartialObjectMetadata{}
	for _, kind := range append(microservice.Owned(), &v1alpha1.Microservice{}, &v1alpha1.StreamingPlatform{}) {
		gvk, err := apiutil.GVKForObject(kind, plane.client.Scheme())
		if err != nil {
			return nil, err
		}
		list := &metav1.PartialObjectMetadataList{}
		list.SetGroupVersionKind(gvk.GroupVersion().WithKind(gvk.Kind + "List"))
		if err := plane.client.List(ctx, list, client.InNamespace(namespace)); err != nil {
			return nil, err
		}
		err = apimeta.EachListItem(list, func(item runtime.Object) error {
			o := item.(*metav1.PartialObjectMetadata)
			o.SetGroupVersionKind(gvk)
			all[gvk.Kind+"/"+o.Name] = *o
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// playGarbageCollector does what it does in a cluster for objects that are
// deleted and leave what they own.
func playGarbageCollector(t *testing.T, namespace string) {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() {
		done <- wait.PollUntilContextCancel(ctx, glance, true, func(ctx context.Context) (bool, error) {
			all, err := everything(ctx, namespace)
			for _, owner := range all {
				if err == nil && slices.Contains(owner.Finalizers, metav1.FinalizerOrphanDependents) {
					err = orphanAll(ctx, all, owner)
				}
			}
			if apierrors.IsNotFound(err) || apierrors.IsConflict(err) || ctx.Err() != nil {
				err = nil
			}
			return false, err
		})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-done; !wait.Interrupted(err) {
			t.Error(err)
		}
	})
}

func orphanAll(ctx context.Context, all map[string]metav1.PartialObjectMetadata, owner metav1.PartialObjectMetadata) error {
	for _, o := range all {
		before := o.DeepCopy()
		o.OwnerReferences = slices.DeleteFunc(slices.Clone(o.OwnerReferences), func(r metav1.OwnerReference) bool { return r.UID == owner.UID })
		if len(o.OwnerReferences) == len(before.OwnerReferences) {
			continue
		}
		if err := plane.client.Patch(ctx, &o, client.MergeFrom(before)); err != nil {
			return err
		}
	}
	before := owner.DeepCopy()
	owner.Finalizers = slices.DeleteFunc(slices.Clone(owner.Finalizers), func(f string) bool { return f == metav1.FinalizerOrphanDependents })
	return plane.client.Patch(ctx, &owner, client.MergeFrom(before))
}

// identities are the UIDs and generations of what runs.
func identities(t *testing.T, namespace, prefix string) map[string]string {
	t.Helper()
	all, err := everything(t.Context(), namespace)
	if err != nil {
		t.Fatal(err)
	}
	same := map[string]string{}
	for name, o := range all {
		if !slices.Contains([]string{"Microservice", "StreamingPlatform", "ControllerRevision"}, o.Kind) && strings.HasPrefix(o.Name, prefix) {
			same[name] = fmt.Sprintf("%s %d", o.UID, o.Generation)
		}
	}
	return same
}

func documents(t *testing.T, text string) []*unstructured.Unstructured {
	t.Helper()
	var all []*unstructured.Unstructured
	for document := range strings.SplitSeq(text, "---\n") {
		if document == "" {
			continue
		}
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(document), &o.Object); err != nil {
			t.Fatal(err)
		}
		all = append(all, o)
	}
	return all
}

// checkPlain holds what was printed to be free of the operator, and to be what runs.
func checkPlain(t *testing.T, all []*unstructured.Unstructured) {
	t.Helper()
	for _, o := range all {
		name := o.GetKind() + " " + o.GetName()
		if len(o.GetOwnerReferences()) > 0 || o.GetUID() != "" || o.Object["status"] != nil || strings.Contains(fmt.Sprint(o.GetAnnotations(), o.GetLabels()), "managed-by") ||
			strings.Contains(fmt.Sprint(o.GetAnnotations()), "streamplane") {
			t.Errorf("%s is not plain: %v", name, o.Object["metadata"])
		}
		live := o.DeepCopy()
		if err := plane.client.Get(t.Context(), client.ObjectKeyFromObject(o), live); err != nil {
			t.Fatal(err)
		}
		generation := live.GetGeneration()
		applied := o.DeepCopy()
		err := plane.client.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(applied), client.FieldOwner("person"), client.ForceOwnership)
		if err != nil {
			t.Errorf("%s cannot be applied: %v", name, err)
		}
		if now := applied.GetGeneration(); now != generation {
			t.Errorf("applying %s changes it: generation %d, was %d", name, now, generation)
		}
	}
}

func TestEjectOneService(t *testing.T) {
	namespace := newNamespace(t)
	running(t, namespace, `{services: [{name: search, image: "registry.test/search:1", replicas: 2}]}`, "acme-search-blue")
	playGarbageCollector(t, namespace)
	before := identities(t, namespace, "acme-search")
	printed, err := on(t, namespace, "eject", "--service", "search")
	if err != nil {
		t.Fatal(err)
	}
	if got := len(documents(t, printed)); got != len(before) {
		t.Errorf("%d objects, want %d:\n%s", got, len(before), printed)
	}
	printed, err = on(t, namespace, "eject", "--service", "search", "--release")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, identities(t, namespace, "acme-search")); diff != "" {
		t.Errorf("what runs changed (-before +after):\n%s", diff)
	}
	checkPlain(t, documents(t, printed))
	all, err := everything(t.Context(), namespace)
	if err != nil {
		t.Fatal(err)
	}
	if _, there := all["Microservice/acme-search"]; there {
		t.Error("the Microservice is still there")
	}
	for name := range all {
		if strings.HasPrefix(name, "ControllerRevision/acme-search") {
			t.Errorf("%s is still there", name)
		}
	}
	if owners := all["Deployment/acme-search-blue"].OwnerReferences; len(owners) > 0 {
		t.Errorf("still owned by %v", owners)
	}
	if _, there := all["Microservice/acme-gateway"]; !there {
		t.Error("another service is gone")
	}
}

func TestEjectAPlatform(t *testing.T) {
	namespace := newNamespace(t)
	running(t, namespace, `{services: [{name: search, image: "registry.test/search:1", replicas: 2}]}`, "acme-search-blue")
	create(t, namespace, `{metadata: {name: mine}, spec: {platformRef: {name: acme}, image: "registry.test/mine:1"}}`, &v1alpha1.Microservice{})
	playGarbageCollector(t, namespace)
	eventually(t, func() error {
		return plane.client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: "mine-blue"}, &appsv1.Deployment{})
	})
	before := identities(t, namespace, "acme-")
	printed, err := on(t, namespace, "eject", "--release")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, identities(t, namespace, "acme-")); diff != "" {
		t.Errorf("what runs changed (-before +after):\n%s", diff)
	}
	all, err := everything(t.Context(), namespace)
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range all {
		if (o.Kind == "Microservice" || o.Kind == "StreamingPlatform") && name != "Microservice/mine" {
			t.Errorf("%s is still there", name)
		}
	}
	checkPlain(t, documents(t, printed))
}
