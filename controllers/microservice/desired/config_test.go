package desired

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

func marked(stamp, baseline string) *appsv1.Deployment {
	d := &appsv1.Deployment{}
	annotate(&d.Annotations, AnnotationConfigBaseline, baseline)
	annotate(&d.Spec.Template.Annotations, AnnotationConfig, stamp)
	return d
}

func TestConfigOf(t *testing.T) {
	cases := map[string]struct {
		live *appsv1.Deployment
		now  string
		want Config
	}{
		"a new service":                      {nil, "k-r-1", Config{Stamp: "k-r-1"}},
		"a new one that misses something":    {nil, "", Config{}},
		"nothing changed":                    {marked("k-r-1", ""), "k-r-1", Config{Stamp: "k-r-1"}},
		"the content changed":                {marked("k-r-1", ""), "k-r-2", Config{Stamp: "k-r-2"}},
		"something is missing":               {marked("k-r-1", ""), "", Config{Stamp: "k-r-1"}},
		"never looked at before":             {marked("", ""), "k-r-1", Config{Baseline: "=k-r-1"}},
		"looked at, nothing changed":         {marked("", "=k-r-1"), "k-r-1", Config{Baseline: "=k-r-1"}},
		"looked at, then changed":            {marked("", "=k-r-1"), "k-r-2", Config{Stamp: "k-r-2", Baseline: "=k-r-1"}},
		"looked at, something is missing":    {marked("", "=k-r-1"), "", Config{Baseline: "=k-r-1"}},
		"rolls after the first change":       {marked("k-r-2", "=k-r-1"), "k-r-2", Config{Stamp: "k-r-2", Baseline: "=k-r-1"}},
		"back to what was looked at":         {marked("k-r-2", "=k-r-1"), "k-r-1", Config{Baseline: "=k-r-1"}},
		"rolled back, the change still here": {marked("", "=k-r-1"), "k-r-2", Config{Stamp: "k-r-2", Baseline: "=k-r-1"}},
		"another key":                        {marked("k-r-1", ""), "l-r-5", Config{Stamp: "k-r-1", Baseline: "k-r-1=l-r-5"}},
		"another key, nothing changed":       {marked("k-r-1", "k-r-1=l-r-5"), "l-r-5", Config{Stamp: "k-r-1", Baseline: "k-r-1=l-r-5"}},
		"another key, then changed":          {marked("k-r-1", "k-r-1=l-r-5"), "l-r-6", Config{Stamp: "l-r-6", Baseline: "k-r-1=l-r-5"}},
		"other references":                   {marked("k-r-1", ""), "k-s-1", Config{Stamp: "k-r-1", Baseline: "k-r-1=k-s-1"}},
		"another key again":                  {marked("k-r-1", "k-r-1=l-r-5"), "m-r-7", Config{Stamp: "k-r-1", Baseline: "k-r-1=m-r-7"}},
		"a baseline of an older stamp":       {marked("k-r-2", "=l-r-1"), "l-r-3", Config{Stamp: "k-r-2", Baseline: "k-r-2=l-r-3"}},
		"somebody's words":                   {marked("yes", "no"), "k-r-1", Config{Stamp: "yes", Baseline: "yes=k-r-1"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := ConfigOf(tc.live, tc.now)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if tc.now == "" {
				return
			}
			if again := ConfigOf(marked(got.Stamp, got.Baseline), tc.now); again != got {
				t.Errorf("changes again: %v, then %v", got, again)
			}
		})
	}
}

