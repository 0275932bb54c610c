package operator

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/microservice"
)

func searchStored(class string) string {
	return fmt.Sprintf(`{platformRef: {name: acme}, image: "registry.test/search:1", storage: [
		{name: index, kind: Single, size: 1Gi, mountPath: /index%s},
		{name: scratch, kind: Cache, size: 5Gi, mountPath: /scratch}]}`, class)
}

// A claim outlives its service, and the next one of that name has its data.
func TestStorageOutlivesTheService(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	m := w.microservice("search", searchStored(""))
	w.ready(m)
	o.settle()
	o.idle()

	claim := get(w, "search-index", &corev1.PersistentVolumeClaim{})
	if len(claim.OwnerReferences) > 0 || len(claim.Finalizers) > 1 { // Kubernetes protects claims in use
		t.Errorf("it would go with %v, %v", claim.OwnerReferences, claim.Finalizers)
	}
	d := get(w, "search-blue", &appsv1.Deployment{})
	if d.Spec.Strategy.Type != appsv1.RecreateDeploymentStrategyType || *d.Spec.Replicas != 1 {
		t.Errorf("strategy %s of %d pods", d.Spec.Strategy.Type, *d.Spec.Replicas)
	}

	t.Log("It stays when the service goes.")
	w.remove(m)
	w.goes(m)
	w.collectGarbage("search")
	w.untouched(claim)
	next := w.microservice("search", searchStored(""))
	w.ready(next)
	o.settle()
	w.untouched(claim)

	t.Log("It stays when the storage is no longer wanted.")
	change(w, next, func(m *v1alpha1.Microservice) { m.Spec.Storage = nil })
	w.ready(next)
	o.settle()
	w.untouched(claim)
	d = get(w, "search-blue", d)
	if d.Spec.Strategy.Type != appsv1.RollingUpdateDeploymentStrategyType {
		t.Errorf("strategy %s", d.Spec.Strategy.Type)
	}
	o.idle()
}

// collectGarbage does what a cluster does when a Microservice is gone.
func (w *world) collectGarbage(instance string) {
	w.Helper()
	for _, kind := range microservice.Owned() {
		err := w.client.DeleteAllOf(w.Context(), kind, client.InNamespace(w.namespace),
			client.MatchingLabels{"app.kubernetes.io/instance": instance})
		if err != nil {
			w.Fatal(err)
		}
	}
}

func TestStorageGrowsAndNeverShrinks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	class := &storagev1.StorageClass{
		ObjectMeta: metav1.ObjectMeta{Name: w.namespace}, Provisioner: "example.test/disk", AllowVolumeExpansion: new(true),
	}
	if err := w.client.Create(t.Context(), class); err != nil {
		t.Fatal(err)
	}
	m := w.microservice("search", searchStored(", storageClassName: "+class.Name))
	w.ready(m)
	claim := get(w, "search-index", &corev1.PersistentVolumeClaim{})
	w.bind(claim)
	size := func(s string) func(*v1alpha1.Microservice) {
		return func(m *v1alpha1.Microservice) { m.Spec.Storage[0].Size = s }
	}

	t.Log("It grows.")
	change(w, m, size("3Gi"))
	w.ready(m)
	if got := get(w, "search-index", claim).Spec.Resources.Requests.Storage().String(); got != "3Gi" {
		t.Errorf("size %s", got)
	}
	o.settle()

	t.Log("It refuses to shrink, and leaves what runs as it is.")
	before := w.children()
	change(w, m, size("2Gi"))
	w.becomes(m, v1alpha1.ConditionStalled, v1alpha1.ReasonInvalidSpec,
		"spec.storage[index].size: 2Gi is less than the 3Gi of PersistentVolumeClaim search-index, which cannot shrink: ask for 3Gi or more")
	change(w, m, func(m *v1alpha1.Microservice) {
		m.Spec.Storage[0].Size, m.Spec.Storage[0].Kind = "3Gi", v1alpha1.StorageShared
	})
	w.becomes(m, v1alpha1.ConditionStalled, v1alpha1.ReasonInvalidSpec,
		"spec.storage[index].kind: PersistentVolumeClaim search-index has access mode [ReadWriteOnce], which cannot change")
	if diff := cmp.Diff(before, w.children()); diff != "" {
		t.Errorf("objects changed (-before +after):\n%s", diff)
	}

	t.Log("It goes on once that is corrected.")
	change(w, m, func(m *v1alpha1.Microservice) { m.Spec.Storage[0].Kind = v1alpha1.StorageSingle })
	w.ready(m)
	o.settle()
	o.idle()
}

// bind does what a provisioner does.
func (w *world) bind(claim *corev1.PersistentVolumeClaim) {
	w.Helper()
	claim.Spec.VolumeName = "disk"
	if err := w.client.Update(w.Context(), claim); err != nil {
		w.Fatal(err)
	}
	claim.Status.Phase = corev1.ClaimBound
	claim.Status.Capacity = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}
	if err := w.client.Status().Update(w.Context(), claim); err != nil {
		w.Fatal(err)
	}
}

// A service never writes into storage that was not made for it.
func TestClaimsOfOthersAreNotMounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(catalog("1.0.0"))
	w.playControllers()
	theirs := &corev1.PersistentVolumeClaim{}
	w.createYAML(`{metadata: {name: search-index}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}`, theirs)
	m := w.microservice("search", searchStored(""))
	w.becomes(m, v1alpha1.ConditionStalled, v1alpha1.ReasonNameConflict, "PersistentVolumeClaim search-index exists")
	w.untouched(theirs)
	if all := serving(w.children()); len(all) > 1 {
		t.Errorf("made beside a claim of others: %v", all)
	}
}
