package platform

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/apply"
	"github.com/streamplane/streamplane/controllers/conditions"
	"github.com/streamplane/streamplane/controllers/platform/desired"
)

const generation = 7

// seen is a service as the platform wants it, and its Microservice as it runs.
type seen struct {
	name    string
	problem string
	// live is nil when the Microservice does not exist.
	live *conditions.Summary
	// calls are the services that it calls.
	calls []string
	// autoscaling of the Microservice as it runs.
	autoscaling *v1alpha1.Autoscaling
	// stale says that the live status speaks of an older generation.
	stale bool
}

func (s seen) microservice() v1alpha1.Microservice {
	m := v1alpha1.Microservice{ObjectMeta: metav1.ObjectMeta{Name: "acme-" + s.name, Namespace: "tv", Generation: 3}}
	m.Spec.Image = "live/" + s.name
	m.Spec.Autoscaling = s.autoscaling
	m.Status.Pods = "1/2"
	m.Status.ObservedGeneration = 3
	if s.stale {
		m.Status.ObservedGeneration = 2
	}
	conditions.Set(&m.Status.Conditions, m.Status.ObservedGeneration, *s.live)
	return m
}

func observedOf(services ...seen) observed {
	o := observed{
		platform:      &v1alpha1.StreamingPlatform{ObjectMeta: metav1.ObjectMeta{Name: "acme", Generation: generation}},
		microservices: map[string]v1alpha1.Microservice{},
		releaseName:   "1.0", known: true,
	}
	for _, s := range services {
		wanted := &v1alpha1.Microservice{ObjectMeta: metav1.ObjectMeta{Name: "acme-" + s.name, Namespace: "tv"}}
		wanted.Spec.Image = "wanted/" + s.name
		for _, callee := range s.calls {
			wanted.Spec.Calls = append(wanted.Spec.Calls, v1alpha1.Call{To: callee})
		}
		o.wanted.Services = append(o.wanted.Services, desired.Service{Name: s.name, Microservice: wanted, Problem: s.problem})
		if s.live != nil {
			o.microservices[wanted.Name] = s.microservice()
		}
	}
	return o
}

func TestConditions(t *testing.T) {
	ready := conditions.Ready("Available", "2 pods available")
	starting := conditions.Reconciling("Progressing", "0 of 2 pods updated")
	broken := conditions.Stalled("ProgressDeadlineExceeded", "no progress")
	a := func(live conditions.Summary) seen { return seen{name: "a", live: &live} }
	b := func(live conditions.Summary) seen { return seen{name: "b", live: &live} }
	stale := func(s seen) seen {
		s.stale = true
		return s
	}
	invalid := func(s seen) seen {
		s.problem = "services[" + s.name + "].image: required"
		return s
	}
	unknown := observedOf()
	unknown.known, unknown.releaseName = false, "9.9"
	cases := map[string]struct {
		observed observed
		did      outcome
		want     string // kind reason: message
	}{
		"all are ready": {observedOf(a(ready), b(ready)), outcome{}, "Ready Available: all 2 services are available"},
		"no services":   {observedOf(), outcome{}, "Ready Available: all 0 services are available"},
		"unknown release": {
			unknown,
			outcome{releases: "2.0, 1.0"},
			`Stalled UnknownRelease: spec.release: this operator has no release "9.9", only 2.0, 1.0; what runs is left as it is`,
		},
		"a name is taken": {
			observedOf(a(ready)),
			outcome{Done: apply.Done{Writes: 1}, err: errors.Join(errors.New("x"), &apply.ConflictError{Kind: "Microservice", Name: "acme-b"})},
			"Stalled NameConflict: Microservice acme-b exists and was not made for this resource: delete or rename it, or let the platform take it with the annotation streamplane.dev/handed-over-by: acme",
		},
		"a write failed": {observedOf(a(ready)), outcome{err: errors.New("apply: no")}, "Reconciling ApplyFailed: apply: no"},
		"just written":   {observedOf(a(ready)), outcome{Done: apply.Done{Writes: 1}}, "Reconciling Progressing: changes are being applied"},
		"written, one is missing": {
			observedOf(a(ready), seen{name: "b"}), outcome{Done: apply.Done{Writes: 1}}, "Reconciling ServicesNotReady: b: waiting for the Microservice",
		},
		"written, one is broken: the change may mend it": {
			observedOf(a(ready), b(broken)), outcome{Done: apply.Done{Writes: 1}}, "Reconciling Progressing: changes are being applied",
		},
		"one is invalid":   {observedOf(a(starting), invalid(b(ready))), outcome{}, "Stalled InvalidSpec: services[b].image: required"},
		"invalid and new":  {observedOf(invalid(seen{name: "b"})), outcome{}, "Stalled InvalidSpec: services[b].image: required"},
		"one is starting":  {observedOf(a(ready), b(starting)), outcome{}, "Reconciling ServicesNotReady: b: 0 of 2 pods updated"},
		"one is missing":   {observedOf(a(ready), seen{name: "b"}), outcome{}, "Reconciling ServicesNotReady: b: waiting for the Microservice"},
		"one is broken":    {observedOf(a(ready), b(broken)), outcome{}, "Stalled ServicesNotReady: b: no progress"},
		"broken first":     {observedOf(a(starting), b(broken)), outcome{}, "Stalled ServicesNotReady: b: no progress"},
		"ready, but older": {observedOf(a(ready), stale(b(ready))), outcome{}, "Reconciling ServicesNotReady: b: waiting for the Microservice"},
		"broken, but older: the change may mend it": {
			observedOf(a(ready), stale(b(broken))), outcome{}, "Reconciling ServicesNotReady: b: waiting for the Microservice",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			status := statusOf(tc.observed, tc.did)
			if got := read(t, status.Conditions); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
			if status.ObservedGeneration != generation {
				t.Errorf("observed generation %d", status.ObservedGeneration)
			}
		})
	}
}

