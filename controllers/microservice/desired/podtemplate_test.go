package desired

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

func patch(json string) *runtime.RawExtension { return &runtime.RawExtension{Raw: []byte(json)} }

func patched(t *testing.T, text string) *v1alpha1.Microservice {
	t.Helper()
	m := read(t, "testdata/everything.yaml")
	json, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	m.Spec.PodTemplate = patch(string(json))
	return m
}

func TestRejected(t *testing.T) {
	const insecure = "podTemplate: breaks the restricted Pod Security Standard: "
	cases := map[string]struct{ patch, want string }{
		"nothing":               {"{}", ""},
		"another container":     {"{spec: {containers: [{name: extra, image: x, securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}]}}", ""},
		"our own value":         {"{metadata: {labels: {app.kubernetes.io/instance: acme-search}}}", ""},
		"a label of the user":   {"{metadata: {labels: {a: b}}}", ""},
		"an init container off": {"{spec: {initContainers: [{name: fetch, $patch: delete}]}}", ""},

		"unknown field":            {"{sepc: {}}", `podTemplate: unknown field "sepc"`},
		"unknown field, deep down": {"{spec: {containers: [{name: app, envs: []}]}}", `podTemplate: unknown field "spec.containers[0].envs"`},
		"another type":             {"{spec: {hostNetwork: 1}}", "podTemplate: json: cannot unmarshal"},
		"unknown directive":        {"{spec: {affinity: {$patch: drop}}}", "podTemplate.spec.affinity.$patch: must be delete or replace"},
		"a field of other objects": {"{metadata: {name: x}}", "podTemplate.metadata.name: pods get labels and annotations only"},

		"a label of the selector": {
			"{metadata: {labels: {streamplane.dev/slot: green}}}", "podTemplate.metadata.labels[streamplane.dev/slot]: belongs to the operator",
		},
		"a label of the selector removed": {
			"{metadata: {labels: {app.kubernetes.io/name: {$patch: delete}}}}",
			"podTemplate.metadata.labels[app.kubernetes.io/name]: belongs to the operator",
		},
		"all labels removed": {"{metadata: {$patch: delete}}", "podTemplate.metadata.labels[app.kubernetes.io/instance]: belongs to the operator"},
		"a label that we may need": {
			"{metadata: {labels: {streamplane.dev/new: x}}}", "podTemplate.metadata.labels[streamplane.dev/new]: belongs to the operator",
		},
		"an annotation that we may need": {
			"{metadata: {annotations: {streamplane.dev/new: x}}}", "podTemplate.metadata.annotations[streamplane.dev/new]: belongs to the operator",
		},
		"the main container removed": {
			"{spec: {containers: [{name: app, $patch: delete}, {name: main, image: x}]}}", "podTemplate.spec.containers[app]: cannot be removed",
		},
		"everything removed":    {"{$patch: replace}", "podTemplate.metadata.labels[app.kubernetes.io/instance]: belongs to the operator"},
		"a container misspelt":  {"{spec: {containers: [{name: main, tty: true}]}}", "podTemplate.spec.containers[main].image: required, because the pod has no container of that name yet"},
		"the image":             {"{spec: {containers: [{name: app, image: x}]}}", "podTemplate.spec.containers[app].image: set image of the service instead"},
		"the ports":             {"{spec: {containers: [{name: app, ports: [{containerPort: 1}]}]}}", "podTemplate.spec.containers[app].ports: set ports of the service instead"},
		"the identity":          {"{spec: {serviceAccountName: admin}}", "podTemplate.spec.serviceAccountName: set serviceAccountName of the service instead"},
		"the identity, old way": {"{spec: {serviceAccount: admin}}", "podTemplate.spec.serviceAccount: set serviceAccountName of the service instead"},
		"the files":             {"{spec: {volumes: [{name: streamplane-files, configMap: {name: x}}]}}", "podTemplate.spec.volumes[streamplane-files]: set files of the service instead"},
		"a writable root": {
			"{spec: {containers: [{name: app, securityContext: {readOnlyRootFilesystem: false}}]}}",
			"podTemplate.spec.containers[app].securityContext.readOnlyRootFilesystem: cannot be loosened",
		},
		"more capabilities of a sidecar": {
			"{spec: {initContainers: [{name: proxy, securityContext: {capabilities: {add: [NET_BIND_SERVICE]}}}]}}",
			"podTemplate.spec.initContainers[proxy].securityContext.capabilities: cannot be loosened",
		},
		"no security context": {
			"{spec: {containers: [{name: app, securityContext: {$patch: delete}}]}}",
			"podTemplate.spec.containers[app].securityContext.allowPrivilegeEscalation: cannot be loosened",
		},

		"host network": {"{spec: {hostNetwork: true}}", insecure + "host namespaces (hostNetwork=true)"},
		"host path":    {"{spec: {volumes: [{name: host, hostPath: {path: /}}]}}", insecure + `restricted volume types (volume "host"`},
		"root":         {"{spec: {securityContext: {runAsUser: 0}}}", insecure + "runAsUser=0"},
		"another container as it comes": {
			"{spec: {containers: [{name: extra, image: x}]}}", insecure + `allowPrivilegeEscalation != false (container "extra"`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := patched(t, tc.patch)
			got := Rejected(m, SlotBlue)
			if (tc.want == "") != (got == "") || !strings.HasPrefix(got, tc.want) {
				t.Errorf("%q, want %q", got, tc.want)
			}
			if problem := Validate(m.Spec.WorkloadSpec); problem != "" {
				t.Errorf("invalid: %s", problem)
			}
		})
	}
}

