package microservice

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

func TestAccepted(t *testing.T) {
	both := []v1alpha1.ParentReference{{Name: "public", Namespace: "infra", SectionName: "https"}, {Name: "private"}}
	const public, private = `parentRef: {name: public, namespace: infra, sectionName: https}`, `parentRef: {name: private, namespace: tv}`
	cases := map[string]struct {
		parents []v1alpha1.ParentReference
		status  string // none when empty
		want    string
	}{
		"no route yet": {both, "", "Unknown Pending no controller has taken up the HTTPRoute for Gateway infra/public (https) yet"},
		"one has not spoken": {
			both, `[{` + public + `, conditions: [{type: Accepted, status: "True"}]}]`,
			"Unknown Pending no controller has taken up the HTTPRoute for Gateway private yet",
		},
		"both have": {
			both, `[{` + private + `, conditions: [{type: Accepted, status: "True"}]}, {` + public + `, conditions: [{type: Accepted, status: "True"}]}]`,
			"True Accepted accepted by Gateway infra/public (https), private",
		},
		"a complaint goes before silence": {
			both, `[{` + private + `, conditions: [{type: Accepted, status: "False", reason: NotAllowedByListeners, message: not from here}]}]`,
			"False NotAllowedByListeners Gateway private: not from here",
		},
		"accepted, but the Service is not found": {
			both[1:], `[{` + private + `, conditions: [{type: Accepted, status: "True"}, {type: ResolvedRefs, status: "False", reason: BackendNotFound, message: none}]}]`,
			"False BackendNotFound Gateway private: none",
		},
		"an answer to an older route": {
			both[1:], `[{` + private + `, conditions: [{type: Accepted, status: "False", reason: X, observedGeneration: 1}]}]`,
			"Unknown Pending no controller has taken up the HTTPRoute for Gateway private yet",
		},
		"another listener": {
			both[:1], `[{parentRef: {name: public, namespace: infra, sectionName: http}, conditions: [{type: Accepted, status: "True"}]}]`,
			"Unknown Pending no controller has taken up the HTTPRoute for Gateway infra/public (https) yet",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var route *unstructured.Unstructured
			if tc.status != "" {
				route = &unstructured.Unstructured{}
				text := "{apiVersion: a/v1, kind: HTTPRoute, metadata: {name: x, namespace: tv, generation: 2}, status: {parents: " + tc.status + "}}"
				if err := yaml.Unmarshal([]byte(text), route); err != nil {
					t.Fatal(err)
				}
			}
			c := accepted(tc.parents, route)
			if got := string(c.Status) + " " + c.Reason + " " + c.Message; got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}
