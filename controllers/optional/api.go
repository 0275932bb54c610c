// Package optional works with kinds that a cluster may or may not serve. It
// finds out at run time which ones it does, and watches those: a CRD may be
// installed, half installed or removed at any moment. It knows no kind.
package optional

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// listSuffix ends the kinds of lists.
const listSuffix = "List"

// API is one optional kind, namespaced, in the version that is worked with.
type API struct {
	Kind schema.GroupVersionKind
	// Resource is the plural under which it is served.
	Resource string
	// Source is what brings it, for people.
	Source string
}

// missing says what to install.
func (a API) missing() string {
	return fmt.Sprintf("the cluster does not serve %s of %s: install %s", a.Kind.Kind, a.Kind.GroupVersion(), a.Source)
}

func (a API) empty() *unstructured.Unstructured {
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(a.Kind)
	return object
}

// Served is which kinds can be worked with at one moment.
type Served struct {
	// readers are caches, by kind.
	readers map[schema.GroupVersionKind]client.Reader
	// unusable says why a kind cannot be worked with, by kind.
	unusable map[schema.GroupVersionKind]string
}

// Has says whether objects of a kind can be read and written.
func (s Served) Has(kind schema.GroupVersionKind) bool { return s.readers[kind] != nil }

// Missing says why a kind cannot be worked with, and what to do.
func (s Served) Missing(kind schema.GroupVersionKind) string { return s.unusable[kind] }

// Get reads an object from the cache of its kind; nil when there is none, or the
// kind cannot be worked with.
func (s Served) Get(ctx context.Context, kind schema.GroupVersionKind, key client.ObjectKey) (*unstructured.Unstructured, error) {
	reader, ok := s.readers[kind]
	if !ok {
		return nil, nil //nolint:nilnil // absence is an answer, not an error
	}
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(kind)
	err := reader.Get(ctx, key, object)
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // absence is an answer, not an error
	}
	if err != nil {
		return nil, fmt.Errorf("read %s %s: %w", kind.Kind, key.Name, err)
	}
	return object, nil
}

// Lists are empty lists of the kinds, for pruning.
func (s Served) Lists() map[schema.GroupVersionKind]client.ObjectList {
	all := map[schema.GroupVersionKind]client.ObjectList{}
	for kind := range s.readers {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + listSuffix))
		all[kind] = list
	}
	return all
}

// Client reads unstructured objects from the caches of their kinds, and does
// all else as the given client.
func (s Served) Client(c client.Client) client.Client { return servedClient{Client: c, served: s} }

type servedClient struct {
	client.Client
	served Served
}

// Get reads from the cache of the kind.
func (c servedClient) Get(ctx context.Context, key client.ObjectKey, into client.Object, opts ...client.GetOption) error {
	if _, ok := into.(*unstructured.Unstructured); !ok {
		return c.Client.Get(ctx, key, into, opts...)
	}
	reader, err := c.served.reader(into.GetObjectKind().GroupVersionKind())
	if err != nil {
		return err
	}
	return reader.Get(ctx, key, into, opts...)
}

// List reads from the cache of the kind.
func (c servedClient) List(ctx context.Context, into client.ObjectList, opts ...client.ListOption) error {
	if _, ok := into.(*unstructured.UnstructuredList); !ok {
		return c.Client.List(ctx, into, opts...)
	}
	kind := into.GetObjectKind().GroupVersionKind()
	reader, err := c.served.reader(kind.GroupVersion().WithKind(strings.TrimSuffix(kind.Kind, listSuffix)))
	if err != nil {
		return err
	}
	return reader.List(ctx, into, opts...)
}

func (s Served) reader(kind schema.GroupVersionKind) (client.Reader, error) {
	if reader, ok := s.readers[kind]; ok {
		return reader, nil
	}
	return nil, &apimeta.NoKindMatchError{GroupKind: kind.GroupKind(), SearchedVersions: []string{kind.Version}}
}
