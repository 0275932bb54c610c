package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/yaml"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/microservice"
)

const patience = 90 * time.Second

func eventually(t *testing.T, check func() error) {
	t.Helper()
	var last error
	err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, patience, true, func(context.Context) (bool, error) {
		last = check()
		return last == nil, nil
	})
	if err != nil {
		t.Fatalf("%v: %v", err, last)
	}
}

func newNamespace(t *testing.T) string {
	t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}
	if err := plane.client.Create(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	return namespace.Name
}

// releasesFile holds what the operator in the tests knows.
func releasesFile(t *testing.T) string {
	t.Helper()
	data, err := yaml.Marshal(images)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "releases.yaml")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

const manifestHead = "apiVersion: streamplane.dev/v1alpha1\nkind: StreamingPlatform\nmetadata: {name: acme}\nspec: "

// planOf runs the plugin and reads what it prints.
func planOf(t *testing.T, namespace, input string, args ...string) (plan, error) {
	t.Helper()
	args = append([]string{"plan", "-f", "-", "-o", "json", "--kubeconfig", plane.kubeconfig, "-n", namespace}, args...)
	out, err := execute(t, input, args...)
	var p plan
	if out != "" {
		if err := json.Unmarshal([]byte(out), &p); err != nil {
			t.Fatalf("%v in %s", err, out)
		}
	}
	return p, err
}

// lines are changes as a table has them.
func lines(p plan) []string {
	all := []string{}
	for _, c := range p.Changes {
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s %s/%s %d %s", c.Impact, c.Kind, c.Name, c.Pods, c.Note)))
	}
	slices.Sort(all)
	return all
}

// versions are the resource versions of everything in a namespace.
func versions(t *testing.T, namespace string) map[string]string {
	t.Helper()
	all := map[string]string{}
	kinds := append(microservice.Owned(), &v1alpha1.Microservice{}, &v1alpha1.StreamingPlatform{})
	for _, kind := range kinds {
		gvk, err := apiutil.GVKForObject(kind, plane.client.Scheme())
		if err != nil {
			t.Fatal(err)
		}
		list := &metav1.PartialObjectMetadataList{}
		list.SetGroupVersionKind(gvk.GroupVersion().WithKind(gvk.Kind + "List"))
		if err := plane.client.List(t.Context(), list, client.InNamespace(namespace)); err != nil {
			t.Fatal(err)
		}
		err = apimeta.EachListItem(list, func(item runtime.Object) error {
			o := item.(client.Object)
			all[gvk.Kind+"/"+o.GetName()] = o.GetResourceVersion()
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// running applies a platform and waits until the operator has made everything.
func running(t *testing.T, namespace, spec, last string) {
	t.Helper()
	p := &v1alpha1.StreamingPlatform{}
	if err := yaml.UnmarshalStrict([]byte(manifestHead+spec), p); err != nil {
		t.Fatal(err)
	}
	p.Namespace = namespace
	if err := plane.client.Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		// The operator sets the number of pods of an autoscaled service last.
		d := &appsv1.Deployment{}
		if err := plane.client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: last}, d); err != nil {
			return err
		}
		if *d.Spec.Replicas != 2 {
			return fmt.Errorf("%s has %d pods", last, *d.Spec.Replicas)
		}
		return nil
	})
	eventually(t, func() error { return told(t, p) })
	before := versions(t, namespace)
	eventually(t, func() error { // two equal looks: nothing is on its way
		after := versions(t, namespace)
		diff := cmp.Diff(before, after)
		before = after
		if diff != "" {
			return errors.New(diff)
		}
		return nil
	})
}

// told complains until every status speaks of what there is. No pod ever runs
// here, so that then nothing is left to tell.
func told(t *testing.T, p *v1alpha1.StreamingPlatform) error {
	t.Helper()
	if err := plane.client.Get(t.Context(), client.ObjectKeyFromObject(p), p); err != nil {
		return err
	}
	if p.Status.ObservedGeneration != p.Generation || len(p.Status.Services) == 0 {
		return errors.New("the platform has no status yet")
	}
	for _, line := range p.Status.Services {
		m, d := &v1alpha1.Microservice{}, &appsv1.Deployment{}
		if err := plane.client.Get(t.Context(), client.ObjectKey{Namespace: p.Namespace, Name: line.Microservice}, m); err != nil {
			return err
		}
		if err := plane.client.Get(t.Context(), client.ObjectKey{Namespace: p.Namespace, Name: m.Name + "-blue"}, d); err != nil {
			return err
		}
		pods := fmt.Sprintf("0/%d", *d.Spec.Replicas)
		ready := apimeta.FindStatusCondition(m.Status.Conditions, v1alpha1.ConditionReady)
		if m.Status.ObservedGeneration != m.Generation || ready == nil || m.Status.Pods != pods || line.Pods != pods || line.Message != ready.Message {
			return fmt.Errorf("%s: status %+v, and the platform says %+v", m.Name, m.Status, line)
		}
	}
	return nil
}

