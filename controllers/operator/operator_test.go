package operator

import "testing"

// The client's own limit of 5 requests a second would let a platform of 50
// services start in minutes.
func TestRequestsAreNotThrottled(t *testing.T) {
	t.Parallel()
	o := newWorld(t).start(catalog("1.0.0"))
	if qps := o.manager.GetConfig().QPS; qps >= 0 {
		t.Errorf("%g requests a second", qps)
	}
}
