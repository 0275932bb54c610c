package operator

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

var (
	mayWriteOurs = rbacv1.PolicyRule{
		APIGroups: []string{"streamplane.dev"}, Resources: []string{"streamingplatforms", "microservices"},
		Verbs: []string{"get", "create", "update", "patch"},
	}
	mayCreateDeployments = rbacv1.PolicyRule{APIGroups: []string{"apps"}, Resources: []string{"deployments"}, Verbs: []string{"create"}}
	mayGetSecrets        = rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"get"}}
	mayCreateIngresses   = rbacv1.PolicyRule{APIGroups: []string{"networking.k8s.io"}, Resources: []string{"ingresses"}, Verbs: []string{"create"}}
	mayCreateRoutes      = rbacv1.PolicyRule{APIGroups: []string{"gateway.networking.k8s.io"}, Resources: []string{"httproutes"}, Verbs: []string{"create"}}
	mayCreateMonitors    = rbacv1.PolicyRule{APIGroups: []string{"monitoring.coreos.com"}, Resources: []string{"servicemonitors"}, Verbs: []string{"create"}}
	mayCreateScaled      = rbacv1.PolicyRule{APIGroups: []string{"keda.sh"}, Resources: []string{"scaledobjects"}, Verbs: []string{"create"}}
	mayCreateClaims      = rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"persistentvolumeclaims"}, Verbs: []string{"create"}}
	mayRunAsDB           = rbacv1.PolicyRule{
		APIGroups: []string{""}, Resources: []string{"serviceaccounts"}, ResourceNames: []string{"db"}, Verbs: []string{"impersonate"},
	}
)