func TestPlan(t *testing.T) {
	namespace, releases := newNamespace(t), releasesFile(t)
	first, err := planOf(t, namespace, manifestHead+"{}", "--releases", releases)
	if err != nil {
		t.Fatal(err)
	}
	if got := first.summary(); got != "14 create, 0 unchanged" {
		t.Errorf("before anything exists: %s", got)
	}
	running(t, namespace, "{services: [{name: search, image: \"registry.test/search:1\", replicas: 2}]}", "acme-search-blue")
	eventually(t, func() error {
		p, err := planOf(t, namespace, manifestHead+"{services: [{name: search, image: \"registry.test/search:1\", replicas: 2}]}", "--releases", releases, "--exit-code")
		if err == nil && len(p.Changes) > 0 || err != nil {
			return fmt.Errorf("%w: %v", err, lines(p))
		}
		return nil
	})
	foreign := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "acme-taken", Namespace: namespace}}
	if err := plane.client.Create(t.Context(), foreign); err != nil {
		t.Fatal(err)
	}
	const search = `{name: search, image: "registry.test/search:1", replicas: 2}`
	cases := map[string]struct {
		spec string
		want []string
	}{
		"another image": {
			`{services: [{name: search, image: "registry.test/search:2", replicas: 2}]}`,
			[]string{"rolls Deployment/acme-search-blue 2"},
		},
		"another number of pods": {
			`{services: [{name: search, image: "registry.test/search:1", replicas: 5}]}`,
			[]string{"scale Deployment/acme-search-blue 0 pods 2 become 5"},
		},
		"other bounds": {
			`{services: [` + search + `, {name: gateway, autoscaling: {minReplicas: 2, maxReplicas: 9}}]}`,
			[]string{"scale HorizontalPodAutoscaler/acme-gateway-blue 0 pods 2..6 become 2..9"},
		},
		"autoscaling takes over": {
			`{services: [{name: search, image: "registry.test/search:1", resources: {requests: {cpu: 100m}}, autoscaling: {minReplicas: 2, maxReplicas: 9}}]}`,
			[]string{"create HorizontalPodAutoscaler/acme-search-blue 0", "rolls Deployment/acme-search-blue 2"},
		},
		"a port": {
			`{services: [{name: search, image: "registry.test/search:1", replicas: 2, ports: [{name: http, port: 8080, servicePort: 80}]}]}`,
			[]string{"metadata Deployment/acme-search-blue 0", "update Service/acme-search 0"},
		},
		"a service passes to its team": {
			`{services: [{name: search, managedBy: Team}]}`,
			[]string{"metadata Microservice/acme-search 0 passes to its team"},
		},
		"a service goes": {
			`{}`,
			[]string{
				"deletes Deployment/acme-search-blue 2", "deletes Microservice/acme-search 0", "deletes NetworkPolicy/acme-search 0",
				"deletes PodDisruptionBudget/acme-search-blue 0", "deletes Service/acme-search 0", "deletes Service/acme-search-headless 0",
				"deletes ServiceAccount/acme-search 0",
			},
		},
		"the merged specification is invalid": {
			`{services: [` + search + `, {name: other}]}`,
			[]string{"refused Microservice/acme-other 0 spec.services[other].image: required, because the service is not a bundled one of this release"},
		},
		"a name is taken": {
			`{services: [` + search + `, {name: taken, image: "registry.test/x:1", replicas: 0}]}`,
			[]string{
				"create Deployment/acme-taken-blue 0", "create NetworkPolicy/acme-taken 0", "create Service/acme-taken 0", "create Service/acme-taken-headless 0",
				"refused ServiceAccount/acme-taken 0 ServiceAccount acme-taken exists and was not made for this resource: delete or rename it",
			},
		},
	}
	before := versions(t, namespace)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p, err := planOf(t, namespace, manifestHead+tc.spec, "--releases", releases)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, lines(p)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	t.Run("the API server refuses it", func(t *testing.T) {
		_, err := planOf(t, namespace, manifestHead+"{services: [{name: search, replicas: -1}]}", "--releases", releases)
		if err == nil || !strings.Contains(err.Error(), "spec.services[0].replicas") {
			t.Errorf("error %v", err)
		}
	})
	if diff := cmp.Diff(before, versions(t, namespace)); diff != "" {
		t.Errorf("planning changed something (-before +after):\n%s", diff)
	}
	if _, err := planOf(t, namespace, manifestHead+"{}", "--releases", releases, "--exit-code"); !errors.Is(err, errChanges) {
		t.Errorf("--exit-code with changes: %v", err)
	}
}

