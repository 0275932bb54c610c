//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"
)

// TestUpgrade takes the operator from the version before to this one, back, and
// here again, while a platform plays: each of them acts on the platform, no pod
// ends or restarts, no request fails, and the schemas of the API come along.
func TestUpgrade(t *testing.T) {
	tv := theater{namespace: namespace(t, "upgrade"), name: "acme"}
	sample(t, tv.namespace, "minimal.yaml")
	waitReady(t, tv.namespace, tv.name)
	tv.url = publish(t, tv.namespace, "acme-gateway")
	before, running := schemas(t), tv.restarts(t)
	if cmp.Equal(before, shipped(t)) {
		t.Fatal("the schemas of this version are installed already, so an upgrade of them would prove nothing")
	}
	viewers := startLoad(t, 8, 40, tv.paths(t)...)

	upgrade := func() (string, error) { return run(t, filepath.Join("..", "..", "hack", "deploy.sh"), env.values) }
	rollback := func() (string, error) {
		return run(t, env.helm, "rollback", "streamplane", "--namespace="+operatorNamespace, "--wait", "--timeout=5m")
	}
	for i, step := range []struct {
		name    string
		do      func() (string, error)
		schemas map[string]any
	}{
		{"upgrade", upgrade, shipped(t)}, {"rollback", rollback, before}, {"upgrade again", upgrade, shipped(t)},
	} {
		if out, err := step.do(); err != nil {
			t.Fatalf("%s: %v\n%s", step.name, err, out)
		}
		if diff := cmp.Diff(step.schemas, schemas(t)); diff != "" {
			t.Errorf("%s: schemas (-want +got):\n%s", step.name, diff)
		}
		tv.obeys(t, step.name, 2+i)
		if now := tv.restarts(t); !maps.Equal(now, running) {
			t.Errorf("%s: pods and their restarts are %v, were %v", step.name, now, running)
		}
	}
	viewers.waitSent(t, 200)
	viewers.mustBeClean(t)
}

// obeys asks the operator for something that no pod notices.
func (tv theater) obeys(t *testing.T, after string, maxUnavailable int) {
	t.Helper()
	patchPlatform(t, tv.namespace, tv.name,
		fmt.Sprintf(`{"spec":{"services":[{"name":"gateway","disruption":{"maxUnavailable":%d}}]}}`, maxUnavailable))
	eventually(t, after+": the operator acts", func() string {
		budget := get(t, tv.namespace, "acme-gateway-blue", &policyv1.PodDisruptionBudget{})
		if got := budget.Spec.MaxUnavailable.IntValue(); got != maxUnavailable {
			return fmt.Sprintf("maxUnavailable is %d, not %d", got, maxUnavailable)
		}
		return ""
	})
	waitSettled(t, tv.namespace, tv.name)
}

// restarts counts those of each pod of the platform.
func (tv theater) restarts(t *testing.T) map[string]int32 {
	t.Helper()
	all := map[string]int32{}
	for _, service := range []string{"acme-gateway", "acme-streaming"} {
		for _, p := range pods(t, tv.namespace, service) {
			all[string(p.UID)] = p.Status.ContainerStatuses[0].RestartCount
		}
	}
	return all
}

var crds = []string{"microservices", "streamingplatforms"}

// schemas are those that the API server has.
func schemas(t *testing.T) map[string]any {
	t.Helper()
	all := map[string]any{}
	for _, name := range crds {
		all[name] = schemaOf(t, []byte(kubectl(t, "get", "crd", name+".streamplane.dev", "--output=json")))
	}
	return all
}

// shipped are the schemas of this checkout.
func shipped(t *testing.T) map[string]any {
	t.Helper()
	all := map[string]any{}
	for _, name := range crds {
		file, err := os.ReadFile(filepath.Join("..", "..", "config", "crd", "bases", "streamplane.dev_"+name+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		all[name] = schemaOf(t, file)
	}
	return all
}

func schemaOf(t *testing.T, crd []byte) any {
	t.Helper()
	var definition struct {
		Spec struct {
			Versions []struct {
				Schema any `json:"schema"`
			} `json:"versions"`
		} `json:"spec"`
	}
	if err := yaml.Unmarshal(crd, &definition); err != nil {
		t.Fatal(err)
	}
	return definition.Spec.Versions[0].Schema
}
