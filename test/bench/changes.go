package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// Objects of a platform that are changed, and watched.
const (
	changedDeployment = "-gateway-blue"
	driftedDeployment = "-streaming-blue"
	deletedService    = "-streaming-headless"
)

// changeImages gives services new images: one after another, then that of every platform at once.
func (b *bench) changeImages(ctx context.Context) (c change, err error) {
	var each []time.Duration
	for i := range b.settings.samples {
		took, err := b.timeChange(ctx, b.sample(i, 1))
		if err != nil {
			return c, err
		}
		each = append(each, took...)
	}
	c.OneByOne = distribution(each)
	if err := b.plane.audit.quiet(ctx); err != nil {
		return c, err
	}
	all, err := b.timeChange(ctx, b.platforms)
	c.AllAtOnce = distribution(all)
	return c, err
}

// sample takes platforms that lie apart.
func (b *bench) sample(i, n int) []string {
	at := (i * len(b.platforms) / b.settings.samples) % len(b.platforms)
	return b.platforms[at : at+n]
}

// timeChange gives gateway of each platform a new image and takes the times until the pod templates were written.
func (b *bench) timeChange(ctx context.Context, platforms []string) ([]time.Duration, error) {
	mark := b.plane.audit.mark()
	patch := fmt.Appendf(nil, `{"spec":{"services":[{"name":"gateway","image":"registry.test/gateway:%d"}]}}`, mark)
	asked := func(e event) bool {
		return e.User.Username == peopleUser && e.Verb == "patch" && e.ObjectRef.Resource == "streamingplatforms"
	}
	repaired := func(e event) bool { return e.applies(operatorUser) && e.ObjectRef.Resource == "deployments" }
	return b.reactions(ctx, platforms, asked, repaired, func(ctx context.Context, name string) error {
		p := &v1alpha1.StreamingPlatform{ObjectMeta: metav1.ObjectMeta{Namespace: benchNamespace, Name: name}}
		return b.plane.people.Patch(ctx, p, client.RawPatch(types.MergePatchType, patch))
	})
}

// drift changes and deletes objects behind the operator's back, one after another.
func (b *bench) drift(ctx context.Context) (d drifting, err error) {
	meta := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: benchNamespace, Name: name} }
	change := client.RawPatch(types.StrategicMergePatchType, []byte(`{"spec":{"template":{"spec":{"terminationGracePeriodSeconds":3600}}}}`))
	d.Changed, err = b.repairs(ctx, "deployments", "patch", func(ctx context.Context, platform string) error {
		return b.plane.people.Patch(ctx, &appsv1.Deployment{ObjectMeta: meta(platform + driftedDeployment)}, change)
	})
	if err != nil {
		return d, err
	}
	d.Deleted, err = b.repairs(ctx, "services", "delete", func(ctx context.Context, platform string) error {
		return b.plane.people.Delete(ctx, &corev1.Service{ObjectMeta: meta(platform + deletedService)})
	})
	return d, err
}

func (b *bench) repairs(ctx context.Context, resource, verb string, meddle func(context.Context, string) error) (percentiles, error) {
	asked := func(e event) bool {
		return e.User.Username == peopleUser && e.Verb == verb && e.ObjectRef.Resource == resource
	}
	repaired := func(e event) bool { return e.applies(operatorUser) && e.ObjectRef.Resource == resource }
	var each []time.Duration
	for i := range b.settings.samples {
		took, err := b.reactions(ctx, b.sample(i, 1), asked, repaired, meddle)
		if err != nil {
			return percentiles{}, err
		}
		each = append(each, took...)
	}
	return distribution(each), nil
}

// reactions does something to platforms and takes the time of each from then until the operator's answer.
func (b *bench) reactions(ctx context.Context, platforms []string, asked, answered func(event) bool, do func(context.Context, string) error) ([]time.Duration, error) {
	mark := b.plane.audit.mark()
	group, limited := errgroup.WithContext(ctx)
	group.SetLimit(b.settings.workers)
	for _, name := range platforms {
		group.Go(func() error { return do(limited, name) })
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("change something: %w", err)
	}
	began, ended := map[string]time.Time{}, map[string]time.Time{}
	err := b.await(ctx, mark, func(e event) bool {
		platform, _, _ := strings.Cut(e.ObjectRef.Name, "-")
		switch {
		case asked(e):
			began[platform] = e.RequestReceivedTimestamp
		case answered(e):
			ended[platform] = e.StageTimestamp
		}
		return len(began) == len(platforms) && len(ended) == len(platforms)
	})
	if err != nil {
		return nil, errors.Join(errors.New("the operator does not answer a change"), err)
	}
	var each []time.Duration
	for _, name := range platforms {
		each = append(each, ended[name].Sub(began[name]))
	}
	return each, nil
}
