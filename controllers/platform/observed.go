package platform

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/apply"
	"github.com/streamplane/streamplane/controllers/membership"
	microservice "github.com/streamplane/streamplane/controllers/microservice/desired"
	"github.com/streamplane/streamplane/controllers/platform/desired"
	"github.com/streamplane/streamplane/controllers/platform/release"
)

// observed is everything that one reconcile reads, read once.
type observed struct {
	platform *v1alpha1.StreamingPlatform
	// microservices that the platform controls, by name.
	microservices map[string]v1alpha1.Microservice
	// sharing are all Microservices that name the platform, whoever wrote them;
	// shared with the cache.
	sharing []v1alpha1.Microservice
	// releaseName is the release that the platform runs or asks for.
	releaseName string
	// known is false when the operator has no images of that release.
	known bool
	// wanted is what the platform stands for; empty when the release is unknown.
	wanted desired.Platform
	// unseeded are the Microservices whose number of pods is the platform's yet,
	// and passes to an autoscaler of others.
	unseeded []v1alpha1.Microservice
}

func observe(ctx context.Context, c client.Reader, p *v1alpha1.StreamingPlatform, catalog release.Catalog) (observed, error) {
	o := observed{platform: p, microservices: map[string]v1alpha1.Microservice{}}
	list := &v1alpha1.MicroserviceList{}
	err := c.List(ctx, list, client.InNamespace(p.Namespace),
		client.MatchingFields{apply.OwnerIndex: string(p.UID)})
	if err != nil {
		return o, fmt.Errorf("list microservices: %w", err)
	}
	for _, m := range list.Items {
		o.microservices[m.Name] = m
	}
	o.sharing, err = membership.Of(ctx, c, client.ObjectKeyFromObject(p))
	if err != nil {
		return o, err
	}
	o.releaseName = cmp.Or(p.Spec.Release, p.Status.Release, runningRelease(list.Items), catalog.Newest())
	r, known := catalog.Find(o.releaseName)
	if known {
		o.known, o.wanted = true, desired.Of(p, r, Teams(p, o.sharing)...)
		o.unseeded = o.wanted.KeepScale(o.microservices)
		o.wanted.Hold(p.Spec.Rollout, o.microservices)
	}
	return o, nil
}

// runningRelease finds the release again when the status was lost.
func runningRelease(all []v1alpha1.Microservice) string {
	i := slices.IndexFunc(all, func(m v1alpha1.Microservice) bool { return m.Labels[microservice.LabelVersion] != "" })
	if i < 0 {
		return ""
	}
	return all[i].Labels[microservice.LabelVersion]
}
