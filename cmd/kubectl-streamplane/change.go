package main

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/apply"
)

// change asks for the outcome of the operator's apply, which touches only what
// is its own.
func (p planner) change(ctx context.Context, object client.Object, own func(*unstructured.Unstructured) bool) (planned, error) {
	intent, err := apply.Content(object)
	if err != nil {
		return planned{}, err
	}
	c := planned{Kind: intent.GetKind(), Namespace: intent.GetNamespace(), Name: intent.GetName()}
	before := &unstructured.Unstructured{}
	before.SetGroupVersionKind(intent.GroupVersionKind())
	err = p.cluster.Get(ctx, client.ObjectKeyFromObject(intent), before)
	if apimeta.IsNoMatchError(err) {
		c.Impact, c.Note = impactCreate, "once the cluster serves "+before.GroupVersionKind().GroupKind().String()
		return c, nil
	}
	exists := err == nil
	if client.IgnoreNotFound(err) != nil {
		return c, err
	}
	if exists && !own(before) {
		c.Impact, c.Note = impactRefuse, (&apply.ConflictError{Kind: c.Kind, Name: c.Name}).Error()
		return c, nil
	}
	if exists {
		intent.SetOwnerReferences(before.GetOwnerReferences())
		keepHash(before, intent)
	}
	_, setsReplicas, _ := unstructured.NestedFieldNoCopy(intent.Object, "spec", "replicas")
	err = p.cluster.Apply(ctx, client.ApplyConfigurationFromUnstructured(intent),
		client.FieldOwner(apply.FieldManager), client.ForceOwnership, client.DryRunAll)
	switch {
	case apierrors.IsInvalid(err) && strings.Contains(err.Error(), "immutable"):
		c.Impact, c.Note = impactRecreate, err.Error()
	case apierrors.IsInvalid(err) || apierrors.IsForbidden(err):
		c.Impact, c.Note = impactRefuse, err.Error()
	case err != nil:
		return c, fmt.Errorf("ask for %s %s: %w", c.Kind, c.Name, err)
	case !exists:
		c.Impact = impactCreate
	default:
		if !setsReplicas {
			keepReplicas(before, intent)
		}
		c.Impact = classify(before, intent)
		c.describe(before, intent)
	}
	return c, nil
}

// keepHash: the hash of what was applied is no change of its own.
func keepHash(before, intent *unstructured.Unstructured) {
	annotations := intent.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[apply.HashAnnotation] = before.GetAnnotations()[apply.HashAnnotation]
	intent.SetAnnotations(annotations)
}

// keepReplicas: the operator hands the number of pods over to an autoscaler as
// it is, in a step of its own that a dry-run of one apply does not show.
func keepReplicas(before, after *unstructured.Unstructured) {
	if replicas, found, _ := unstructured.NestedInt64(before.Object, "spec", "replicas"); found {
		_ = unstructured.SetNestedField(after.Object, replicas, "spec", "replicas") // spec is a map
	}
}

func controlledBy(o *unstructured.Unstructured, owner *v1alpha1.Microservice) bool {
	return owner.UID != "" && metav1.IsControlledBy(o, owner)
}

// describe adds the numbers that people ask for.
func (c *planned) describe(before, after *unstructured.Unstructured) {
	was, _, _ := unstructured.NestedInt64(before.Object, "spec", "replicas")
	is, _, _ := unstructured.NestedInt64(after.Object, "spec", "replicas")
	switch {
	case c.Kind == "HorizontalPodAutoscaler" && c.Impact == impactScale:
		c.Note = "pods " + bounds(before) + " become " + bounds(after)
	case c.Kind != "Deployment":
	case c.Impact == impactRoll:
		c.Pods, c.fields = was, templateDifferences(before, after)
	case c.Impact == impactScale:
		c.Note = fmt.Sprintf("pods %d become %d", was, is)
	}
}

func bounds(hpa *unstructured.Unstructured) string {
	least, _, _ := unstructured.NestedInt64(hpa.Object, "spec", "minReplicas")
	most, _, _ := unstructured.NestedInt64(hpa.Object, "spec", "maxReplicas")
	return fmt.Sprintf("%d..%d", least, most)
}

func removal(o *unstructured.Unstructured) planned {
	c := planned{Impact: impactDelete, Kind: o.GetKind(), Namespace: o.GetNamespace(), Name: o.GetName()}
	if c.Kind == "Deployment" {
		c.Pods, _, _ = unstructured.NestedInt64(o.Object, "spec", "replicas")
	}
	return c
}
