package pace

import (
	"testing"
	"testing/synctest"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

func request(name string) reconcile.Request {
	return reconcile.Request{NamespacedName: types.NamespacedName{Name: name}}
}

func TestLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := priorityqueue.New[reconcile.Request]("test")
		defer q.ShutDown()
		for range 3 {
			Later(q).Add(request("told"))
		}
		q.Add(request("done"))
		for _, want := range []string{"done", "told"} {
			got, _ := q.Get()
			q.Done(got)
			if got.Name != want {
				t.Errorf("got %s, want %s", got.Name, want)
			}
		}
		synctest.Wait()
		if n := q.Len(); n != 0 {
			t.Errorf("%d requests are left of three equal ones", n)
		}
	})
}

func TestWorkOvertakesWhatIsOnlyTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := priorityqueue.New[reconcile.Request]("test")
		defer q.ShutDown()
		Later(q).Add(request("same"))
		q.Add(request("same"))
		if got, priority, _ := q.GetWithPriority(); got.Name != "same" || priority != 0 {
			t.Errorf("got %s at priority %d", got.Name, priority)
		}
	})
}
