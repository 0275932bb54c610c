package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// on runs the plugin in a namespace of the cluster; its progress is left out.
func on(t *testing.T, namespace string, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	cmd := newCommand()
	cmd.SetArgs(append(args, "--kubeconfig", plane.kubeconfig, "-n", namespace))
	cmd.SetOut(&out)
	cmd.SetErr(io.Discard)
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

func read[T client.Object](t *testing.T, namespace, name string, into T) T {
	t.Helper()
	if err := plane.client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, into); err != nil {
		t.Fatal(err)
	}
	return into
}

func create(t *testing.T, namespace, text string, object client.Object) {
	t.Helper()
	if err := yaml.UnmarshalStrict([]byte(text), object); err != nil {
		t.Fatal(err)
	}
	object.SetNamespace(namespace)
	if err := plane.client.Create(t.Context(), object, client.FieldOwner("file")); err != nil {
		t.Fatal(err)
	}
}

func TestPauseAndResume(t *testing.T) {
	namespace := newNamespace(t)
	running(t, namespace, `{services: [{name: search, image: "registry.test/search:1", replicas: 2}]}`, "acme-search-blue")
	create(t, namespace, `{metadata: {name: mine}, spec: {platformRef: {name: acme}, image: "registry.test/mine:1"}}`, &v1alpha1.Microservice{})
	create(t, namespace, `{metadata: {name: filed}, spec: {platformRef: {name: acme}, image: "registry.test/mine:1", paused: true}}`, &v1alpha1.Microservice{})
	steps := []struct {
		args []string
		// says is part of the output or, with fails, of the error.
		says  string
		fails bool
		// paused are the services afterwards.
		paused string
	}{
		{[]string{"pause", "search"}, "streamingplatform acme: spec.services[name=search].paused: true", false, "acme-search filed"},
		{[]string{"pause", "gateway", "mine"}, "microservice mine: spec.paused: true", false, "acme-gateway acme-search filed mine"},
		{[]string{"pause", "nobody"}, "streamingplatform acme runs no service nobody", true, "acme-gateway acme-search filed mine"},
		{[]string{"resume", "search", "mine", "-p", "acme"}, "changes of mine are applied", false, "acme-gateway filed"},
		{[]string{"resume", "gateway"}, "removed", false, "filed"},
		{[]string{"resume", "gateway"}, "removed", false, "filed"},
		{[]string{"resume", "filed"}, "microservice filed: spec.paused: file has set it: remove it there", true, "filed"},
		{[]string{"pause", "search", "--platform", "other"}, "there is no streamingplatform other", true, "filed"},
	}
	for _, s := range steps {
		out, err := on(t, namespace, s.args...)
		if err != nil != s.fails || !strings.Contains(out+fmt.Sprint(err), s.says) {
			t.Errorf("%v: %q, %v; want %q", s.args, out, err, s.says)
		}
		eventually(t, func() error {
			list := &v1alpha1.MicroserviceList{}
			if err := plane.client.List(t.Context(), list, client.InNamespace(namespace)); err != nil {
				return err
			}
			var paused []string
			for _, m := range list.Items {
				if m.Spec.Paused {
					paused = append(paused, m.Name)
				}
			}
			if got := strings.Join(paused, " "); got != s.paused {
				return fmt.Errorf("after %v: paused %s, want %s", s.args, got, s.paused)
			}
			return nil
		})
	}
	if left := read(t, namespace, "acme", &v1alpha1.StreamingPlatform{}).Spec.Services; len(left) != 1 || left[0].Image == "" {
		t.Errorf("left behind: %v", left)
	}
}