func TestAnnotationsAreHeldToTheStandard(t *testing.T) {
	m := read(t, "testdata/minimal.yaml")
	m.Spec.PodAnnotations = map[string]v1alpha1.AnnotationValue{"container.apparmor.security.beta.kubernetes.io/app": "unconfined"}
	if got := Rejected(m, SlotBlue); !strings.HasPrefix(got, "podAnnotations: breaks the restricted Pod Security Standard: ") {
		t.Errorf("%q", got)
	}
}

// The main container stays the first: that is where kubectl logs looks.
func TestPatchKeepsOrder(t *testing.T) {
	m := patched(t, `{spec: {
		containers: [{name: first, image: x}, {name: app, env: [{name: FIRST, value: "1"}], volumeMounts: [{name: scratch, mountPath: /first}]}],
		initContainers: [{name: first, image: x}], volumes: [{name: first, emptyDir: {}}]}}`)
	got, problem := podTemplate(m, SlotBlue)
	if problem != "" {
		t.Fatal(problem)
	}
	was := renderedPod(m, SlotBlue).Spec
	if name := got.Spec.Containers[0].Name; name != MainContainer {
		t.Errorf("first container %s", name)
	}
	if name := got.Spec.InitContainers[0].Name; name != was.InitContainers[0].Name {
		t.Errorf("first init container %s", name)
	}
	if name := got.Spec.Volumes[0].Name; name != was.Volumes[0].Name {
		t.Errorf("first volume %s", name)
	}
	app := got.Spec.Containers[0]
	if last := app.Env[len(app.Env)-1].Name; last != "FIRST" {
		t.Errorf("last variable %s", last)
	}
	if last := app.VolumeMounts[len(app.VolumeMounts)-1].MountPath; last != "/first" {
		t.Errorf("last mount %s", last)
	}
}

func TestPatchRemoves(t *testing.T) {
	m := patched(t, `{spec: {affinity: {$patch: delete}, terminationGracePeriodSeconds: {$patch: delete}, priorityClassName: {$patch: delete},
		topologySpreadConstraints: [{$patch: replace}], containers: [{name: app, env: [{name: LEVEL, $patch: delete}]}]}}`)
	got, problem := podTemplate(m, SlotBlue)
	if problem != "" {
		t.Fatal(problem)
	}
	s := got.Spec
	if s.Affinity != nil || s.TerminationGracePeriodSeconds != nil || s.PriorityClassName != "" || len(s.TopologySpreadConstraints) != 0 {
		t.Errorf("%+v", s)
	}
	for _, v := range s.Containers[0].Env {
		if v.Name == "LEVEL" {
			t.Errorf("%v", v)
		}
	}
}

// Pods that run keep their files when those of the spec change.
func TestFilesAreNamedByContent(t *testing.T) {
	name := func(files ...v1alpha1.File) string {
		m := read(t, "testdata/minimal.yaml")
		m.Spec.Files = files
		used := FilesInUse(renderedPod(m, SlotBlue))
		if len(files) > 0 && used != filesName(m) {
			t.Errorf("pods use %s, wanted %s", used, filesName(m))
		}
		return used
	}
	a, b := v1alpha1.File{MountPath: "/etc/a", Content: "1"}, v1alpha1.File{MountPath: "/etc/b", Content: "2"}
	names := map[string]bool{
		name():     true,
		name(a):    true,
		name(a, b): true,
		name(v1alpha1.File{MountPath: "/etc/a", Content: "2"}):                                              true,
		name(v1alpha1.File{MountPath: "/etc/a", Content: ""}, v1alpha1.File{MountPath: "/a", Content: "1"}): true,
	}
	if len(names) != 5 {
		t.Errorf("names %v", names)
	}
	if again := name(a, b); !names[again] {
		t.Errorf("the same content has another name: %s", again)
	}
	if name() != "" {
		t.Errorf("a name without files: %s", name())
	}
}

func TestOwnTopologySpread(t *testing.T) {
	m := read(t, "testdata/minimal.yaml")
	m.Spec.TopologySpread = []corev1.TopologySpreadConstraint{{MaxSkew: 3, TopologyKey: "rack", WhenUnsatisfiable: corev1.DoNotSchedule}}
	got := renderedPod(m, SlotBlue).Spec.TopologySpreadConstraints
	if len(got) != 1 || got[0].TopologyKey != "rack" || got[0].LabelSelector == nil {
		t.Errorf("%v", got)
	}
	if m.Spec.TopologySpread[0].LabelSelector != nil {
		t.Error("the Microservice was changed")
	}
}
