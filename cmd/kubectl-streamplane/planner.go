package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/membership"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
	reconciler "github.com/streamplane/streamplane/controllers/platform"
	"github.com/streamplane/streamplane/controllers/platform/release"
)

// planner asks a cluster what would become of a manifest.
type planner struct {
	cluster client.Client
	catalog release.Catalog
	// now is when schedules are asked.
	now time.Time
}

func (p planner) plan(ctx context.Context, m manifest) (plan, error) {
	result := plan{Changes: []planned{}}
	for _, wanted := range m.platforms {
		if err := p.planPlatform(ctx, wanted, &result); err != nil {
			return result, fmt.Errorf("streamingplatform %s: %w", wanted.Name, err)
		}
	}
	for _, wanted := range m.microservices {
		if err := p.replace(ctx, wanted, &v1alpha1.Microservice{}); err != nil {
			return result, fmt.Errorf("microservice %s: %w", wanted.Name, err)
		}
		if err := p.planMicroservice(ctx, wanted, &result); err != nil {
			return result, fmt.Errorf("microservice %s: %w", wanted.Name, err)
		}
	}
	return result, nil
}

// replace lets the API server judge an object that a user wrote, as a change of
// the one that exists or as a new one. wanted becomes what it would be.
func (p planner) replace(ctx context.Context, wanted, live client.Object) error {
	err := p.cluster.Get(ctx, client.ObjectKeyFromObject(wanted), live)
	if apierrors.IsNotFound(err) {
		return p.cluster.Create(ctx, wanted, client.DryRunAll)
	}
	if err != nil {
		return err
	}
	wanted.SetUID(live.GetUID())
	wanted.SetResourceVersion(live.GetResourceVersion())
	wanted.SetOwnerReferences(live.GetOwnerReferences())
	return p.cluster.Update(ctx, wanted, client.DryRunAll)
}

func (p planner) planPlatform(ctx context.Context, wanted *v1alpha1.StreamingPlatform, result *plan) error {
	live := &v1alpha1.StreamingPlatform{}
	if err := p.replace(ctx, wanted, live); err != nil {
		return err
	}
	teams, err := p.teams(ctx, wanted)
	if err != nil {
		return err
	}
	platform, err := platformOf(wanted, live.Status.Release, p.catalog, teams...)
	if err != nil {
		return err
	}
	keep := platform.Keep()
	for _, h := range platform.HandedOver {
		if err := p.planHandOver(ctx, live, h.Microservice, result); err != nil {
			return err
		}
	}
	for _, s := range platform.Services {
		if s.Problem != "" {
			result.add(planned{
				Impact: impactRefuse, Kind: "Microservice", Namespace: wanted.Namespace, Name: s.Microservice.Name,
				Note: "spec." + s.Problem,
			})
			continue
		}
		keep[s.Microservice.Name] = true
		if err := p.planMicroservice(ctx, s.Microservice, result); err != nil {
			return err
		}
	}
	return p.planRemovals(ctx, live, keep, result)
}

// teams are the Microservices of teams in a platform, which its services may call.
func (p planner) teams(ctx context.Context, of *v1alpha1.StreamingPlatform) ([]v1alpha1.Microservice, error) {
	list := &v1alpha1.MicroserviceList{}
	if err := p.cluster.List(ctx, list, client.InNamespace(of.Namespace)); err != nil {
		return nil, fmt.Errorf("list microservices: %w", err)
	}
	sharing := slices.DeleteFunc(list.Items, func(m v1alpha1.Microservice) bool {
		return m.Spec.PlatformRef.Name != of.Name || !m.DeletionTimestamp.IsZero()
	})
	return reconciler.Teams(of, sharing), nil
}

// planHandOver tells which Microservice the platform would give to its team.
func (p planner) planHandOver(ctx context.Context, platform *v1alpha1.StreamingPlatform, name string, result *plan) error {
	m := &v1alpha1.Microservice{}
	err := p.cluster.Get(ctx, client.ObjectKey{Namespace: platform.Namespace, Name: name}, m)
	if client.IgnoreNotFound(err) != nil {
		return err
	}
	change := planned{Impact: impactNone}
	if err == nil && platform.UID != "" && metav1.IsControlledBy(m, platform) {
		change = planned{
			Impact: impactMetadata, Kind: "Microservice", Namespace: m.Namespace, Name: m.Name, Note: "passes to its team",
		}
	}
	result.add(change)
	return nil
}

