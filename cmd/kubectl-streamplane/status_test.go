package main

import (
	"bytes"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/internal/golden"
)

// Every condition that is not as it should be has a row, also one that this
// program does not know.
func TestStatusShowsWhatNeedsAttention(t *testing.T) {
	condition := func(kind string, status metav1.ConditionStatus, message string) metav1.Condition {
		return metav1.Condition{Type: kind, Status: status, Message: message}
	}
	p := v1alpha1.StreamingPlatform{ObjectMeta: metav1.ObjectMeta{Namespace: "tv", Name: "acme", Generation: 1}}
	p.Status.ObservedGeneration = 1
	p.Status.Conditions = []metav1.Condition{
		condition(v1alpha1.ConditionReady, metav1.ConditionFalse, "search: no progress"),
		condition(v1alpha1.ConditionStalled, metav1.ConditionTrue, "search: no progress"),
		condition(v1alpha1.ConditionMembersReady, metav1.ConditionTrue, "all 2 members are ready"),
		condition(v1alpha1.ConditionCallGraphCyclic, metav1.ConditionTrue, "search calls shop, which calls search"),
		condition("Backed", metav1.ConditionFalse, "there is no backup"),
	}
	p.Status.Services = []v1alpha1.ServiceStatus{
		{Name: "gateway", Microservice: "acme-gateway", Ready: metav1.ConditionTrue, Pods: "2/2", Message: "2 pods available"},
		{Name: "search", Microservice: "acme-search", Ready: metav1.ConditionFalse, Pods: "0/1", Message: "no progress"},
	}
	service := func(name string, all ...metav1.Condition) v1alpha1.Microservice {
		m := v1alpha1.Microservice{ObjectMeta: metav1.ObjectMeta{Namespace: "tv", Name: name}}
		m.Status.Conditions = all
		return m
	}
	services := []v1alpha1.Microservice{
		service("acme-gateway",
			condition(v1alpha1.ConditionReady, metav1.ConditionTrue, "2 pods available"),
			condition(v1alpha1.ConditionPaused, metav1.ConditionTrue, "spec.paused: changes wait until it is removed"),
			condition(v1alpha1.ConditionScalingActive, metav1.ConditionUnknown, "the autoscaler has not reported yet"),
			condition(v1alpha1.ConditionRouteReady, metav1.ConditionTrue, "accepted by Gateway edge")),
		service("acme-search",
			condition(v1alpha1.ConditionReconciling, metav1.ConditionTrue, "no progress"),
			condition(v1alpha1.ConditionConfigResolved, metav1.ConditionFalse, "Secret keys is missing")),
		service("other", condition(v1alpha1.ConditionPaused, metav1.ConditionTrue, "spec.paused")),
	}
	var out bytes.Buffer
	if err := writeStatus(&out, "table", []v1alpha1.StreamingPlatform{p}, services); err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, "testdata/status.golden.txt", out.Bytes())
}
