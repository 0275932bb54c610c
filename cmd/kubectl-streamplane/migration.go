package main

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/microservice"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
)

// planMigration tells of the Job that would run before the first pod of a
// revision.
func (p planner) planMigration(ctx context.Context, m, live *v1alpha1.Microservice, revision desired.Revision, result *plan) error {
	if m.Spec.Migration == nil {
		return nil
	}
	attempt := int64(firstAttempt)
	if live.UID != "" {
		list := &appsv1.ControllerRevisionList{}
		if err := p.cluster.List(ctx, list, client.InNamespace(m.Namespace), client.MatchingLabels{desired.LabelInstance: m.Name}); err != nil {
			return err
		}
		for i := range list.Items {
			stored := &list.Items[i]
			if !metav1.IsControlledBy(stored, live) {
				continue
			}
			if stored.Name == revision.Name && microservice.Migrated(stored) {
				return nil
			}
			attempt = max(attempt, stored.Revision+1)
		}
	}
	result.add(planned{
		Impact: impactCreate, Kind: "Job", Namespace: m.Namespace, Name: desired.MigrationName(revision.Name, attempt),
		Note: "runs before the first new pod",
	})
	return nil
}
