package chart

import (
	"encoding/json"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestMonitoringIsOptional(t *testing.T) {
	all := helm(t, "")
	if found := ofType[*unstructured.Unstructured](all); len(found) > 0 {
		t.Errorf("objects of a CRD that need not be there: %v", found)
	}
	for _, config := range ofType[*corev1.ConfigMap](all) {
		if config.Name == "streamplane-dashboard" {
			t.Error("a dashboard that nobody asked for")
		}
	}
}

func TestServiceMonitor(t *testing.T) {
	cases := map[string]struct{ values, scheme, server string }{
		"default":     {"serviceMonitor: true", "https", ""},
		"certificate": {"serviceMonitor: true, certSecret: mine", "https", "streamplane-operator-metrics.streamplane-system.svc"},
		"insecure":    {"serviceMonitor: true, secure: false", "", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			all := helm(t, "metrics: {"+tc.values+"}")
			monitor := one[*unstructured.Unstructured](t, all, "streamplane-operator")
			endpoints, _, err := unstructured.NestedSlice(monitor.Object, "spec", "endpoints")
			if err != nil || len(endpoints) != 1 {
				t.Fatalf("%d endpoints, %v", len(endpoints), err)
			}
			endpoint := endpoints[0].(map[string]any)
			if scheme, _ := endpoint["scheme"].(string); scheme != tc.scheme {
				t.Errorf("scheme %q, want %q", scheme, tc.scheme)
			}
			if server, _, _ := unstructured.NestedString(endpoint, "tlsConfig", "serverName"); server != tc.server {
				t.Errorf("server %q, want %q", server, tc.server)
			}
			selector, _, err := unstructured.NestedStringMap(monitor.Object, "spec", "selector", "matchLabels")
			service := one[*corev1.Service](t, all, "streamplane-operator-metrics")
			if err != nil || endpoint["port"] != service.Spec.Ports[0].Name {
				t.Errorf("port %v of %v, %v", endpoint["port"], service.Spec.Ports, err)
			}
			for key, value := range selector {
				if service.Labels[key] != value {
					t.Errorf("selects %s=%s, the Service has %q", key, value, service.Labels[key])
				}
			}
		})
	}
}

func TestAlertsSayWhatToDo(t *testing.T) {
	rule := one[*unstructured.Unstructured](t, helm(t, "metrics: {alerts: true}"), "streamplane-operator")
	groups, _, err := unstructured.NestedSlice(rule.Object, "spec", "groups")
	if err != nil || len(groups) != 1 {
		t.Fatalf("%d groups, %v", len(groups), err)
	}
	alerts, _, err := unstructured.NestedSlice(groups[0].(map[string]any), "rules")
	if err != nil || len(alerts) == 0 {
		t.Fatalf("%d alerts, %v", len(alerts), err)
	}
	for _, entry := range alerts {
		alert := entry.(map[string]any)
		for _, path := range [][]string{{"expr"}, {"for"}, {"labels", "severity"}, {"annotations", "summary"}, {"annotations", "description"}} {
			if value, _, err := unstructured.NestedString(alert, path...); err != nil || value == "" {
				t.Errorf("%v has no %v: %v", alert["alert"], path, err)
			}
		}
	}
}

func TestDashboardIsJSON(t *testing.T) {
	content := one[*corev1.ConfigMap](t, helm(t, "metrics: {dashboard: true}"), "streamplane-dashboard").Data["streamplane.json"]
	var dashboard struct {
		UID    string `json:"uid"`
		Panels []struct {
			ID      int    `json:"id"`
			Title   string `json:"title"`
			Targets []struct {
				Expr string `json:"expr"`
			} `json:"targets"`
		} `json:"panels"`
	}
	if err := json.Unmarshal([]byte(content), &dashboard); err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	for _, panel := range dashboard.Panels {
		if seen[panel.ID] || panel.Title == "" || len(panel.Targets) == 0 {
			t.Errorf("panel %d %q with %d targets", panel.ID, panel.Title, len(panel.Targets))
		}
		seen[panel.ID] = true
		for _, target := range panel.Targets {
			if strings.Count(target.Expr, "(") != strings.Count(target.Expr, ")") {
				t.Errorf("%s: %s", panel.Title, target.Expr)
			}
		}
	}
	if len(seen) == 0 || dashboard.UID == "" {
		t.Error("no dashboard")
	}
}
