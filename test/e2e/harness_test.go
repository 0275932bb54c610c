//go:build e2e

package e2e

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

const (
	// patience is how long a condition may take on a busy machine.
	patience = 4 * time.Minute
	interval = 300 * time.Millisecond
)

// eventually polls until check returns "", and fails with its last answer.
func eventually(t *testing.T, what string, check func() string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		missing := check()
		if missing == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s: %s", what, patience, missing)
		}
		<-ticker.C
	}
}

// run executes a program and returns what it prints.
func run(t *testing.T, program string, args ...string) (string, error) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // it ends before the cleanups, which run programs, too
	out, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
	return string(out), err
}

func kubectl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := run(t, env.kubectl, args...)
	if err != nil {
		t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// kubectlApply applies a manifest and returns what kubectl says, also of a refusal.
func kubectlApply(t *testing.T, namespace, manifest string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), env.kubectl, "apply", "--namespace", namespace, "-f", "-")
	cmd.Stdin = strings.NewReader(manifest)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func cluster(t *testing.T, args ...string) string {
	t.Helper()
	out, err := run(t, env.cluster, append([]string{"--name", env.name}, args...)...)
	if err != nil {
		t.Fatalf("cluster %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// namespace makes a namespace that admits only restricted pods, and removes it
// when the test ends.
func namespace(t *testing.T, name string) string {
	t.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: name, Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
	}}
	if err := kube.Create(t.Context(), ns); err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := kube.Delete(context.Background(), ns); err != nil {
			t.Error(err)
		}
	})
	return name
}

// sample applies a manifest of config/samples.
func sample(t *testing.T, namespace, file string) {
	t.Helper()
	kubectl(t, "apply", "--namespace", namespace, "-f", filepath.Join(env.samples, file))
}

func waitReady(t *testing.T, namespace, platform string) {
	t.Helper()
	out, err := run(t, env.kubectl, "wait", "--namespace", namespace, "streamingplatform/"+platform,
		"--for=condition=Ready", "--timeout="+patience.String())
	if err != nil {
		state, _ := run(t, env.kubectl, "get", "sp,ms,pods,events", "--namespace", namespace)
		t.Fatalf("%s is not ready: %s\n%s", platform, out, state)
	}
}

// waitSettled waits until a platform is ready in its newest generation.
func waitSettled(t *testing.T, namespace, platform string) {
	t.Helper()
	eventually(t, platform+" is ready in its newest generation", func() string {
		p := get(t, namespace, platform, &v1alpha1.StreamingPlatform{})
		for _, c := range p.Status.Conditions {
			if c.Type == v1alpha1.ConditionReady && c.Status == metav1.ConditionTrue && c.ObservedGeneration == p.Generation {
				return ""
			}
		}
		return condition(p.Status.Conditions, v1alpha1.ConditionReady)
	})
}

// condition is a condition as people read it.
func condition(all []metav1.Condition, kind string) string {
	for _, c := range all {
		if c.Type == kind {
			return string(c.Status) + " " + c.Reason + ": " + c.Message
		}
	}
	return "no condition " + kind
}

// get reads an object that must exist.
func get[T client.Object](t *testing.T, namespace, name string, into T) T {
	t.Helper()
	if err := kube.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, into); err != nil {
		t.Fatal(err)
	}
	return into
}

func exists(t *testing.T, namespace, name string, kind client.Object) bool {
	t.Helper()
	err := kube.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, kind)
	if client.IgnoreNotFound(err) != nil {
		t.Fatal(err)
	}
	return err == nil
}

// pods of one Microservice that are not on their way out.
func pods(t *testing.T, namespace, microservice string) []corev1.Pod {
	t.Helper()
	list := &corev1.PodList{}
	err := kube.List(t.Context(), list, client.InNamespace(namespace),
		client.MatchingLabels{"app.kubernetes.io/instance": microservice})
	if err != nil {
		t.Fatal(err)
	}
	var running []corev1.Pod
	for _, p := range list.Items {
		if p.DeletionTimestamp.IsZero() && p.Status.Phase != corev1.PodFailed && p.Status.Phase != corev1.PodSucceeded {
			running = append(running, p)
		}
	}
	return running
}

func podUIDs(t *testing.T, namespace, microservice string) map[string]bool {
	t.Helper()
	uids := map[string]bool{}
	for _, p := range pods(t, namespace, microservice) {
		uids[string(p.UID)] = true
	}
	return uids
}

// rolledOut tells what is missing until every pod of a Deployment runs an image.
func rolledOut(t *testing.T, namespace, deployment, image string) string {
	t.Helper()
	d := get(t, namespace, deployment, &appsv1.Deployment{})
	switch {
	case d.Spec.Template.Spec.Containers[0].Image != image:
		return "the deployment has image " + d.Spec.Template.Spec.Containers[0].Image
	case d.Status.ObservedGeneration < d.Generation:
		return "the deployment was not yet seen"
	case d.Status.UpdatedReplicas != d.Status.Replicas || d.Status.AvailableReplicas != d.Status.Replicas || d.Status.Replicas == 0:
		return "pods are still being replaced"
	default:
		return ""
	}
}

// publish makes a Service reachable on a loopback address and returns its URL.
func publish(t *testing.T, namespace, service string) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	cluster(t, "publish", namespace+"/"+service+":80", "--listen", address)
	return "http://" + address
}

func patchPlatform(t *testing.T, namespace, name, patch string) {
	t.Helper()
	kubectl(t, "patch", "--namespace", namespace, "streamingplatform/"+name, "--type=merge", "--patch", patch)
}

// keep writes an artifact for people to look at.
func keep(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(env.artifacts, name), data, 0o600); err != nil {
		t.Error(err)
	}
}
