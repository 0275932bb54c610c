// Package membership says which Microservices make up a platform, and which
// one counts when two have one service name.
package membership

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
)

// platformIndex is the cache index of Microservices by their platform.
const platformIndex = "spec.platformRef.name"

// Index lets Of find the Microservices of a platform.
func Index(ctx context.Context, indexer client.FieldIndexer) error {
	err := indexer.IndexField(ctx, &v1alpha1.Microservice{}, platformIndex, func(o client.Object) []string {
		m, ok := o.(*v1alpha1.Microservice)
		if !ok {
			return nil
		}
		return []string{m.Spec.PlatformRef.Name}
	})
	if err != nil {
		return fmt.Errorf("index microservices by platform: %w", err)
	}
	return nil
}

// Of lists the Microservices that name a platform, those on their way out left
// out. They are shared with the cache: not to be changed.
func Of(ctx context.Context, c client.Reader, platform client.ObjectKey) ([]v1alpha1.Microservice, error) {
	list := &v1alpha1.MicroserviceList{}
	err := c.List(ctx, list, client.InNamespace(platform.Namespace),
		client.MatchingFields{platformIndex: platform.Name}, client.UnsafeDisableDeepCopy)
	if err != nil {
		return nil, fmt.Errorf("list microservices of platform %s: %w", platform.Name, err)
	}
	var all []v1alpha1.Microservice
	for _, m := range list.Items {
		if m.DeletionTimestamp.IsZero() {
			all = append(all, m)
		}
	}
	return all, nil
}

// IsTeams says whether people wrote a Microservice, rather than a platform.
func IsTeams(m *v1alpha1.Microservice) bool {
	c := metav1.GetControllerOf(m)
	return c == nil || c.Kind != "StreamingPlatform"
}

// First is the Microservice that stands for a service name: the one that a
// platform lists, else the oldest.
func First(all []v1alpha1.Microservice, service string) *v1alpha1.Microservice {
	var first *v1alpha1.Microservice
	for i := range all {
		m := &all[i]
		if desired.ServiceName(m) == service && (first == nil || goesBefore(m, first)) {
			first = m
		}
	}
	return first
}

func goesBefore(a, b *v1alpha1.Microservice) bool {
	if IsTeams(a) != IsTeams(b) {
		return !IsTeams(a)
	}
	if !a.CreationTimestamp.Equal(&b.CreationTimestamp) {
		return a.CreationTimestamp.Before(&b.CreationTimestamp)
	}
	return a.Name < b.Name
}