// read checks the rules of kstatus and returns the summary.
func read(t *testing.T, all []metav1.Condition) string {
	t.Helper()
	ready := apimeta.FindStatusCondition(all, v1alpha1.ConditionReady)
	if ready == nil {
		t.Fatal("no Ready condition")
	}
	kind := v1alpha1.ConditionReady
	for _, c := range all {
		if c.ObservedGeneration != generation {
			t.Errorf("%s speaks of generation %d", c.Type, c.ObservedGeneration)
		}
		if c.Type != v1alpha1.ConditionReconciling && c.Type != v1alpha1.ConditionStalled {
			continue
		}
		if kind != v1alpha1.ConditionReady {
			t.Errorf("both %s and %s", kind, c.Type)
		}
		kind = c.Type
	}
	if (ready.Status == metav1.ConditionTrue) != (kind == v1alpha1.ConditionReady) {
		t.Errorf("Ready=%s with %s", ready.Status, kind)
	}
	return kind + " " + ready.Reason + ": " + ready.Message
}

func TestServiceLines(t *testing.T) {
	long := conditions.Stalled("NameConflict", strings.Repeat("x", 600))
	ready := conditions.Ready("Available", "2 pods available")
	o := observedOf(
		seen{name: "runs", live: &ready, autoscaling: &v1alpha1.Autoscaling{MinReplicas: 2, MaxReplicas: 6}},
		seen{name: "missing"},
		seen{name: "older", live: &ready, stale: true},
		seen{name: "invalid", live: &ready, problem: "services[invalid].image: required"},
		seen{name: "talks", live: &long},
		seen{name: "scales", live: &ready, autoscaling: &v1alpha1.Autoscaling{Mode: v1alpha1.AutoscalingExternal}},
	)
	status := statusOf(o, outcome{})
	want := []v1alpha1.ServiceStatus{
		{Name: "runs", Microservice: "acme-runs", Ready: "True", Reason: "Available", Message: "2 pods available", Pods: "1/2", Image: "live/runs", Address: "http://acme-runs.tv.svc:8080", Scale: "2..6"},
		{Name: "missing", Microservice: "acme-missing", Ready: "Unknown", Reason: "Progressing", Message: "waiting for the Microservice", Image: "wanted/missing", Address: "http://acme-missing.tv.svc:8080", Scale: "1"},
		{Name: "older", Microservice: "acme-older", Ready: "Unknown", Reason: "Progressing", Message: "waiting for the Microservice", Pods: "1/2", Image: "live/older", Address: "http://acme-older.tv.svc:8080", Scale: "1"},
		{Name: "invalid", Microservice: "acme-invalid", Ready: "False", Reason: "InvalidSpec", Message: "services[invalid].image: required", Pods: "1/2", Image: "live/invalid", Address: "http://acme-invalid.tv.svc:8080", Scale: "1"},
		{Name: "talks", Microservice: "acme-talks", Ready: "False", Reason: "NameConflict", Message: conditions.Shorten(long.Message), Pods: "1/2", Image: "live/talks", Address: "http://acme-talks.tv.svc:8080", Scale: "1"},
		{Name: "scales", Microservice: "acme-scales", Ready: "True", Reason: "Available", Message: "2 pods available", Pods: "1/2", Image: "live/scales", Address: "http://acme-scales.tv.svc:8080", Scale: "external"},
	}
	if diff := cmp.Diff(want, status.Services); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if status.ServicesReady != "2/6" || status.Release != "1.0" {
		t.Errorf("services ready %s, release %s", status.ServicesReady, status.Release)
	}
}

// What was known of the services stays when the operator does not know their release.
func TestUnknownReleaseKeepsTheLines(t *testing.T) {
	ready := conditions.Ready("Available", "2 pods available")
	o := observedOf(seen{name: "a", live: &ready})
	o.platform.Status = statusOf(o, outcome{})
	before := o.platform.DeepCopy()
	o.known, o.releaseName, o.wanted = false, "9.9", desired.Platform{}
	status := statusOf(o, outcome{releases: "1.0"})
	if diff := cmp.Diff(before.Status.Services, status.Services); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
	if status.Release != "1.0" {
		t.Errorf("release %s", status.Release)
	}
	if diff := cmp.Diff(before, o.platform); diff != "" {
		t.Errorf("the platform was changed (-before +after):\n%s", diff)
	}
}