func clientOf(t *testing.T, cfg *rest.Config) client.Client {
	t.Helper()
	c, err := client.New(cfg, client.Options{Scheme: plane.scheme})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// answer is whether a write was admitted: want is empty, or a part of the
// refusal.
func answer(err error, want string) error {
	switch {
	case want == "" && err != nil:
		return fmt.Errorf("refused: %w", err)
	case want != "" && err == nil:
		return errors.New("admitted, but want: " + want)
	case want != "" && !strings.Contains(err.Error(), want):
		return fmt.Errorf("refused, but not with %q: %w", want, err)
	}
	return nil
}

const (
	needsDeployments = "you must be allowed to create deployments.apps in namespace "
	needsSecrets     = "you must be allowed to get secrets in namespace "
	needsClaims      = "you must be allowed to create persistentvolumeclaims in namespace "
	needsAccounts    = "you must be allowed to impersonate serviceaccounts in namespace "
)

// Who may only write resources of ours must not run pods with them.
func TestRequesterNeedsTheRightsThatAreUsed(t *testing.T) {
	t.Parallel()
	const (
		secretEnv    = `env: [{name: A, value: b}, {name: KEY, valueFrom: {secretKeyRef: {name: other, key: key}}}]`
		configMapEnv = `env: [{name: KEY, valueFrom: {configMapKeyRef: {name: mine, key: key}}}]`
		initSecret   = `initContainers: [{name: a, image: "registry.test/x:1"}, {name: b, image: "registry.test/x:1", ` + secretEnv + `}]`
	)
	workloads := map[string]struct {
		fields   string
		secrets  bool
		accounts bool
		claims   bool
		makes    string
	}{
		"harmless":       {fields: configMapEnv},
		"variable":       {fields: secretEnv, secrets: true},
		"init container": {fields: initSecret, secrets: true},
		"pull secret":    {fields: `imagePullSecrets: [{name: registry}]`, secrets: true},
		"variables":      {fields: `envFrom: [{configMapRef: {name: a}}, {secretRef: {name: b}}]`, secrets: true},
		"harmless variables and volume": {
			fields: `envFrom: [{configMapRef: {name: a}}], volumes: [{name: a, configMap: {name: a}}]`,
		},
		"volume":    {fields: `volumes: [{name: a, secret: {name: b}}]`, secrets: true},
		"sidecar":   {fields: `sidecars: [{name: a, image: "registry.test/x:1", ` + secretEnv + `}]`, secrets: true},
		"pod":       {fields: `podTemplate: {spec: {hostname: a}}`, secrets: true},
		"account":   {fields: `serviceAccountName: db`, accounts: true},
		"cache":     {fields: `storage: [{name: a, kind: Cache, size: 1Gi, mountPath: /a}]`},
		"claim":     {fields: `storage: [{name: a, kind: Shared, size: 1Gi, mountPath: /a}]`, claims: true},
		"open port": {fields: `expose: {mode: Direct}`},
		"ingress":   {fields: `expose: {mode: Direct, ingress: {}}`, makes: "ingresses.networking.k8s.io"},
		"route":     {fields: `expose: {mode: Direct, parentRefs: [{name: a}]}`, makes: "httproutes.gateway.networking.k8s.io"},
		"metrics":   {fields: `metrics: {}`, makes: "servicemonitors.monitoring.coreos.com"},
		"KEDA": {
			fields: `autoscaling: {mode: KEDA, minReplicas: 1, maxReplicas: 2, triggers: [{type: cron, metadata: {}}]}`,
			makes:  "scaledobjects.keda.sh",
		},
	}
	cases := map[string]requesterCase{
		"platform":                         {kind: "StreamingPlatform", spec: `{}`},
		"platform, pull secret of all":     {kind: "StreamingPlatform", spec: `{images: {pullSecrets: [{name: registry}]}}`, secrets: true},
		"platform, variable of all":        {kind: "StreamingPlatform", spec: `{defaults: {` + secretEnv + `}}`, secrets: true},
		"platform, edge with ingress":      {kind: "StreamingPlatform", spec: `{edge: {ingress: {}}}`, makes: "ingresses.networking.k8s.io"},
		"platform, edge with a gateway":    {kind: "StreamingPlatform", spec: `{edge: {parentRefs: [{name: a}]}}`, makes: "httproutes.gateway.networking.k8s.io"},
		"platform, metrics of all":         {kind: "StreamingPlatform", spec: `{defaults: {metrics: {}}}`, makes: "servicemonitors.monitoring.coreos.com"},
		"platform, one account twice":      {kind: "StreamingPlatform", spec: `{services: [{name: a, serviceAccountName: db}, {name: b, serviceAccountName: db}]}`, accounts: true},
		"platform, two different accounts": {kind: "StreamingPlatform", spec: `{services: [{name: a, serviceAccountName: db}, {name: b, serviceAccountName: x}]}`, accounts: true, several: true},
	}
	for name, workload := range workloads {
		c := requesterCase{secrets: workload.secrets, accounts: workload.accounts, claims: workload.claims, makes: workload.makes}
		c.kind, c.spec = "Microservice", `{platformRef: {name: acme}, image: "registry.test/x:1", `+workload.fields+`}`
		cases["microservice, "+name] = c
		c.kind, c.spec = "StreamingPlatform", `{services: [{name: a}, {name: b, `+workload.fields+`}]}`
		cases["platform, "+name] = c
	}
	w := newWorld(t)
	users := map[string]client.Client{}
	for user, rules := range map[string][]rbacv1.PolicyRule{
		"tenant": {mayWriteOurs}, "deployer": {mayWriteOurs, mayCreateDeployments},
		"reader": {mayWriteOurs, mayCreateDeployments, mayGetSecrets},
		"runner": {mayWriteOurs, mayCreateDeployments, mayGetSecrets, mayRunAsDB, mayCreateClaims, mayCreateIngresses, mayCreateRoutes, mayCreateMonitors, mayCreateScaled},
	} {
		w.allow(user, rules...)
		users[user] = clientOf(t, as(user))
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := w.in(t)
			if err := w.client.Create(t.Context(), tc.object(w), client.DryRunAll, client.FieldValidation("Strict")); err != nil {
				t.Fatal(err)
			}
			for user, refusal := range tc.refusals(w.namespace) {
				w.eventually(func() error { // a right takes effect a moment after it is given
					err := answer(users[user].Create(t.Context(), tc.object(w), client.DryRunAll), refusal)
					if err != nil {
						err = fmt.Errorf("%s: %w", user, err)
					}
					return err
				})
			}
		})
	}
}