// planMicroservice compares what a Microservice has with what it would have.
func (p planner) planMicroservice(ctx context.Context, m *v1alpha1.Microservice, result *plan) error {
	if problem := problemOf(m); problem != "" {
		result.add(planned{Impact: impactRefuse, Kind: "Microservice", Namespace: m.Namespace, Name: m.Name, Note: "spec." + problem})
		return nil
	}
	if m.Spec.Paused {
		result.add(planned{Impact: impactNone})
		return nil
	}
	live := &v1alpha1.Microservice{}
	if err := client.IgnoreNotFound(p.cluster.Get(ctx, client.ObjectKeyFromObject(m), live)); err != nil {
		return err
	}
	if refused, err := p.planClaims(ctx, m, result); err != nil || refused {
		return err
	}
	config, err := p.config(ctx, m, live)
	if err != nil {
		return err
	}
	revision, err := p.revision(ctx, m, live, config)
	if err != nil {
		return err
	}
	if err := p.planMigration(ctx, m, live, revision, result); err != nil {
		return err
	}
	wanted := map[string]bool{}
	for _, object := range desired.Objects(desired.WithFloor(m, desired.FloorAt(m, p.now).Replicas), desired.SlotBlue, revision, config.Baseline) {
		followScale(object, m, live)
		change, err := p.change(ctx, object, func(o *unstructured.Unstructured) bool { return controlledBy(o, live) })
		if err != nil {
			return err
		}
		wanted[change.Kind+"/"+change.Name] = true
		result.add(change)
	}
	if fallback := desired.Fallback(m); fallback != nil {
		wanted["Ingress/"+fallback.Name] = true // it stays as long as no Gateway has accepted the route
	}
	if live.UID == "" {
		return nil
	}
	return p.eachOwned(ctx, live, func(o *unstructured.Unstructured) {
		if !wanted[o.GetKind()+"/"+o.GetName()] {
			result.add(removal(o))
		}
	})
}

// followScale: the pods follow the number of a Microservice that a team writes and
// others scale, in a step of its own.
func followScale(object client.Object, m, live *v1alpha1.Microservice) {
	d, ok := object.(*appsv1.Deployment)
	if ok && desired.ScaledElsewhere(live) && desired.ScaledElsewhere(m) && membership.IsTeams(live) {
		d.Spec.Replicas = m.Spec.Replicas
	}
}

// planClaims says whether a claim that exists keeps the service as it is.
func (p planner) planClaims(ctx context.Context, m *v1alpha1.Microservice, result *plan) (refused bool, err error) {
	ours := labels.SelectorFromSet(desired.ClaimedBy(m))
	for _, wanted := range desired.Claims(m) {
		live := &corev1.PersistentVolumeClaim{}
		err := p.cluster.Get(ctx, client.ObjectKeyFromObject(wanted), live)
		if client.IgnoreNotFound(err) != nil {
			return false, err
		}
		if problem := desired.ClaimProblem(m, live); err == nil && problem != "" {
			result.add(planned{Impact: impactRefuse, Kind: "Microservice", Namespace: m.Namespace, Name: m.Name, Note: "spec." + problem})
			return true, nil
		}
	}
	for _, wanted := range desired.Claims(m) {
		change, err := p.change(ctx, wanted, func(o *unstructured.Unstructured) bool { return ours.Matches(labels.Set(o.GetLabels())) })
		if err != nil {
			return false, err
		}
		result.add(change)
	}
	return false, nil
}

// config is as it is: what ConfigMaps and Secrets hold is no part of a manifest.
func (p planner) config(ctx context.Context, m, live *v1alpha1.Microservice) (desired.Config, error) {
	d := &appsv1.Deployment{}
	err := client.IgnoreNotFound(p.cluster.Get(ctx, client.ObjectKey{Namespace: m.Namespace, Name: desired.Name(m.Name, desired.SlotBlue)}, d))
	if err != nil || live.UID == "" || !metav1.IsControlledBy(d, live) || len(desired.References(m, desired.SlotBlue)) == 0 {
		return desired.Config{}, err
	}
	return desired.ConfigOf(d, ""), nil
}

// revision is the one that the Microservice would ask for: as it is stored, or
// else as this version renders it.
func (p planner) revision(ctx context.Context, m, live *v1alpha1.Microservice, config desired.Config) (desired.Revision, error) {
	wanted := desired.RevisionOf(m, desired.SlotBlue, config.Stamp)
	stored := &appsv1.ControllerRevision{}
	err := p.cluster.Get(ctx, client.ObjectKey{Namespace: m.Namespace, Name: wanted.Name}, stored)
	if err != nil || live.UID == "" || !metav1.IsControlledBy(stored, live) {
		return wanted, client.IgnoreNotFound(err)
	}
	return desired.ReadRevision(stored)
}

// planRemovals finds the services that would go, and everything of theirs.
func (p planner) planRemovals(ctx context.Context, live *v1alpha1.StreamingPlatform, keep map[string]bool, result *plan) error {
	list := &v1alpha1.MicroserviceList{}
	if err := p.cluster.List(ctx, list, client.InNamespace(live.Namespace)); live.UID != "" && err != nil {
		return err
	}
	for i := range list.Items {
		m := &list.Items[i]
		if live.UID == "" || !metav1.IsControlledBy(m, live) || keep[m.Name] {
			continue
		}
		result.add(planned{Impact: impactDelete, Kind: "Microservice", Namespace: m.Namespace, Name: m.Name})
		if err := p.eachOwned(ctx, m, func(o *unstructured.Unstructured) { result.add(removal(o)) }); err != nil {
			return err
		}
	}
	return nil
}
