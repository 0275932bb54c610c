package apply

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// OwnerIndex is the cache index by the UID of an object's controller.
const OwnerIndex = "metadata.controllerUID"

// IndexByOwner lets Sync find the objects of each kind that an owner controls.
func IndexByOwner(ctx context.Context, indexer client.FieldIndexer, kinds []client.Object) error {
	for _, kind := range kinds {
		err := indexer.IndexField(ctx, kind, OwnerIndex, func(o client.Object) []string {
			if controller := metav1.GetControllerOf(o); controller != nil {
				return []string{string(controller.UID)}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("index %T by owner: %w", kind, err)
		}
	}
	return nil
}