// requesterCase is a resource, and which rights it takes to write it.
type requesterCase struct {
	kind, spec                         string
	secrets, accounts, several, claims bool
	// makes is what it makes beside workloads.
	makes string
}

func (c requesterCase) object(w *world) client.Object {
	w.Helper()
	object := &unstructured.Unstructured{}
	text := "{apiVersion: streamplane.dev/v1alpha1, kind: " + c.kind + ", metadata: {name: acme}, spec: " + c.spec + "}"
	if err := yaml.Unmarshal([]byte(text), object); err != nil {
		w.Fatalf("%v in %s", err, text)
	}
	object.SetNamespace(w.namespace)
	return object
}

// refusals are what each user is told.
func (c requesterCase) refusals(namespace string) map[string]string {
	all := map[string]string{"tenant": needsDeployments + namespace, "deployer": "", "reader": "", "runner": ""}
	if c.accounts {
		all["deployer"], all["reader"] = needsAccounts+namespace, needsAccounts+namespace
	}
	if c.several {
		all["runner"] = needsAccounts + namespace
	}
	if c.claims {
		all["deployer"], all["reader"] = needsClaims+namespace, needsClaims+namespace
	}
	if c.makes != "" {
		needed := "you must be allowed to create " + c.makes + " in namespace " + namespace
		all["deployer"], all["reader"] = needed, needed
	}
	if c.secrets {
		all["deployer"] = needsSecrets + namespace
	}
	return all
}

// A change is judged like a new resource, as long as it changes what runs.
func TestRequesterOfAChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.microservice("search", `{platformRef: {name: acme}, image: "registry.test/search:1"}`)
	w.allow("editor", mayWriteOurs)
	editor := clientOf(t, as("editor"))
	cases := map[string]struct {
		change  func(*v1alpha1.Microservice)
		refusal string
	}{
		"image": {func(m *v1alpha1.Microservice) { m.Spec.Image = "registry.test/evil:1" }, needsDeployments},
		"label": {func(m *v1alpha1.Microservice) { m.Labels = map[string]string{"team": "a"} }, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := w.in(t)
			w.eventually(func() error {
				changed := m.DeepCopy()
				tc.change(changed)
				return answer(editor.Patch(t.Context(), changed, client.MergeFrom(m), client.DryRunAll), tc.refusal)
			})
		})
	}
}

// The rules must not be too expensive for a great platform.
func TestRequesterOfAGreatPlatform(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var env, services strings.Builder
	for i := range 100 {
		fmt.Fprintf(&env, "{name: V%d, valueFrom: {configMapKeyRef: {name: a, key: b}}},", i)
	}
	for i := range 50 {
		fmt.Fprintf(&services, "{name: s%d, image: a, env: [%s]},", i, env.String())
	}
	w.platform("{services: [" + services.String() + "]}")
}

func TestOperatorIsNotARequester(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := &v1alpha1.Microservice{}
	if err := yaml.Unmarshal([]byte(`{metadata: {name: a}, spec: {platformRef: {name: acme}, image: a, imagePullSecrets: [{name: b}]}}`), m); err != nil {
		t.Fatal(err)
	}
	m.Namespace = w.namespace
	if err := clientOf(t, plane.operator).Create(t.Context(), m, client.DryRunAll); err != nil {
		t.Error(err)
	}
}