func TestReferences(t *testing.T) {
	cases := map[string]struct {
		spec string
		want []Reference
	}{
		"none":             {`{}`, nil},
		"files of its own": {`{files: [{mountPath: /etc/motd, content: hello}]}`, nil},
		"routes":           {`{volumes: [{name: routes, configMap: {name: search-routes, optional: true}}]}`, nil},
		"pull secrets":     {`{imagePullSecrets: [{name: registry}]}`, nil},
		"variables": {
			`{env: [{name: A, value: a}, {name: B, valueFrom: {secretKeyRef: {name: db, key: password}}},
				{name: C, valueFrom: {configMapKeyRef: {name: settings, key: url}}}]}`,
			[]Reference{{Kind: "ConfigMap", Name: "settings", Key: "url"}, {Kind: "Secret", Name: "db", Key: "password"}},
		},
		"whole objects": {
			`{envFrom: [{secretRef: {name: db}}, {configMapRef: {name: settings}}]}`,
			[]Reference{{Kind: "ConfigMap", Name: "settings"}, {Kind: "Secret", Name: "db"}},
		},
		"volumes": {
			`{volumes: [{name: a, configMap: {name: settings}}, {name: b, secret: {name: tls, optional: true}}, {name: c, emptyDir: {}}]}`,
			[]Reference{{Kind: "ConfigMap", Name: "settings"}, {Kind: "Secret", Name: "tls", Optional: true}},
		},
		"other containers": {
			`{initContainers: [{name: i, image: x, env: [{name: A, valueFrom: {secretKeyRef: {name: init, key: k}}}]}],
				sidecars: [{name: s, image: x, env: [{name: A, valueFrom: {secretKeyRef: {name: side, key: k}}}]}]}`,
			[]Reference{{Kind: "Secret", Name: "init", Key: "k"}, {Kind: "Secret", Name: "side", Key: "k"}},
		},
		"one twice": {
			`{env: [{name: A, valueFrom: {secretKeyRef: {name: db, key: k}}}, {name: B, valueFrom: {secretKeyRef: {name: db, key: k}}}]}`,
			[]Reference{{Kind: "Secret", Name: "db", Key: "k"}},
		},
		"a patch": {
			`{podTemplate: {spec: {containers: [{name: app,
					env: [{name: A, valueFrom: {secretKeyRef: {name: patched, key: k, optional: true}}}],
					envFrom: [{configMapRef: {name: all, optional: true}}]}],
				volumes: [{name: p, projected: {sources: [{secret: {name: one, items: [{key: a, path: a}, {key: b, path: b}]}},
					{configMap: {name: two}}, {serviceAccountToken: {path: token}}]}},
					{name: q, secret: {secretName: three, items: [{key: tls.crt, path: crt}]}}]}}}`,
			[]Reference{
				{Kind: "ConfigMap", Name: "all", Optional: true},
				{Kind: "ConfigMap", Name: "two"},
				{Kind: "Secret", Name: "one", Key: "a"},
				{Kind: "Secret", Name: "one", Key: "b"},
				{Kind: "Secret", Name: "patched", Key: "k", Optional: true},
				{Kind: "Secret", Name: "three", Key: "tls.crt"},
			},
		},
		"a patch that takes one away": {
			`{env: [{name: A, valueFrom: {secretKeyRef: {name: db, key: k}}}],
				podTemplate: {spec: {containers: [{name: app, env: [{name: A, $patch: delete}]}]}}}`,
			nil,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := &v1alpha1.Microservice{ObjectMeta: metav1.ObjectMeta{Name: "search", Namespace: "tv"}}
			if err := yaml.Unmarshal([]byte(tc.spec), &m.Spec); err != nil {
				t.Fatal(err)
			}
			m.Spec.Image = "registry.test/search:1"
			if problem := Rejected(m, SlotBlue); problem != "" {
				t.Fatal(problem)
			}
			got := References(m, SlotBlue)
			if len(got) == 0 {
				got = nil
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// The marks are on the Deployment and its pods, and nowhere else.
func TestConfigMarks(t *testing.T) {
	m := read(t, "testdata/everything.yaml")
	plain, marks := Objects(m, SlotBlue, RevisionOf(m, SlotBlue, ""), ""), Objects(m, SlotBlue, RevisionOf(m, SlotBlue, "k-r-2"), "=k-r-1")
	for i := range plain {
		was, is := toMap(t, plain[i]), toMap(t, marks[i])
		if d, ok := marks[i].(*appsv1.Deployment); ok {
			if d.Annotations[AnnotationConfigBaseline] != "=k-r-1" || d.Spec.Template.Annotations[AnnotationConfig] != "k-r-2" {
				t.Errorf("annotations %v, of pods %v", d.Annotations, d.Spec.Template.Annotations)
			}
			continue
		}
		if diff := cmp.Diff(was, is); diff != "" {
			t.Errorf("%T (-without +with):\n%s", plain[i], diff)
		}
	}
}

func toMap(t *testing.T, object runtime.Object) map[string]any {
	t.Helper()
	all, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		t.Fatal(err)
	}
	return all
}
