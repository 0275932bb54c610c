package operator

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

func TestBadFieldsAreRejected(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cases := map[string]struct {
		fields string
		want   []string // parts of the message
	}{
		"variables from two objects": {
			"envFrom: [{secretRef: {name: a}, configMapRef: {name: b}}]",
			[]string{"spec.envFrom[0]", "set exactly one of secretRef and configMapRef"},
		},
		"variables from nothing": {"envFrom: [{prefix: A_}]", []string{"spec.envFrom[0]", "set exactly one"}},
		"too many sources of variables": {
			"envFrom: [" + strings.Repeat("{secretRef: {name: a}}, ", 33) + "]", []string{"spec.envFrom", "32"},
		},
		"a volume of two sources": {
			"volumes: [{name: v, emptyDir: {}, secret: {name: s}}]",
			[]string{"spec.volumes[0]", "set exactly one of emptyDir, configMap, secret, persistentVolumeClaim and ephemeral"},
		},
		"a volume of nothing":       {"volumes: [{name: v}]", []string{"spec.volumes[0]", "set exactly one"}},
		"a volume with our name":    {"volumes: [{name: streamplane-files, emptyDir: {}}]", []string{"spec.volumes[0].name", "is the volume of spec.files"}},
		"storage without a size":    {"volumes: [{name: v, ephemeral: {}}]", []string{"spec.volumes[0].ephemeral.size", "Required"}},
		"a file without content":    {"files: [{mountPath: /a}]", []string{"spec.files[0].content", "Required"}},
		"a file without a path":     {`files: [{content: ""}]`, []string{"spec.files[0].mountPath", "Required"}},
		"a file at a relative path": {`files: [{mountPath: a, content: ""}]`, []string{"spec.files[0].mountPath"}},
		"a file that is a folder":   {`files: [{mountPath: /a/, content: ""}]`, []string{"spec.files[0].mountPath"}},
		"a file twice": {
			`files: [{mountPath: /a, content: "1"}, {mountPath: /a, content: "2"}]`, []string{"spec.files[1]", "Duplicate value"},
		},
		"a file too large": {`files: [{mountPath: /a, content: "` + strings.Repeat("x", 32769) + `"}]`, []string{"spec.files[0].content", "32768"}},
		"a file at the place of a volume": {
			`files: [{mountPath: /a, content: ""}], volumes: [{name: v, emptyDir: {}}], volumeMounts: [{name: v, mountPath: /a}]`,
			[]string{"spec.files", "a file has the mountPath of a volume"},
		},
		"a sidecar with the name of the main container": {
			"sidecars: [{name: app, image: x}]", []string{"spec.sidecars[0].name", "app is the name of the main container"},
		},
		"a sidecar with the name of an init container": {
			"sidecars: [{name: a, image: x}], initContainers: [{name: a, image: x}]",
			[]string{"spec.sidecars", "a sidecar has the name of an init container"},
		},
		"a sidecar without an image": {"sidecars: [{name: a}]", []string{"spec.sidecars[0].image", "Required"}},
		"a probe of another host by a sidecar": {
			`sidecars: [{name: a, image: x, probes: {liveness: {tcpSocket: {port: 1, host: "192.0.2.1"}}}}]`,
			[]string{"spec.sidecars[0].probes.liveness", "remove host"},
		},
		"no constraint": {"topologySpread: []", []string{"spec.topologySpread", "at least 1"}},
		"a constraint twice": {
			"topologySpread: [" + strings.Repeat("{maxSkew: 1, topologyKey: a, whenUnsatisfiable: DoNotSchedule}, ", 2) + "]",
			[]string{"spec.topologySpread[1]", "Duplicate value"},
		},
		"a label of ours":       {"podLabels: {app.kubernetes.io/name: x}", []string{"spec.podLabels", "the operator sets app.kubernetes.io/name"}},
		"the slot":              {"podLabels: {streamplane.dev/slot: green}", []string{"spec.podLabels", "remove them"}},
		"a bad label":           {"podLabels: {a: b c}", []string{"spec.podLabels.a"}},
		"an annotation of ours": {"podAnnotations: {streamplane.dev/a: x}", []string{"spec.podAnnotations", "belong to the operator"}},
		"a bad node selector":   {"nodeSelector: {a: -}", []string{"spec.nodeSelector.a"}},
		"a bad account":         {"serviceAccountName: A", []string{"spec.serviceAccountName"}},
		"a bad priority":        {"priorityClassName: A", []string{"spec.priorityClassName"}},
		"too many pods to drain": {
			"disruption: {maxUnavailable: 1001}", []string{"spec.disruption.maxUnavailable", "must be between 0 and 1000, or a percentage"},
		},
		"fewer than no pods to drain": {"disruption: {maxUnavailable: -1}", []string{"spec.disruption.maxUnavailable", "must be between"}},
		"a bad share to drain":        {"disruption: {maxUnavailable: 101%}", []string{"spec.disruption.maxUnavailable"}},
		"a limit without limit":       {"disruption: {mode: Unlimited, maxUnavailable: 1}", []string{"spec.disruption", "no meaning with mode Unlimited"}},
		"External without a number": {
			"autoscaling: {mode: External}", []string{"spec.replicas", "replicas is required with autoscaling.mode External"},
		},
		"External with a bound": {
			"replicas: 1, autoscaling: {mode: External, maxReplicas: 2}", []string{"spec.autoscaling.mode", "leaves bounds, targets, behavior and schedules"},
		},
		"Native with a number": {
			"replicas: 1, autoscaling: {mode: Native, minReplicas: 1, maxReplicas: 2}", []string{"replicas and autoscaling are mutually exclusive"},
		},
		"Native without bounds": {
			"autoscaling: {mode: Native}", []string{"spec.autoscaling.minReplicas: Required", "spec.autoscaling.maxReplicas: Required"},
		},
		"triggers without KEDA": {
			"autoscaling: {minReplicas: 1, maxReplicas: 2, triggers: [{type: cron, metadata: {}}]}", []string{"spec.autoscaling.triggers", "need mode KEDA"},
		},
		"metrics of KEDA": {
			"autoscaling: {mode: KEDA, minReplicas: 1, maxReplicas: 2, metrics: []}", []string{"spec.autoscaling.metrics", "takes triggers"},
		},
		"a trigger without settings": {
			"autoscaling: {mode: KEDA, minReplicas: 1, maxReplicas: 2, triggers: [{type: cron}]}", []string{"spec.autoscaling.triggers[0].metadata", "Required"},
		},
		"a hostname that is none": {
			"expose: {mode: Direct, hostnames: [a_b]}", []string{"spec.expose.hostnames[0]"},
		},
		"a path that climbs": {
			"expose: {mode: Direct, paths: [/a/../b]}", []string{"spec.expose.paths[0]"},
		},
		"an attempt longer than the request": {
			"expose: {mode: Direct, timeouts: {request: 1s, backendRequest: 2s}}", []string{"spec.expose.timeouts.backendRequest", "must not exceed request"},
		},
		"a timeout that is none": {
			"expose: {mode: Direct, timeouts: {request: 1.5s}}", []string{"spec.expose.timeouts.request"},
		},
		"an annotation of ours on an Ingress": {
			"expose: {mode: Direct, ingress: {annotations: {streamplane.dev/x: a}}}", []string{"spec.expose.ingress.annotations", "remove them"},
		},
		"unknown mode": {"replicas: 1, autoscaling: {mode: Manual}", []string{"spec.autoscaling.mode", `"Native", "KEDA", "External"`}},
		"two targets of memory": {
			"autoscaling: {minReplicas: 1, maxReplicas: 2, memory: {averageValue: 1Gi, averageUtilization: 5}}",
			[]string{"spec.autoscaling.memory", "set exactly one of averageUtilization and averageValue"},
		},
		"a metric without a type": {
			"autoscaling: {minReplicas: 1, maxReplicas: 2, metrics: [{}]}", []string{"spec.autoscaling.metrics[0].type", "Required"},
		},
		"a schedule of six fields": {
			"autoscaling: {minReplicas: 1, maxReplicas: 2, schedules: [{name: a, start: 0 0 1 * * *, end: 0 2 * * *, minReplicas: 2}]}",
			[]string{"spec.autoscaling.schedules[0].start"},
		},
		"signals with KEDA": {
			"autoscaling: {mode: KEDA, minReplicas: 1, maxReplicas: 2, cpu: {averageUtilization: 5}, signals: [{metric: viewers, perReplica: 20}]}",
			[]string{"spec.autoscaling.signals", "need mode Native"},
		},
		"signal of no name": {
			"autoscaling: {minReplicas: 1, maxReplicas: 2, signals: [{metric: view-ers, perReplica: 1}]}",
			[]string{"spec.autoscaling.signals[0].metric"},
		},
		"signal twice": {
			"autoscaling: {minReplicas: 1, maxReplicas: 2, signals: [{metric: viewers, perReplica: 1}, {metric: viewers, perReplica: 2}]}",
			[]string{"spec.autoscaling.signals[1]", "Duplicate"},
		},
		"a schedule above the bound": {
			"autoscaling: {minReplicas: 1, maxReplicas: 2, schedules: [{name: a, start: 0 1 * * *, end: 0 2 * * *, minReplicas: 3}]}",
			[]string{"spec.autoscaling.schedules", "minReplicas of a schedule must not exceed maxReplicas"},
		},
		"a schedule that never ends": {
			"autoscaling: {minReplicas: 1, maxReplicas: 2, schedules: [{name: a, start: 0 1 * * *, minReplicas: 2}]}",
			[]string{"spec.autoscaling.schedules[0].end", "Required"},
		},
		"a schedule of no length": {
			"autoscaling: {minReplicas: 1, maxReplicas: 2, schedules: [{name: a, start: 0 1 * * *, end: 0 1 * * *, minReplicas: 2}]}",
			[]string{"spec.autoscaling.schedules[0].end", "must differ"},
		},
		"External with a schedule": {
			"replicas: 1, autoscaling: {mode: External, schedules: [{name: a, start: 0 1 * * *, end: 0 2 * * *, minReplicas: 2}]}",
			[]string{"spec.autoscaling.mode", "leaves bounds, targets, behavior and schedules"},
		},
		"storage of no kind": {"storage: [{name: a, size: 1Gi, mountPath: /a}]", []string{"spec.storage[0].kind", "Required"}},
		"storage of a name of ours": {
			"storage: [{name: tmp, kind: Cache, size: 1Gi, mountPath: /a}]", []string{"spec.storage[0].name", "choose another name"},
		},
		"two at one path": {
			"storage: [{name: a, kind: Cache, size: 1Gi, mountPath: /a}, {name: b, kind: Cache, size: 1Gi, mountPath: /a}]",
			[]string{"spec.storage", "same mountPath"},
		},
		"storage at the path of a volume": {
			"storage: [{name: a, kind: Cache, size: 1Gi, mountPath: /a}], volumes: [{name: v, emptyDir: {}}], volumeMounts: [{name: v, mountPath: /a}]",
			[]string{"spec.storage", "has the mountPath of a volume"},
		},
		"storage for one pod with two": {
			"replicas: 2, storage: [{name: a, kind: Single, size: 1Gi, mountPath: /a}]", []string{"spec.storage", "is for one pod", "set replicas to 1 or 0"},
		},
		"storage for one pod with autoscaling": {
			"autoscaling: {minReplicas: 1, maxReplicas: 1}, storage: [{name: a, kind: Single, size: 1Gi, mountPath: /a}]",
			[]string{"spec.storage", "remove autoscaling"},
		},
		"storage for one pod with a surge": {
			"rollout: {maxSurge: 1}, storage: [{name: a, kind: Single, size: 1Gi, mountPath: /a}]", []string{"spec.rollout", "remove maxSurge"},
		},
		"a pod template that is none": {"podTemplate: []", []string{"spec.podTemplate", "must be of type object"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := w.in(t)
			spec := `image: "registry.test/x:1", ` + tc.fields
			checkRejected(t, w.send("Microservice", "search", "{platformRef: {name: acme}, "+spec+"}"), tc.want)
			if err := w.send("StreamingPlatform", "acme", "{services: [{name: search, "+spec+"}]}"); err == nil {
				t.Error("accepted as a service of a platform")
			}
		})
	}
}

func TestPausedWritesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	p := w.platform(`{services: [{name: search, image: "registry.test/search:1", replicas: 2}]}`)
	w.ready(p)
	m := get(w, "acme-search", &v1alpha1.Microservice{})
	search := func(edit func(*v1alpha1.PlatformService)) {
		change(w, p, func(p *v1alpha1.StreamingPlatform) { edit(&p.Spec.Services[0]) })
	}
	search(func(s *v1alpha1.PlatformService) { s.Paused = true })
	w.becomes(m, v1alpha1.ConditionPaused, v1alpha1.ReasonPaused, "spec.paused")
	o.settle()
	before := w.children()

	t.Log("Changes wait, and Ready speaks of the pods that run.")
	search(func(s *v1alpha1.PlatformService) {
		s.Image, s.Replicas = "registry.test/search:2", nil
		s.ServiceAccountName = "mine" // ours would go
	})
	w.eventually(func() error {
		if get(w, "acme-search", m).Spec.Image != "registry.test/search:2" {
			return errors.New("the Microservice is not changed")
		}
		return errors.Join(w.is(m, v1alpha1.ConditionReady, v1alpha1.ReasonAvailable, "2 pods"), w.is(m, v1alpha1.ConditionPaused, "", ""))
	})
	w.ready(p)
	o.settle()
	o.idle()
	if diff := cmp.Diff(before, w.children()); diff != "" {
		t.Errorf("written while paused (-before +after):\n%s", diff)
	}

	t.Log("Nothing is repaired either.")
	w.remove(get(w, "acme-search-headless", &corev1.Service{}))
	o.settle()
	if err := w.client.Get(t.Context(), client.ObjectKey{Namespace: w.namespace, Name: "acme-search-headless"}, &corev1.Service{}); !apierrors.IsNotFound(err) {
		t.Errorf("repaired: %v", err)
	}

	search(func(s *v1alpha1.PlatformService) { s.Paused = false })
	w.becomes(m, v1alpha1.ConditionReady, v1alpha1.ReasonAvailable, "1 pod ")
	if c := apimeta.FindStatusCondition(m.Status.Conditions, v1alpha1.ConditionPaused); c != nil {
		t.Errorf("still %v", c)
	}
	appears(w, "acme-search-headless", &corev1.Service{})
	if image := get(w, "acme-search-blue", &appsv1.Deployment{}).Spec.Template.Spec.Containers[0].Image; image != "registry.test/search:2" {
		t.Errorf("image %s", image)
	}
}