// What the operator makes must be restricted, whatever the operator thinks.
func TestGuardrail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(catalog("1.0.0"))
	w.microservice("search", `{platformRef: {name: acme}, image: "registry.test/search:1",
		initContainers: [{name: first, image: "registry.test/x:1"}]}`)
	made := appears(w, "search-blue", &appsv1.Deployment{})
	foreign := made.DeepCopy()
	foreign.ObjectMeta = metav1.ObjectMeta{Name: "foreign", Labels: made.Labels}
	w.create(foreign)

	change := func(edit func(*corev1.PodSpec)) func(*appsv1.Deployment) {
		return func(d *appsv1.Deployment) { edit(&d.Spec.Template.Spec) }
	}
	cases := map[string]struct {
		edit    func(*appsv1.Deployment)
		refusal string
	}{
		"as it is": {func(*appsv1.Deployment) {}, ""},
		"no owner": {func(d *appsv1.Deployment) { d.OwnerReferences = nil }, "that a resource of streamplane.dev controls"},
		"owner that is no controller": {
			func(d *appsv1.Deployment) { d.OwnerReferences[0].Controller = nil }, "that a resource of streamplane.dev controls",
		},
		"other owner": {func(d *appsv1.Deployment) { d.OwnerReferences[0].APIVersion = "apps/v1" }, "that a resource of streamplane.dev controls"},
		"hostNetwork": {change(func(p *corev1.PodSpec) { p.HostNetwork = true }), "hostNetwork"},
		"hostPID":     {change(func(p *corev1.PodSpec) { p.HostPID = true }), "hostPID"},
		"hostIPC":     {change(func(p *corev1.PodSpec) { p.HostIPC = true }), "hostIPC"},
		"hostPort":    {change(func(p *corev1.PodSpec) { p.Containers[0].Ports[0].HostPort = 80 }), "hostPort"},
		"hostPath": {change(func(p *corev1.PodSpec) {
			source := corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/"}}
			p.Volumes = append(p.Volumes, corev1.Volume{Name: "host", VolumeSource: source})
		}), "hostPath"},
		"root": {change(func(p *corev1.PodSpec) {
			p.SecurityContext.RunAsNonRoot, p.Containers[0].SecurityContext.RunAsNonRoot = nil, nil
		}), "runAsNonRoot"},
		"root in a container": {change(func(p *corev1.PodSpec) { p.Containers[0].SecurityContext.RunAsNonRoot = new(false) }), "runAsNonRoot"},
		"privileged": {change(func(p *corev1.PodSpec) {
			p.Containers[0].SecurityContext.AllowPrivilegeEscalation = nil
			p.Containers[0].SecurityContext.Privileged = new(true)
		}), "no privileged pods"},
		"escalation":                      {change(func(p *corev1.PodSpec) { p.Containers[0].SecurityContext.AllowPrivilegeEscalation = nil }), "allowPrivilegeEscalation"},
		"escalation in an init container": {change(func(p *corev1.PodSpec) { p.InitContainers[0].SecurityContext.AllowPrivilegeEscalation = nil }), "allowPrivilegeEscalation"},
		"no security context":             {change(func(p *corev1.PodSpec) { p.Containers[0].SecurityContext = nil }), "allowPrivilegeEscalation"},
		"capabilities":                    {change(func(p *corev1.PodSpec) { p.Containers[0].SecurityContext.Capabilities.Drop = nil }), "drop ALL"},
		"more capabilities": {change(func(p *corev1.PodSpec) {
			p.Containers[0].SecurityContext.Capabilities.Add = []corev1.Capability{"SYS_ADMIN"}
		}), "drop ALL"},
		"seccomp": {change(func(p *corev1.PodSpec) {
			p.SecurityContext.SeccompProfile = nil
			p.Containers[0].SecurityContext.SeccompProfile = nil
		}), "seccomp"},
		"unconfined": {change(func(p *corev1.PodSpec) {
			p.Containers[0].SecurityContext.SeccompProfile = &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeUnconfined}
		}), "seccomp"},
	}
	thief := clientOf(t, plane.operator)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			d := made.DeepCopy()
			d.ObjectMeta = metav1.ObjectMeta{Name: "new", Namespace: w.namespace, Labels: made.Labels, OwnerReferences: d.OwnerReferences}
			tc.edit(d)
			if err := answer(thief.Create(t.Context(), d, client.DryRunAll), tc.refusal); err != nil {
				t.Error(err)
			}
			if err := answer(w.client.Create(t.Context(), d, client.DryRunAll), ""); err != nil {
				t.Errorf("other users are not limited: %v", err)
			}
		})
	}
	t.Run("a Deployment of others", func(t *testing.T) {
		taken := foreign.DeepCopy()
		taken.OwnerReferences = made.OwnerReferences
		err := thief.Patch(t.Context(), taken, client.MergeFrom(foreign), client.DryRunAll)
		if err := answer(err, "that a resource of streamplane.dev controls"); err != nil {
			t.Error(err)
		}
	})
}
