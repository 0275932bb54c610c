//go:build e2e

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// TestServiceInAnotherLanguage lets examples/nodejs-service join a platform by
// the one entry of the sample: it starts, calls, is reached, scaled, rolled
// and fenced like the bundled services.
func TestServiceInAnotherLanguage(t *testing.T) {
	t.Parallel() // it mostly waits
	const deployment = "acme-facts-blue"
	ns := namespace(t, "polyglot")
	p := customService(t, ns)
	if out, err := kubectlApply(t, ns, fmt.Sprintf(outsider, env.probe)); err != nil {
		t.Fatal(out)
	}
	if err := kube.Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	waitReady(t, ns, p.Name)
	kubectl(t, "wait", "--namespace", ns, "pod/outsider", "--for=condition=Ready", "--timeout="+patience.String())

	t.Log("Who declares the call reaches it, who is a stranger does not.")
	const facts = "acme-facts-headless:8080"
	reaches(t, ns, "acme-caller", map[string]bool{facts: true, "acme-streaming-headless:8080": false})
	reaches(t, ns, "outsider", map[string]bool{facts: false})

	t.Log("Exposed, it answers people through the gateway with what streaming told it, and no pod notices.")
	pods := podUIDs(t, ns, "acme-gateway")
	edit(t, p, func(s *v1alpha1.PlatformService) { s.Expose = &v1alpha1.Expose{Paths: []v1alpha1.RoutePath{"/facts"}} })
	url := publish(t, ns, "acme-gateway") + "/facts/clock"
	eventually(t, "facts are told", func() string { return complain(checkFacts(t, url)) })
	reaches(t, ns, "outsider", map[string]bool{facts: false})
	if now := podUIDs(t, ns, "acme-gateway"); !maps.Equal(now, pods) {
		t.Errorf("the gateway's pods are %v, were %v", now, pods)
	}

	t.Log("Its autoscaler adds a pod, which gets its share, and a new image loses no request.")
	crowd := startLoad(t, 4, 20, url)
	edit(t, p, func(s *v1alpha1.PlatformService) { s.Autoscaling.MinReplicas = 2 })
	served := map[string]bool{}
	eventually(t, "two pods answer", func() string {
		by, err := servedBy(t, url)
		if served[by] = true; err != nil || len(served) < 2 {
			return fmt.Sprint(served, err)
		}
		return ""
	})
	failsToMigrate(t, p)
	edit(t, p, func(s *v1alpha1.PlatformService) { s.Migration = script(asksStreaming) })
	eventually(t, "facts rolls", func() string {
		wrong := rolledOut(t, ns, deployment, env.factsVariant)
		if wrong != "" {
			wrong += "; " + condition(get(t, ns, "acme-facts", &v1alpha1.Microservice{}).Status.Conditions, v1alpha1.ConditionReady)
		}
		return wrong
	})
	waitSettled(t, ns, p.Name)
	crowd.waitSent(t, 100) // the old pods end while these are served
	crowd.mustBeClean(t)
}

// customService is the sample with an image that the cluster has, one pod, not
// yet exposed, and with a service that calls it.
func customService(t *testing.T, namespace string) *v1alpha1.StreamingPlatform {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(env.samples, "custom-service.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	p := &v1alpha1.StreamingPlatform{}
	if err := yaml.UnmarshalStrict(text, p); err != nil {
		t.Fatal(err)
	}
	p.Namespace = namespace
	facts := factsOf(t, p)
	facts.Image, facts.Expose, facts.Autoscaling.MinReplicas = env.facts, nil, 1
	caller := v1alpha1.PlatformService{Name: "caller"}
	caller.Image, caller.Args, caller.Replicas = env.probe, []string{"serve", "8080"}, new(int32(1))
	caller.Calls = []v1alpha1.Call{{To: "facts"}}
	streaming, gateway := v1alpha1.PlatformService{Name: "streaming"}, v1alpha1.PlatformService{Name: "gateway"}
	streaming.Replicas, gateway.Replicas = new(int32(1)), new(int32(1))
	p.Spec.Services = append(p.Spec.Services, caller, streaming, gateway)
	return p
}

func factsOf(t *testing.T, p *v1alpha1.StreamingPlatform) *v1alpha1.PlatformService {
	t.Helper()
	i := slices.IndexFunc(p.Spec.Services, func(s v1alpha1.PlatformService) bool { return s.Name == "facts" })
	if i < 0 {
		t.Fatal("the platform has no service facts")
	}
	return &p.Spec.Services[i]
}

// edit changes the entry of facts.
func edit(t *testing.T, p *v1alpha1.StreamingPlatform, how func(*v1alpha1.PlatformService)) {
	t.Helper()
	before := p.DeepCopy()
	how(factsOf(t, p))
	if err := kube.Patch(t.Context(), p, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
}

// answer is what the example says about a title.
type answer struct {
	Title      string
	Seconds    float64
	ServedBy   string
	Renditions []struct{ Resolution string }
}

func checkFacts(t *testing.T, url string) error {
	t.Helper()
	body, err := tryRead(t, url)
	if err != nil {
		return err
	}
	var got answer
	var want struct{ DurationSeconds float64 }
	err = errors.Join(json.Unmarshal([]byte(body), &got), json.Unmarshal([]byte(sourceFacts(t)), &want))
	if err != nil || got.Title != "clock" || got.Seconds != want.DurationSeconds || len(got.Renditions) == 0 {
		return fmt.Errorf("%s %w", body, err)
	}
	return nil
}

func servedBy(t *testing.T, url string) (string, error) {
	t.Helper()
	body, err := tryRead(t, url)
	if err != nil {
		return "", err
	}
	var got answer
	err = json.Unmarshal([]byte(body), &got)
	return got.ServedBy, err
}

func complain(err error) string {
	if err != nil {
		return err.Error()
	}
	return ""
}