// The pods follow the number of a Microservice that others scale.
func TestPlanScalesWhatOthersScale(t *testing.T) {
	namespace := newNamespace(t)
	const head = "apiVersion: streamplane.dev/v1alpha1\nkind: Microservice\nmetadata: {name: finder}\nspec: "
	spec := func(replicas int) string {
		return head + fmt.Sprintf(`{platformRef: {name: acme}, image: "registry.test/finder:1", replicas: %d, autoscaling: {mode: External}}`, replicas)
	}
	m := &v1alpha1.Microservice{}
	if err := yaml.Unmarshal([]byte(spec(3)), m); err != nil {
		t.Fatal(err)
	}
	m.Namespace = namespace
	if err := plane.client.Create(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		d := &appsv1.Deployment{}
		err := plane.client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: "finder-blue"}, d)
		if err == nil && *d.Spec.Replicas != 3 {
			err = fmt.Errorf("%d replicas", *d.Spec.Replicas)
		}
		return err
	})
	for replicas, want := range map[int][]string{3: {}, 5: {"scale Deployment/finder-blue 0 pods 3 become 5"}} {
		p, err := planOf(t, namespace, spec(replicas), "--releases", releasesFile(t))
		if diff := cmp.Diff(want, lines(p)); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
}

// Without --releases the plan is made with what the operator runs with.
func TestPlanAsksTheOperator(t *testing.T) {
	namespace := newNamespace(t)
	_, err := planOf(t, namespace, manifestHead+"{}", "--operator-namespace", namespace)
	if err == nil || !strings.Contains(err.Error(), "--releases") {
		t.Errorf("without an operator: %v", err)
	}
	data, err := yaml.Marshal(images)
	if err != nil {
		t.Fatal(err)
	}
	labels := map[string]string{"app": "operator"}
	content := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "streamplane-releases-abc", Namespace: namespace},
		Data:       map[string]string{"releases.yaml": string(data)},
	}
	d := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "streamplane-operator", Namespace: namespace},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{
					Containers: []corev1.Container{{Name: "operator", Image: "registry.test/operator:1"}},
					Volumes: []corev1.Volume{{Name: "releases", VolumeSource: corev1.VolumeSource{
						ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: content.Name}},
					}}},
				},
			},
		},
	}
	if err := errors.Join(plane.client.Create(t.Context(), content), plane.client.Create(t.Context(), d)); err != nil {
		t.Fatal(err)
	}
	p, err := planOf(t, namespace, manifestHead+"{release: 1.0.0}", "--operator-namespace", namespace)
	if err != nil || len(p.Changes) != 14 {
		t.Errorf("%v: %v", err, lines(p))
	}
}

func TestStatus(t *testing.T) {
	namespace := newNamespace(t)
	status := func(args ...string) (string, error) {
		return execute(t, "", append([]string{"status", "--kubeconfig", plane.kubeconfig, "-n", namespace}, args...)...)
	}
	if _, err := status(); err == nil || !strings.Contains(err.Error(), "there is no streamingplatform in namespace "+namespace) {
		t.Errorf("without a platform: %v", err)
	}
	running(t, namespace, "{}", "acme-gateway-blue")
	eventually(t, func() error {
		out, err := status("acme")
		for _, want := range []string{
			"StreamingPlatform " + namespace + "/acme   False", "├─ streaming", "└─ gateway", "MESSAGE", "changes are being applied",
		} {
			if err == nil && !strings.Contains(out, want) {
				err = fmt.Errorf("no %q in\n%s", want, out)
			}
		}
		return err
	})
	if _, err := status("other"); err == nil || !strings.Contains(err.Error(), "there is no streamingplatform other") {
		t.Errorf("an unknown platform: %v", err)
	}
	for _, format := range []string{"json", "yaml"} {
		out, err := status("acme", "-o", format)
		var list []v1alpha1.StreamingPlatform
		if parseErr := yaml.Unmarshal([]byte(out), &list); err != nil || parseErr != nil || len(list) != 1 || list[0].Name != "acme" {
			t.Errorf("%s: %v, %v in %s", format, err, parseErr, out)
		}
	}
}
