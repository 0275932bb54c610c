package chart

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	psaapi "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// everything sets each value to something other than its default.
const everything = `
operator:
  image: registry.test/operator@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
  imagePullPolicy: Always
  imagePullSecrets: [{name: registry}]
  replicas: 2
  logLevel: debug
  resources: {limits: {cpu: 1, memory: 1Gi}}
  extraArgs: [--metrics-bind-address=:9999]
  podAnnotations: {example.test/team: "video"}
  nodeSelector: {kubernetes.io/os: linux}
  tolerations: [{key: infra, operator: Exists, effect: NoSchedule}]
  affinity: {nodeAffinity: {}}
  priorityClassName: system-cluster-critical
release:
  name: "2.0"
  images: {gateway: "registry.test/gateway:2"}
serviceAccount: {annotations: {example.test/role: operator}}
watchNamespaces: [tv, radio]
admissionPolicies: {enabled: false}
metrics: {service: false, certSecret: certificate, serviceMonitor: true, alerts: true, dashboard: true}
`

func TestRenderedChartIsValidAndRestricted(t *testing.T) {
	for name, values := range map[string]string{"default values": "", "every value set": everything} {
		t.Run(name, func(t *testing.T) {
			all := helm(t, values) // decodes strictly
			pod := one[*appsv1.Deployment](t, all, "streamplane-operator").Spec.Template
			checkRestricted(t, &pod)
		})
	}
}

func TestKustomizeIsValidAndRestricted(t *testing.T) {
	pod := one[*appsv1.Deployment](t, kustomize(t), "streamplane-operator").Spec.Template
	checkRestricted(t, &pod)
}

func checkRestricted(t *testing.T, pod *corev1.PodTemplateSpec) {
	t.Helper()
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	level := psaapi.LevelVersion{Level: psaapi.LevelRestricted, Version: psaapi.LatestVersion()}
	for _, result := range evaluator.EvaluatePod(level, &pod.ObjectMeta, &pod.Spec) {
		if !result.Allowed {
			t.Errorf("not restricted: %s: %s", result.ForbiddenReason, result.ForbiddenDetail)
		}
	}
}

// The chart and config/default are two ways to install one thing.
func TestChartAndKustomizeAgree(t *testing.T) {
	chart, plain := helm(t, ""), kustomize(t)
	same(t, "pod", podSpec(t, chart), podSpec(t, plain))
	same(t, "cluster rules", one[*rbacv1.ClusterRole](t, chart, "streamplane-operator").Rules,
		one[*rbacv1.ClusterRole](t, plain, "streamplane-operator").Rules)
	same(t, "subjects", one[*rbacv1.ClusterRoleBinding](t, chart, "streamplane-operator").Subjects,
		one[*rbacv1.ClusterRoleBinding](t, plain, "streamplane-operator").Subjects)
	same(t, "namespaced rules", one[*rbacv1.Role](t, chart, "streamplane-operator").Rules,
		one[*rbacv1.Role](t, plain, "streamplane-operator").Rules)
	same(t, "ports", one[*corev1.Service](t, chart, "streamplane-operator-metrics").Spec.Ports,
		one[*corev1.Service](t, plain, "streamplane-operator-metrics").Spec.Ports)
	same(t, "releases", releases(t, chart), releases(t, plain))
	for _, name := range []string{"streamplane-metrics-auth", "streamplane-metrics-reader"} {
		same(t, name, one[*rbacv1.ClusterRole](t, chart, name).Rules, one[*rbacv1.ClusterRole](t, plain, name).Rules)
	}
	for _, name := range []string{"streamplane-streamingplatforms", "streamplane-microservices", "streamplane-operator-guardrail"} {
		same(t, name, one[*admissionregistrationv1.ValidatingAdmissionPolicy](t, chart, name).Spec,
			one[*admissionregistrationv1.ValidatingAdmissionPolicy](t, plain, name).Spec)
		same(t, name, one[*admissionregistrationv1.ValidatingAdmissionPolicyBinding](t, chart, name).Spec,
			one[*admissionregistrationv1.ValidatingAdmissionPolicyBinding](t, plain, name).Spec)
	}
	for _, name := range []string{"streamingplatforms.streamplane.dev", "microservices.streamplane.dev"} {
		same(t, name, one[*apiextensionsv1.CustomResourceDefinition](t, chart, name).Spec,
			one[*apiextensionsv1.CustomResourceDefinition](t, plain, name).Spec)
	}
}