// A service that is paused from the start says so, rather than to be at work.
func TestPausedFromTheStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	m := w.microservice("search", `{platformRef: {name: acme}, image: "registry.test/search:1", paused: true}`)
	w.becomes(m, v1alpha1.ConditionStalled, v1alpha1.ReasonPaused, "nothing has been made yet")
	if all := w.children(); len(all) > 0 {
		t.Errorf("made %v", all)
	}
	o.settle()
	o.idle()
}

// Pods of an older revision keep their files until the last one is gone.
func TestFilesOutliveTheirPods(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	finish := func() {
		w.eventually(func() error { return w.rollOut(t.Context(), get(w, "search-blue", &appsv1.Deployment{})) })
	}
	m := w.microservice("search", `{platformRef: {name: acme}, image: "registry.test/search:1", files: [{mountPath: /etc/a, content: "1"}]}`)
	appears(w, "search-blue", &appsv1.Deployment{})
	finish()
	w.ready(m)
	o.settle()
	maps := func() []string {
		w.Helper()
		list := &corev1.ConfigMapList{}
		if err := w.client.List(t.Context(), list, client.InNamespace(w.namespace)); err != nil {
			t.Fatal(err)
		}
		var contents []string
		for _, c := range list.Items {
			contents = append(contents, c.Data["0-a"])
		}
		return contents
	}
	uses := func() string {
		w.Helper()
		for _, v := range get(w, "search-blue", &appsv1.Deployment{}).Spec.Template.Spec.Volumes {
			if v.ConfigMap != nil {
				return v.ConfigMap.Name
			}
		}
		return ""
	}
	first := uses()
	change(w, m, func(m *v1alpha1.Microservice) { m.Spec.Files[0].Content = "2" })
	w.eventually(func() error {
		if uses() == first {
			return errors.New("the pods do not roll")
		}
		return nil
	})
	o.settle()
	if got := maps(); len(got) != 2 {
		t.Errorf("while pods roll: files %v, want those of both revisions", got)
	}
	finish()
	w.ready(m)
	o.settle()
	if diff := cmp.Diff([]string{"2"}, maps()); diff != "" {
		t.Errorf("after the rollout (-want +got):\n%s", diff)
	}

	t.Log("Without files nothing is left.")
	change(w, m, func(m *v1alpha1.Microservice) { m.Spec.Files = nil })
	w.eventually(func() error {
		if uses() != "" {
			return errors.New("the pods still have files")
		}
		return nil
	})
	finish()
	w.ready(m)
	o.settle()
	if got := maps(); len(got) > 0 {
		t.Errorf("left: %v", got)
	}
}

// An account of the user takes the place of ours, and is never touched.
func TestOwnServiceAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	theirs := &corev1.ServiceAccount{}
	w.createYAML("{metadata: {name: identity}}", theirs)
	m := w.microservice("search", `{platformRef: {name: acme}, image: "registry.test/search:1"}`)
	w.ready(m)
	change(w, m, func(m *v1alpha1.Microservice) { m.Spec.ServiceAccountName = "identity" })
	w.eventually(func() error {
		err := w.client.Get(t.Context(), client.ObjectKey{Namespace: w.namespace, Name: "search"}, &corev1.ServiceAccount{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("ours is still there: %w", err)
	})
	w.ready(m)
	o.settle()
	if got := get(w, "identity", &corev1.ServiceAccount{}).ResourceVersion; got != theirs.ResourceVersion {
		t.Error("the user's account was changed")
	}
	if name := get(w, "search-blue", &appsv1.Deployment{}).Spec.Template.Spec.ServiceAccountName; name != "identity" {
		t.Errorf("pods run as %s", name)
	}
}
