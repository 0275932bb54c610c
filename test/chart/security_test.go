package chart

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	rbacv1 "k8s.io/api/rbac/v1"
)

// clusterRoles are the names of what holds or gives rights in the whole cluster.
func clusterRoles(all objects) []string {
	var names []string
	for _, role := range ofType[*rbacv1.ClusterRole](all) {
		names = append(names, "role "+role.Name)
	}
	for _, binding := range ofType[*rbacv1.ClusterRoleBinding](all) {
		names = append(names, "binding "+binding.Name)
	}
	slices.Sort(names)
	return names
}

func TestRightsInTheCluster(t *testing.T) {
	metrics := []string{"binding streamplane-metrics-auth", "role streamplane-metrics-auth", "role streamplane-metrics-reader"}
	cases := map[string]struct {
		values string
		want   []string
	}{
		"everywhere": {"", slices.Concat(
			metrics[:1], []string{"binding streamplane-operator", "binding streamplane-secrets"},
			metrics[1:], []string{"role streamplane-operator", "role streamplane-secrets"},
		)},
		"without Secrets": {"rbac: {secrets: false}", slices.Concat(
			metrics[:1], []string{"binding streamplane-operator"}, metrics[1:], []string{"role streamplane-operator"},
		)},
		"in some namespaces":               {"watchNamespaces: [tv, radio]", metrics},
		"in a namespace with open metrics": {"{watchNamespaces: [tv], metrics: {secure: false}}", nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, clusterRoles(helm(t, tc.values))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestRolesInNamespaces(t *testing.T) {
	everywhere := one[*rbacv1.ClusterRole](t, helm(t, ""), "streamplane-operator").Rules
	// The namespace of the operator itself may be watched like any other.
	all := helm(t, "watchNamespaces: [tv, streamplane-system]")
	var namespaces []string
	for _, role := range ofType[*rbacv1.Role](all) {
		if role.Name == "streamplane-workloads" {
			namespaces = append(namespaces, role.Namespace)
			same(t, "rules in "+role.Namespace, role.Rules, everywhere)
		}
	}
	want := []string{"tv", "streamplane-system"}
	if diff := cmp.Diff(want, namespaces); diff != "" {
		t.Errorf("roles (-want +got):\n%s", diff)
	}
	namespaces = nil
	for _, binding := range ofType[*rbacv1.RoleBinding](all) {
		if binding.Name != "streamplane-workloads" {
			continue
		}
		namespaces = append(namespaces, binding.Namespace)
		wantRole := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "streamplane-workloads"}
		wantSubject := rbacv1.Subject{Kind: "ServiceAccount", Name: "streamplane-operator", Namespace: "streamplane-system"}
		if len(binding.Subjects) != 1 || binding.Subjects[0] != wantSubject || binding.RoleRef != wantRole {
			t.Errorf("binding in %s: %v to %v", binding.Namespace, binding.RoleRef, binding.Subjects)
		}
	}
	if diff := cmp.Diff(want, namespaces); diff != "" {
		t.Errorf("bindings (-want +got):\n%s", diff)
	}
	one[*rbacv1.Role](t, all, "streamplane-operator") // its lease
	args := one[*appsv1.Deployment](t, all, "streamplane-operator").Spec.Template.Spec.Containers[0].Args
	if !slices.Contains(args, "--watch-namespaces=tv,streamplane-system") {
		t.Errorf("the operator gets %v", args)
	}
}

// With rbac.secrets=false no role speaks of Secrets, and the operator knows.
func TestSecretsCanBeLeftOut(t *testing.T) {
	cases := map[string]struct {
		values string
		want   bool
	}{
		"default":                     {"", true},
		"in a namespace":              {"watchNamespaces: [tv]", true},
		"without":                     {"rbac: {secrets: false}", false},
		"without them in a namespace": {"{rbac: {secrets: false}, watchNamespaces: [tv]}", false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			all := helm(t, tc.values)
			var rules []rbacv1.PolicyRule
			for _, role := range ofType[*rbacv1.ClusterRole](all) {
				rules = append(rules, role.Rules...)
			}
			for _, role := range ofType[*rbacv1.Role](all) {
				rules = append(rules, role.Rules...)
			}
			may := slices.ContainsFunc(rules, func(r rbacv1.PolicyRule) bool { return slices.Contains(r.Resources, "secrets") })
			args := one[*appsv1.Deployment](t, all, "streamplane-operator").Spec.Template.Spec.Containers[0].Args
			if does := !slices.Contains(args, "--watch-secrets=false"); may != tc.want || does != tc.want {
				t.Errorf("roles allow Secrets: %t, the operator watches them: %t, want %t", may, does, tc.want)
			}
		})
	}
}

func TestMetricsValues(t *testing.T) {
	cases := map[string]struct {
		values string
		want   []string
	}{
		"default":     {"", nil},
		"insecure":    {"metrics: {secure: false}", []string{"--metrics-secure=false"}},
		"certificate": {"metrics: {certSecret: mine}", []string{"--metrics-cert-dir=/etc/streamplane-metrics"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			pod := one[*appsv1.Deployment](t, helm(t, tc.values), "streamplane-operator").Spec.Template.Spec
			var got []string
			for _, arg := range pod.Containers[0].Args {
				if strings.HasPrefix(arg, "--metrics-") && !strings.HasPrefix(arg, "--metrics-bind-address") {
					got = append(got, arg)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("arguments (-want +got):\n%s", diff)
			}
			for _, mount := range pod.Containers[0].VolumeMounts {
				if mount.Name == "metrics-cert" && "--metrics-cert-dir="+mount.MountPath != got[0] {
					t.Errorf("the certificate is at %s", mount.MountPath)
				}
			}
		})
	}
}

func TestPoliciesCanBeLeftOut(t *testing.T) {
	if all := ofType[*admissionregistrationv1.ValidatingAdmissionPolicy](helm(t, "")); len(all) != 3 {
		t.Errorf("%d policies, want 3", len(all))
	}
	all := helm(t, "admissionPolicies: {enabled: false}")
	policies := ofType[*admissionregistrationv1.ValidatingAdmissionPolicy](all)
	bindings := ofType[*admissionregistrationv1.ValidatingAdmissionPolicyBinding](all)
	if len(policies)+len(bindings) > 0 {
		t.Errorf("%d policies, %d bindings with admissionPolicies.enabled=false", len(policies), len(bindings))
	}
}

// The policies name the operator by its user, which has the namespace of the release in it.
func TestPoliciesKnowTheOperator(t *testing.T) {
	for _, policy := range ofType[*admissionregistrationv1.ValidatingAdmissionPolicy](helmIn(t, "elsewhere", "")) {
		expression := policy.Spec.MatchConditions[0].Expression
		if !strings.Contains(expression, `"system:serviceaccount:elsewhere:streamplane-operator"`) {
			t.Errorf("%s: %s", policy.Name, expression)
		}
	}
}
