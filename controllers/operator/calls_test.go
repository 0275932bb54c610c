package operator

import (
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// says waits until a condition of a platform has a message, or is not there.
func (w *world) says(p *v1alpha1.StreamingPlatform, kind, message string) {
	w.Helper()
	w.eventually(func() error {
		get(w, p.Name, p)
		c := apimeta.FindStatusCondition(p.Status.Conditions, kind)
		switch {
		case message == "" && c == nil:
			return nil
		case message != "" && c != nil && c.Message == message && c.ObservedGeneration == p.Generation:
			return nil
		}
		return fmt.Errorf("%s is %v, want message %q", kind, c, message)
	})
}

// Oddities of the call graph are told, and block nothing.
func TestCallGraph(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(catalog("1.0.0"))
	w.playControllers()
	p := w.platform(`{services: [
		{name: search, image: "registry.test/search:1", replicas: 1, calls: [{to: ranking, timeout: 500ms, retries: 1}]}]}`)
	w.ready(p)
	w.says(p, v1alpha1.ConditionCallsResolved, `services[search].calls[ranking]: the platform has no service "ranking"`)
	w.says(p, v1alpha1.ConditionCallGraphCyclic, "")

	t.Log("A team's Microservice joins under another name: callers find it, and a circle is told.")
	w.microservice("team-ranker", `{platformRef: {name: acme}, serviceName: ranking, image: "registry.test/ranking:1", replicas: 1,
		ports: [{name: http, port: 7000}], calls: [{to: search}, {to: nobody}]}`)
	w.says(p, v1alpha1.ConditionCallsResolved, `Microservice team-ranker: spec.calls[nobody]: the platform has no service "nobody"`)
	w.says(p, v1alpha1.ConditionCallGraphCyclic, "search → ranking → search")
	w.eventually(func() error {
		env := get(w, "acme-search-blue", &appsv1.Deployment{}).Spec.Template.Spec.Containers[0].Env
		for _, want := range []corev1.EnvVar{
			{Name: "RANKING_URL", Value: "http://team-ranker-headless." + w.namespace + ".svc:7000"},
			{Name: "RANKING_TIMEOUT", Value: "500ms"},
			{Name: "RANKING_RETRIES", Value: "1"},
		} {
			if got := variable(env, want.Name); got != want {
				return fmt.Errorf("%v, want %v", got, want)
			}
		}
		return nil
	})
	w.ready(p)

	t.Log("What is mended is no longer told.")
	change(w, get(w, "team-ranker", &v1alpha1.Microservice{}), func(m *v1alpha1.Microservice) { m.Spec.Calls = nil })
	w.says(p, v1alpha1.ConditionCallsResolved, "")
	w.says(p, v1alpha1.ConditionCallGraphCyclic, "")
}

// What the platform opens is open for each of its services, beside what a
// service opens itself.
func TestNetwork(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(catalog("1.0.0"))
	p := w.platform(`{
		network: {egress: [{cidr: 192.0.2.0/24, ports: [443]}], metricsFrom: [{namespaceSelector: {matchLabels: {a: b}}}]},
		services: [{name: streaming, network: {egress: [{cidr: 203.0.113.0/24}]}}]}`)
	for name, want := range map[string]string{"acme-gateway": "192.0.2.0/24", "acme-streaming": "192.0.2.0/24 203.0.113.0/24"} {
		policy := appears(w, name, &networkingv1.NetworkPolicy{})
		var got []string
		for _, rule := range policy.Spec.Egress {
			for _, to := range rule.To {
				if to.IPBlock != nil {
					got = append(got, to.IPBlock.CIDR)
				}
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s may reach %q, want %q", name, got, want)
		}
	}
	w.says(p, v1alpha1.ConditionCallsResolved, "")
	for name, tc := range map[string]struct{ spec, message string }{
		"no range":       {`{network: {egress: [{cidr: "192.0.2.1"}]}}`, "must be a range of addresses"},
		"no exception":   {`{network: {egress: [{cidr: 192.0.2.0/24, except: [x]}]}}`, "must be a range of addresses"},
		"no port":        {`{network: {egress: [{cidr: 192.0.2.0/24, ports: [0]}]}}`, "spec.network.egress[0].ports[0]"},
		"no time":        {`{services: [{name: gateway, calls: [{to: streaming, timeout: soon}]}]}`, "spec.services[0].calls[0].timeout"},
		"no patience":    {`{services: [{name: gateway, calls: [{to: streaming, timeout: 0s}]}]}`, "spec.services[0].calls[0].timeout"},
		"many more":      {`{services: [{name: gateway, calls: [{to: streaming, retries: 11}]}]}`, "spec.services[0].calls[0].retries"},
		"no name":        {`{services: [{name: gateway, calls: [{to: streaming, microservice: A}]}]}`, "spec.services[0].calls[0].microservice"},
		"unknown fields": {`{network: {ingress: []}}`, "unknown field"},
	} {
		err := w.send("StreamingPlatform", "wrong", tc.spec)
		if err == nil || !strings.Contains(err.Error(), tc.message) {
			t.Errorf("%s: %v, want %q", name, err, tc.message)
		}
	}
}

// isFalse says whether a condition is False, with a part of the message.
func (w *world) isFalse(p *v1alpha1.StreamingPlatform, kind, message string) error {
	w.Helper()
	c := apimeta.FindStatusCondition(get(w, p.Name, p).Status.Conditions, kind)
	if c == nil || c.Status != metav1.ConditionFalse || !strings.Contains(c.Message, message) {
		return fmt.Errorf("%s is %v, want message with %q", kind, c, message)
	}
	return nil
}
