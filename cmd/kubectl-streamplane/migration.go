package main

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/microservice"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
)

// planMigration tells of the Job that would run before the first pod of a
// revision, unless it has been begun.
func (p planner) planMigration(ctx context.Context, m, live *v1alpha1.Microservice, revision desired.Revision, result *plan) error {
	if m.Spec.Migration == nil {
		return nil
	}
	attempt, done, err := p.attempt(ctx, live, revision.Name)
	if err != nil || done {
		return err
	}
	job := &batchv1.Job{}
	job.Name, job.Namespace = desired.MigrationName(revision.Name, attempt), m.Namespace
	if err := p.cluster.Get(ctx, client.ObjectKeyFromObject(job), job); !apierrors.IsNotFound(err) {
		return err
	}
	result.add(planned{
		Impact: impactCreate, Kind: "Job", Namespace: job.Namespace, Name: job.Name, Note: "runs before the first new pod",
	})
	return nil
}

// attempt is the number that the next, or the running, attempt at a revision has;
// done says that its migration is.
func (p planner) attempt(ctx context.Context, live *v1alpha1.Microservice, revision string) (n int64, done bool, err error) {
	if live.UID == "" {
		return firstAttempt, false, nil
	}
	list := &appsv1.ControllerRevisionList{}
	if err := p.cluster.List(ctx, list, client.InNamespace(live.Namespace), client.MatchingLabels{desired.LabelInstance: live.Name}); err != nil {
		return 0, false, fmt.Errorf("list revisions: %w", err)
	}
	var newest appsv1.ControllerRevision
	for _, r := range list.Items {
		if !metav1.IsControlledBy(&r, live) {
			continue
		}
		done = done || r.Name == revision && microservice.Migrated(&r)
		if r.Revision > newest.Revision {
			newest = r
		}
	}
	if newest.Name == revision {
		return newest.Revision, done, nil
	}
	return newest.Revision + 1, done, nil
}