// podSpec leaves out the name of the releases ConfigMap, to which kustomize adds a hash.
func podSpec(t *testing.T, all objects) corev1.PodSpec {
	t.Helper()
	spec := one[*appsv1.Deployment](t, all, "streamplane-operator").Spec.Template.Spec
	for i := range spec.Volumes {
		if source := spec.Volumes[i].ConfigMap; source != nil {
			source.Name, _, _ = strings.Cut(source.Name, "-releases")
		}
	}
	return spec
}

func same(t *testing.T, what string, chart, plain any) {
	t.Helper()
	if diff := cmp.Diff(chart, plain); diff != "" {
		t.Errorf("%s (-chart +kustomize):\n%s", what, diff)
	}
}

func TestServiceSelectsTheOperator(t *testing.T) {
	for name, all := range map[string]objects{"chart": helm(t, ""), "kustomize": kustomize(t)} {
		deployment := one[*appsv1.Deployment](t, all, "streamplane-operator")
		selector := one[*corev1.Service](t, all, "streamplane-operator-metrics").Spec.Selector
		for _, labels := range []map[string]string{selector, deployment.Spec.Selector.MatchLabels} {
			for key, value := range labels {
				if got := deployment.Spec.Template.Labels[key]; got != value {
					t.Errorf("%s: selector %s=%s, but the pod has %q", name, key, value, got)
				}
			}
		}
	}
}

func TestDefaultsRunTheReleaseOfTheChart(t *testing.T) {
	all := helm(t, "")
	deployment := one[*appsv1.Deployment](t, all, "streamplane-operator")
	version := deployment.Labels["app.kubernetes.io/version"]
	if image := deployment.Spec.Template.Spec.Containers[0].Image; !strings.HasSuffix(image, "/operator:"+version) {
		t.Errorf("operator %s in a chart of version %s", image, version)
	}
	list := releases(t, all).Releases
	if len(list) != 1 || list[0].Name != version {
		t.Fatalf("releases %v in a chart of version %s", list, version)
	}
	for service, image := range list[0].Images {
		if !strings.HasSuffix(image, "/"+service+":"+version) {
			t.Errorf("service %s runs %s in release %s", service, image, version)
		}
	}
}

func TestChangedReleaseRestartsTheOperator(t *testing.T) {
	checksum := func(values string) string {
		pod := one[*appsv1.Deployment](t, helm(t, values), "streamplane-operator").Spec.Template
		return pod.Annotations["streamplane.dev/releases-checksum"]
	}
	before, after := checksum(""), checksum("release: {images: {gateway: \"registry.test/gateway:2\"}}")
	if before == "" || before == after {
		t.Errorf("checksum %q before, %q after", before, after)
	}
}

func TestCRDsCanBeLeftOutAndOutliveTheRelease(t *testing.T) {
	crds := ofType[*apiextensionsv1.CustomResourceDefinition](helm(t, ""))
	if len(crds) != 2 {
		t.Errorf("%d CRDs, want 2", len(crds))
	}
	for _, crd := range crds {
		if got := crd.Annotations["helm.sh/resource-policy"]; got != "keep" {
			t.Errorf("%s: resource policy %q: helm uninstall would delete every platform", crd.Name, got)
		}
	}
	if crds := ofType[*apiextensionsv1.CustomResourceDefinition](helm(t, "crds: {install: false}")); len(crds) != 0 {
		t.Errorf("%d CRDs with crds.install=false", len(crds))
	}
}

func TestValuesSchemaNamesTheMistake(t *testing.T) {
	cases := map[string]struct{ values, want string }{
		"unknown key":         {"operator: {imgae: x}", "imgae"},
		"wrong pull policy":   {"operator: {imagePullPolicy: Sometimes}", "/operator/imagePullPolicy"},
		"no release images":   {"release: {images: null}", "images"},
		"negative replicas":   {"operator: {replicas: -1}", "/operator/replicas"},
		"image with a space":  {"operator: {image: \"a b\"}", "/operator/image"},
		"no namespace":        {"watchNamespaces: [\"tv,radio\"]", "/watchNamespaces/0"},
		"argument not a flag": {"operator: {extraArgs: [verbose]}", "/operator/extraArgs"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, message, err := template(t, tc.values)
			if err == nil {
				t.Fatal("accepted")
			}
			if !strings.Contains(message, tc.want) {
				t.Errorf("message does not name %s:\n%s", tc.want, message)
			}
		})
	}
}
