package main

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/microservice"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
)

// eachOwned visits what the operator made for a Microservice.
func (p planner) eachOwned(ctx context.Context, m *v1alpha1.Microservice, visit func(*unstructured.Unstructured)) error {
	kinds, err := p.owned()
	if err != nil {
		return err
	}
	for _, gvk := range kinds {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(gvk.GroupVersion().WithKind(gvk.Kind + "List"))
		err = p.cluster.List(ctx, list, client.InNamespace(m.Namespace), client.MatchingLabels{desired.LabelInstance: m.Name})
		if apimeta.IsNoMatchError(err) {
			continue // an optional kind that the cluster does not serve
		}
		if err != nil {
			return fmt.Errorf("list %s: %w", gvk.Kind, err)
		}
		err = apimeta.EachListItem(list, func(item runtime.Object) error {
			if o, ok := item.(*unstructured.Unstructured); ok && metav1.IsControlledBy(o, m) {
				visit(o)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// owned are the kinds that a Microservice may own. Its revisions and migrations
// are left out: nothing runs by them.
func (p planner) owned() ([]schema.GroupVersionKind, error) {
	var all []schema.GroupVersionKind
	for _, kind := range microservice.Owned() {
		switch kind.(type) {
		case *appsv1.ControllerRevision, *batchv1.Job:
			continue
		}
		gvk, err := apiutil.GVKForObject(kind, p.cluster.Scheme())
		if err != nil {
			return nil, fmt.Errorf("find kind: %w", err)
		}
		all = append(all, gvk)
	}
	for _, api := range microservice.Optional() {
		all = append(all, api.Kind)
	}
	return all, nil
}
