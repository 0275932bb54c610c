package apply

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

func TestDiffers(t *testing.T) {
	cases := map[string]struct{ wanted, live, path string }{
		"equal":                         {"{a: {b: 1}}", "{a: {b: 1}}", ""},
		"another value":                 {"{a: {b: 1}}", "{a: {b: 2}}", "spec.a.b"},
		"missing value":                 {"{a: {b: 1}}", "{a: {}}", "spec.a.b"},
		"missing map":                   {"{a: {b: 1}}", "{}", "spec.a"},
		"false is not missing":          {"{a: false}", "{}", "spec.a"},
		"zero is not missing":           {"{a: 0}", "{}", "spec.a"},
		"another type":                  {"{a: 1}", `{a: "1"}`, "spec.a"},
		"an empty map is none":          {"{a: {}}", "{}", ""},
		"an empty map with additions":   {"{resources: {}}", "{resources: {claims: 1}}", ""},
		"an addition of others":         {"{a: 1}", "{a: 1, b: 2}", ""},
		"a nested addition":             {"{a: {b: 1}}", "{a: {b: 1, c: 2}}", ""},
		"the first of several":          {"{a: 1, b: 1, c: 1}", "{a: 1, b: 2, c: 2}", "spec.b"},
		"a selector is atomic":          {"{selector: {a: b}}", "{selector: {a: b, c: d}}", "spec.selector"},
		"a selector is equal":           {"{selector: {a: b}}", "{selector: {a: b}}", ""},
		"an empty selector is not none": {"{podSelector: {}}", "{}", "spec.podSelector"},
		"a nested atomic selector": {
			"{selector: {matchLabels: {a: b}}}", "{selector: {matchLabels: {a: b, c: d}}}", "spec.selector",
		},
		"a label selector in a list": {
			"{topologySpreadConstraints: [{topologyKey: zone, labelSelector: {matchLabels: {a: b}}}]}",
			"{topologySpreadConstraints: [{topologyKey: zone, labelSelector: {matchLabels: {a: b, c: d}}}]}",
			"spec.topologySpreadConstraints[0].labelSelector",
		},
		"scalars in order":          {"{args: [a, b]}", "{args: [a, b]}", ""},
		"scalars in another order":  {"{args: [a, b]}", "{args: [b, a]}", "spec.args[0]"},
		"more scalars":              {"{args: [a]}", "{args: [a, b]}", "spec.args"},
		"fewer scalars":             {"{args: [a, b]}", "{args: [a]}", "spec.args"},
		"no scalars":                {"{args: [a]}", "{}", "spec.args"},
		"an empty list is none":     {"{args: []}", "{}", ""},
		"an empty list with others": {"{args: []}", "{args: [a]}", "spec.args"},
		"elements by name in another order": {
			"{env: [{name: A, value: a}, {name: B, value: b}]}", "{env: [{name: B, value: b}, {name: A, value: a}]}", "",
		},
		"an element that others added": {
			"{env: [{name: A, value: a}]}", "{env: [{name: X, value: x}, {name: A, value: a}]}", "",
		},
		"an element that is gone": {
			"{env: [{name: A, value: a}, {name: B, value: b}]}", "{env: [{name: A, value: a}]}", "spec.env[1]",
		},
		"an element that changed": {
			"{env: [{name: A, value: a}, {name: B, value: b}]}", "{env: [{name: B, value: c}, {name: A, value: a}]}", "spec.env[1].value",
		},
		"mounts by path": {
			"{volumeMounts: [{name: v, mountPath: /a}, {name: v, mountPath: /b}]}",
			"{volumeMounts: [{name: v, mountPath: /b}, {name: v, mountPath: /a}]}",
			"",
		},
		"elements without a key in order": {
			"{metrics: [{type: Resource}]}", "{metrics: [{type: Resource, x: 1}]}", "",
		},
		"more elements without a key": {
			"{ingress: [{ports: [{port: 1}]}]}", "{ingress: [{ports: [{port: 1}]}, {}]}", "spec.ingress",
		},
		"tolerations are in order": {
			"{tolerations: [{key: a}, {key: a, effect: x}]}", "{tolerations: [{key: a, effect: x}, {key: a}]}", "spec.tolerations[1].effect",
		},
		"one domain, two constraints": {
			"{topologySpread: [{topologyKey: zone, whenUnsatisfiable: A, maxSkew: 1}, {topologyKey: zone, whenUnsatisfiable: B, maxSkew: 2}]}",
			"{topologySpread: [{topologyKey: zone, whenUnsatisfiable: B, maxSkew: 2}, {topologyKey: zone, whenUnsatisfiable: A, maxSkew: 1}]}",
			"",
		},
		"affinity terms of one domain": {
			"{required: [{topologyKey: host, labelSelector: {a: b}}, {topologyKey: host, labelSelector: {c: d}}]}",
			"{required: [{topologyKey: host, labelSelector: {a: b}}, {topologyKey: host, labelSelector: {c: d}}]}",
			"",
		},
		"an affinity term that others added": {
			"{required: [{topologyKey: host}]}", "{required: [{topologyKey: host}, {topologyKey: zone}]}", "spec.required",
		},
		"names that are no key": {
			"{options: [{name: a, value: x}, {name: a, value: y}]}", "{options: [{name: a, value: x}, {name: a, value: y}]}", "",
		},
		"a patch is atomic": {"{podTemplate: {spec: {a: 1}}}", "{podTemplate: {spec: {a: 1, b: 2}}}", "spec.podTemplate"},
		"a rule that lets everybody in": {
			"{ingress: [{from: [{podSelector: {}}]}]}", "{ingress: [{}]}", "spec.ingress[0].from",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := differs(decode(t, tc.wanted), decode(t, tc.live), "spec"); got != tc.path {
				t.Errorf("differs at %q, want %q", got, tc.path)
			}
		})
	}
}

