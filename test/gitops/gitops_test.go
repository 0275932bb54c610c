// Package gitops proves that Argo CD, Flux and Helm read the health of our
// resources right. It runs the very expressions of config/gitops in the engines
// that those tools embed, and the kstatus library that Flux and Helm share.
package gitops

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"cel.dev/cel-go/cel"
	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

const folder = "../../config/gitops"

// health is what a tool may think of a resource, in Argo CD's words.
type health string

const (
	healthy     health = "Healthy"
	progressing health = "Progressing"
	degraded    health = "Degraded"
)

// cases are statuses as the operator writes them, of a resource of generation 2.
var cases = map[string]struct {
	status string
	want   health
}{
	"never seen by the operator": {`{observedGeneration: -1}`, progressing},
	"ready": {
		`{observedGeneration: 2, conditions: [{type: Ready, status: "True", reason: Available, message: all is well}]}`, healthy,
	},
	"ready before the change": {
		`{observedGeneration: 1, conditions: [{type: Ready, status: "True", reason: Available, message: all is well}]}`, progressing,
	},
	"on its way": {
		`{observedGeneration: 2, conditions: [
			{type: Ready, status: "False", reason: Progressing, message: 1 of 2 pods},
			{type: Reconciling, status: "True", reason: Progressing, message: 1 of 2 pods}]}`, progressing,
	},
	"somebody must act": {
		`{observedGeneration: 2, conditions: [
			{type: Ready, status: "False", reason: InvalidSpec, message: replicas},
			{type: Stalled, status: "True", reason: InvalidSpec, message: replicas}]}`, degraded,
	},
	"somebody had to act before the change": {
		`{observedGeneration: 1, conditions: [
			{type: Ready, status: "False", reason: InvalidSpec, message: replicas},
			{type: Stalled, status: "True", reason: InvalidSpec, message: replicas}]}`, progressing,
	},
	"ready beside a team's service that is not": {
		`{observedGeneration: 2, conditions: [
			{type: MembersReady, status: "False", reason: NotReady, message: search},
			{type: Ready, status: "True", reason: Available, message: all is well}]}`, healthy,
	},
}

// resources yields every case as an object of both kinds.
func resources(t *testing.T, check func(t *testing.T, object map[string]any, want health)) {
	t.Helper()
	for _, kind := range []string{"StreamingPlatform", "Microservice"} {
		for name, tc := range cases {
			t.Run(kind+" "+name, func(t *testing.T) {
				text := "{apiVersion: streamplane.dev/v1alpha1, kind: " + kind + ", metadata: {name: acme, namespace: tv, generation: 2}, spec: {}, status: " + tc.status + "}"
				object := map[string]any{}
				if err := yaml.Unmarshal([]byte(text), &object); err != nil {
					t.Fatal(err)
				}
				check(t, object, tc.want)
			})
		}
	}
}

func read(t *testing.T, file string, into any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, file))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

func TestArgoCD(t *testing.T) {
	var config struct{ Data map[string]string }
	read(t, "argocd-cm.yaml", &config)
	resources(t, func(t *testing.T, object map[string]any, want health) {
		t.Helper()
		script := config.Data[fmt.Sprintf("resource.customizations.health.streamplane.dev_%s", object["kind"])]
		got, message := runLua(t, script, object)
		if got != want || message == "" {
			t.Errorf("%s, %q, want %s", got, message, want)
		}
	})
}

// runLua does what Argo CD does: the object is the global obj, the health is what the script returns.
func runLua(t *testing.T, script string, object map[string]any) (health, string) {
	t.Helper()
	l := lua.NewState()
	defer l.Close()
	l.SetGlobal("obj", toLua(l, object))
	if err := l.DoString(script); err != nil {
		t.Fatal(err)
	}
	result, ok := l.Get(-1).(*lua.LTable)
	if !ok {
		t.Fatalf("the script returns %v", l.Get(-1))
	}
	return health(lua.LVAsString(result.RawGetString("status"))), lua.LVAsString(result.RawGetString("message"))
}

func toLua(l *lua.LState, value any) lua.LValue {
	switch value := value.(type) {
	case map[string]any:
		table := l.NewTable()
		for key, child := range value {
			table.RawSetString(key, toLua(l, child))
		}
		return table
	case []any:
		table := l.NewTable()
		for _, child := range value {
			table.Append(toLua(l, child))
		}
		return table
	case string:
		return lua.LString(value)
	case float64:
		return lua.LNumber(value)
	case bool:
		return lua.LBool(value)
	default:
		return lua.LNil
	}
}

func TestFlux(t *testing.T) {
	var kustomization struct {
		Spec struct {
			HealthCheckExprs []struct{ APIVersion, Kind, InProgress, Failed, Current string }
		}
	}
	read(t, "flux-kustomization.yaml", &kustomization)
	resources(t, func(t *testing.T, object map[string]any, want health) {
		t.Helper()
		for _, e := range kustomization.Spec.HealthCheckExprs {
			if e.Kind != object["kind"] || e.APIVersion != object["apiVersion"] {
				continue
			}
			// Flux asks in this order; without an answer it goes on waiting.
			got := progressing
			switch {
			case evaluate(t, e.InProgress, object):
			case evaluate(t, e.Failed, object):
				got = degraded
			case evaluate(t, e.Current, object):
				got = healthy
			}
			if got != want {
				t.Errorf("%s, want %s", got, want)
			}
			return
		}
		t.Fatal("no expression speaks of this kind")
	})
}

// evaluate offers an expression the fields of an object, as Flux does.
func evaluate(t *testing.T, expression string, object map[string]any) bool {
	t.Helper()
	var variables []cel.EnvOption
	for field := range object {
		variables = append(variables, cel.Variable(field, cel.DynType))
	}
	env, err := cel.NewEnv(variables...)
	if err != nil {
		t.Fatal(err)
	}
	parsed, issues := env.Compile(expression)
	if issues.Err() != nil {
		t.Fatal(issues.Err())
	}
	program, err := env.Program(parsed)
	if err != nil {
		t.Fatal(err)
	}
	result, _, err := program.Eval(object)
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return result.Value() == true
}

// Helm waits by kstatus alone, and so does Flux where no expression is given.
func TestKstatus(t *testing.T) {
	words := map[status.Status]health{
		status.CurrentStatus: healthy, status.InProgressStatus: progressing, status.FailedStatus: degraded,
	}
	resources(t, func(t *testing.T, object map[string]any, want health) {
		t.Helper()
		whole, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		u := &unstructured.Unstructured{}
		if err := u.UnmarshalJSON(whole); err != nil { // numbers as the API server sends them
			t.Fatal(err)
		}
		result, err := status.Compute(u)
		if err != nil {
			t.Fatal(err)
		}
		if got := words[result.Status]; got != want {
			t.Errorf("%s: %s, want %s", result.Status, result.Message, want)
		}
	})
}
