package lifecycle

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/streamplane/streamplane/hack/cluster/internal/layout"
	"github.com/streamplane/streamplane/hack/cluster/internal/spec"
)

func TestParsePublication(t *testing.T) {
	cases := map[string]struct {
		target, listen string
		want           spec.Publication
		fails          bool
	}{
		"a port by number":    {target: "tv/web:80", listen: "127.0.0.1:8080", want: spec.Publication{Namespace: "tv", Service: "web", Port: "80", Listen: "127.0.0.1:8080"}},
		"a port by name":      {target: "tv/web:http", listen: ":0", want: spec.Publication{Namespace: "tv", Service: "web", Port: "http", Listen: ":0"}},
		"no port":             {target: "tv/web", listen: "127.0.0.1:8080", fails: true},
		"no namespace":        {target: "web:80", listen: "127.0.0.1:8080", fails: true},
		"an empty part":       {target: "tv/:80", listen: "127.0.0.1:8080", fails: true},
		"no address":          {target: "tv/web:80", listen: "8080", fails: true},
		"nothing but slashes": {target: "/:", listen: "127.0.0.1:8080", fails: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := ParsePublication(tc.target, tc.listen)
			if (err != nil) != tc.fails {
				t.Fatalf("ParsePublication: %v", err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestNodesCannotShrink(t *testing.T) {
	cases := map[string]struct {
		have, wanted int
		fails        bool
	}{
		"the same number":  {have: 2, wanted: 2},
		"more":             {have: 2, wanted: 3},
		"whatever it has":  {have: 2, wanted: 0},
		"fewer is refused": {have: 2, wanted: 1, fails: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			err := checkNodes(spec.Spec{Nodes: tc.have}, tc.wanted)
			if (err != nil) != tc.fails {
				t.Errorf("checkNodes = %v", err)
			}
			if tc.fails && !strings.Contains(err.Error(), "down") {
				t.Errorf("%v does not say what to do", err)
			}
		})
	}
}

func TestNodeNumber(t *testing.T) {
	r := running{Local: Local{Paths: layout.Paths{Name: "demo"}}, spec: spec.Spec{Nodes: 2}}
	if got, err := r.nodeNumber("node-2"); got != 2 || err != nil {
		t.Errorf("nodeNumber = %d, %v", got, err)
	}
	for _, name := range []string{"node-3", "node-0", "2", ""} {
		if got, err := r.nodeNumber(name); err == nil {
			t.Errorf("nodeNumber(%q) = %d", name, got)
		}
	}
}

func TestMilestones(t *testing.T) {
	cases := map[string]struct {
		missing []gap
		said    []string
		want    []string
	}{
		"nothing runs":         {missing: []gap{{what: "supervisor"}}},
		"the API is not there": {missing: []gap{{what: "API server"}, {what: "processes"}}},
		"the node is missing":  {missing: []gap{{what: "node-1"}, {what: "metrics"}}, want: []string{"API server is ready"}},
		"said before":          {missing: []gap{{what: "metrics"}}, said: []string{"API server is ready"}, want: []string{"first node is ready"}},
		"all is well":          {want: []string{"API server is ready", "first node is ready", "metrics API is ready"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, milestones(tc.missing, tc.said)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