func TestDifference(t *testing.T) {
	intent := func() *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: decode(t, `{apiVersion: v1, kind: Service,
			metadata: {name: x, labels: {ours: "1"}, annotations: {streamplane.dev/applied-hash: abc}},
			spec: {type: ClusterIP}}`).(map[string]any)}
	}
	live := func() *corev1.Service {
		return &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{
				Name:        "x",
				Labels:      map[string]string{"ours": "1", "theirs": "2"},
				Annotations: map[string]string{HashAnnotation: "abc", "theirs": "2"},
			},
			Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeClusterIP, ClusterIP: "10.0.0.1"},
		}
	}
	cases := map[string]struct {
		live func() client.Object
		want string
	}{
		"as wanted": {func() client.Object { return live() }, ""},
		"another hash": {func() client.Object {
			s := live()
			s.Annotations[HashAnnotation] = "abd"
			return s
		}, "wanted state changed"},
		"no hash": {func() client.Object {
			s := live()
			s.Annotations = nil
			return s
		}, "wanted state changed"},
		"our label is gone": {func() client.Object {
			s := live()
			delete(s.Labels, "ours")
			return s
		}, "metadata.labels.ours was changed by others"},
		"our field changed": {func() client.Object {
			s := live()
			s.Spec.Type = corev1.ServiceTypeNodePort
			return s
		}, "spec.type was changed by others"},
		"only metadata is known, as wanted": {func() client.Object {
			return &metav1.PartialObjectMetadata{ObjectMeta: live().ObjectMeta}
		}, ""},
		"only metadata is known, our label is gone": {func() client.Object {
			m := &metav1.PartialObjectMetadata{ObjectMeta: live().ObjectMeta}
			delete(m.Labels, "ours")
			return m
		}, "metadata.labels.ours was changed by others"},
		"only metadata is known, another hash": {func() client.Object {
			m := &metav1.PartialObjectMetadata{ObjectMeta: live().ObjectMeta}
			m.Annotations[HashAnnotation] = "abd"
			return m
		}, "wanted state changed"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := difference(intent(), tc.live())
			if err != nil {
				t.Fatal(err)
			}
			if got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}

func TestHashCoversEverythingAndNothingElse(t *testing.T) {
	hash := func(text string) string {
		h, err := hashOf(decode(t, text).(map[string]any))
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	if hash("{a: 1, b: [c]}") != hash("{b: [c], a: 1}") {
		t.Error("the order of fields counts")
	}
	if hash("{a: 1, b: [c, d]}") == hash("{a: 1, b: [d, c]}") {
		t.Error("the order of elements does not count")
	}
	if hash("{a: 1, b: 1}") == hash("{a: 1}") {
		t.Error("a field that is no longer wanted does not count")
	}
}

func TestDropNil(t *testing.T) {
	got := dropNil(decode(t, "{a: null, b: {c: null, d: 1}, e: [{f: null, g: 2}], h: {i: null}}"))
	if at := differs(decode(t, "{b: {d: 1}, e: [{g: 2}], h: {}}"), got, "root"); at != "" {
		t.Errorf("%s: %v", at, got)
	}
	m := got.(map[string]any)
	if _, ok := m["a"]; ok || len(m["h"].(map[string]any)) != 0 {
		t.Errorf("a null is left: %v", m)
	}
}

// decode gives numbers the type that the converter gives them.
func decode(t *testing.T, text string) any {
	t.Helper()
	data, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	wrapped := &unstructured.Unstructured{}
	if err := wrapped.UnmarshalJSON([]byte(`{"apiVersion":"v1","kind":"X","value":` + string(data) + `}`)); err != nil {
		t.Fatal(err)
	}
	return runtime.DeepCopyJSONValue(wrapped.Object["value"])
}
