package microservice

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/conditions"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
)

// hour is a time of day in the life of a pod.
func hour(n int) metav1.Time { return metav1.Unix(int64(n)*3600, 0) }

// pod is scheduled at 1 and has not been ready since.
func pod(name string, changes ...func(*corev1.Pod)) corev1.Pod {
	p := corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: "search-blue-7d9-" + name, Namespace: "tv", UID: "u", ResourceVersion: "5", CreationTimestamp: hour(1),
			Labels: map[string]string{
				"app.kubernetes.io/name": "search", "app.kubernetes.io/instance": "search", "streamplane.dev/slot": "blue",
				"app.kubernetes.io/managed-by": "streamplane", "pod-template-hash": "7d9",
			},
			OwnerReferences: []metav1.OwnerReference{{Kind: "ReplicaSet", Name: "search-blue-7d9", Controller: new(true)}},
		},
		Status: corev1.PodStatus{
			Phase: corev1.PodPending,
			Conditions: []corev1.PodCondition{
				{Type: corev1.PodScheduled, Status: corev1.ConditionTrue},
				{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: hour(1)},
			},
		},
	}
	for _, change := range changes {
		change(&p)
	}
	return p
}

func withContainer(s corev1.ContainerStatus) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		if s.Name == "" {
			s.Name = "app"
		}
		s.Image = "registry.test/search:2"
		p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, s)
	}
}

func withInit(s corev1.ContainerStatus) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		s.Name, s.Image = "copy", "registry.test/copy:1"
		p.Status.InitContainerStatuses = append(p.Status.InitContainerStatuses, s)
		withContainer(waits("PodInitializing", ""))(p)
	}
}

func unscheduledBecause(message string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.Conditions[0] = corev1.PodCondition{
			Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", Message: message,
		}
	}
}

func readySince(n int) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Status.Conditions[1].LastTransitionTime = hour(n) }
}

var runs = corev1.ContainerStatus{State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: hour(2)}}}

func waits(reason, message string) corev1.ContainerStatus {
	return corev1.ContainerStatus{State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}}
}

func ended(code int32) corev1.ContainerStatus { return endedWith(code, "Error") }

func endedWith(code int32, reason string) corev1.ContainerStatus {
	return corev1.ContainerStatus{State: corev1.ContainerState{
		Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason, StartedAt: hour(1), FinishedAt: hour(2)},
	}}
}

// then is a container that ended like was, and is now like s.
func then(was, s corev1.ContainerStatus) corev1.ContainerStatus {
	s.LastTerminationState, s.RestartCount = was.State, s.RestartCount+1
	return s
}

const previousLogs = "; look at its logs with kubectl logs --previous"

func TestCause(t *testing.T) {
	backOff := waits("CrashLoopBackOff", "back-off 5m0s restarting failed container=app pod=search-blue-7d9-a_tv(0b1)")
	pull := func(message string) []corev1.Pod {
		return []corev1.Pod{pod("a", withContainer(waits("ErrImagePull", message)))}
	}
	configured := func(message string) []corev1.Pod {
		return []corev1.Pod{pod("a", withContainer(waits("CreateContainerConfigError", message)))}
	}
	one := func(changes ...func(*corev1.Pod)) []corev1.Pod { return []corev1.Pod{pod("a", changes...)} }
	ready := runs
	ready.Ready = true
	const image = "ImagePullFailed: image pull failed: registry.test/search:2 of container app: "
	cases := map[string]struct {
		pods []corev1.Pod
		want string // reason: message
	}{
		"no pods":          {nil, ""},
		"just made":        {one(), ""},
		"ready":            {one(withContainer(ready)), ""},
		"ready after ends": {one(withContainer(then(ended(1), ready))), ""},
		"image not there": {
			pull(`rpc error: code = NotFound desc = failed to pull and unpack image "registry.test/search:2": failed to resolve reference: registry.test/search:2: not found`),
			image + "the registry does not have it; correct the image, or push it",
		},
		"image refused": {
			pull(`failed to resolve reference: pull access denied, repository does not exist or may require authorization`),
			image + "the registry refuses access; name a Secret with credentials for it in imagePullSecrets",
		},
		"no network": {
			pull(`failed to do request: Head "https://registry.test/v2/": dial tcp: lookup registry.test: no such host`),
			image + "the registry cannot be reached; check its name and the nodes' network",
		},
		"certificate": {
			pull(`tls: failed to verify certificate: x509: certificate signed by unknown authority`),
			image + "the nodes do not trust the registry; give the nodes its certificate",
		},
		"rate limit": {
			pull(`429 Too Many Requests - toomanyrequests: You have reached your pull rate limit`),
			image + "the registry limits the number of pulls; log in with imagePullSecrets, or use a mirror",
		},
		"processor": {
			pull(`no match for platform in manifest: not found`),
			image + "it is not built for the nodes' processors; build it for them",
		},
		"pull secret": {
			pull(`Unable to retrieve some image pull secrets (regcred); attempting to pull the image may not succeed.`),
			image + "Secret regcred is missing; create it, or correct imagePullSecrets",
		},
		"something else": {pull("oh"), image + "the node cannot pull it; the pod's events say more, with kubectl describe"},
		"no image name":  {one(withContainer(waits("InvalidImageName", "x"))), image + "this is not the name of an image; correct the image"},
		"never pulled": {
			one(withContainer(waits("ErrImageNeverPull", "x"))),
			image + "the node does not have it and imagePullPolicy is Never; load it onto the nodes, or set another imagePullPolicy",
		},
		"no Secret": {
			configured(`secret "db" not found`), "ConfigMissing: container app needs Secret db, which does not exist; create it, or correct the reference",
		},
		"no ConfigMap": {
			configured(`configmap "db" not found`), "ConfigMissing: container app needs ConfigMap db, which does not exist; create it, or correct the reference",
		},
		"no key of a Secret": {
			configured(`couldn't find key password in Secret tv/db`),
			"ConfigMissing: container app needs key password of Secret db, which has no such key; add the key, or correct the reference",
		},
		"no key of a ConfigMap": {
			configured(`couldn't find key "mode" in ConfigMap tv/cfg`),
			"ConfigMissing: container app needs key mode of ConfigMap cfg, which has no such key; add the key, or correct the reference",
		},
		"runs as root": {
			configured(`container has runAsNonRoot and image will run as root (pod: "search-blue-7d9-a_tv(0b1)", container: app)`),
			"CannotStart: container app cannot be created: container has runAsNonRoot and image will run as root",
		},
		"no command": {
			one(withContainer(then(endedWith(128, "StartError"), backOff))),
			"CannotStart: container app cannot be started; check image, command and args: the pod's events say more, with kubectl describe",
		},
		"crash loop":               {one(withContainer(then(ended(1), backOff))), "Crashing: container app ends with exit code 1" + previousLogs},
		"first crash":              {one(withContainer(ended(1))), "Crashing: container app ends with exit code 1" + previousLogs},
		"started again":            {one(withContainer(then(ended(1), runs))), "Crashing: container app ends with exit code 1" + previousLogs},
		"crash loop, end unknown":  {one(withContainer(backOff)), "Crashing: container app crashes again and again" + previousLogs},
		"memory":                   {one(withContainer(then(endedWith(137, "OOMKilled"), backOff))), "OutOfMemory: container app was killed at its memory limit; raise resources.limits.memory, or let it use less"},
		"a service that completes": {one(withContainer(endedWith(0, "Completed"))), "Crashing: container app ends with exit code 0; a service must keep running: look at its logs with kubectl logs --previous"},
		"killed": {
			one(withContainer(then(ended(137), runs))),
			"Crashing: container app ends with exit code 137, because it was killed; check its startup and liveness probes, and look at its logs with kubectl logs --previous",
		},
		"an old crash does not explain an unready pod": {
			one(withContainer(then(ended(1), runs)), readySince(3)),
			"NotReady: container app runs and is not ready; look at its logs and its startup and readiness probes",
		},
		"not ready":   {one(withContainer(runs)), "NotReady: container app runs and is not ready; look at its logs and its startup and readiness probes"},
		"not created": {one(withContainer(waits("ContainerCreating", ""))), "NotReady: container app is not created yet; its volumes or its node may not be ready: look at the pod's events with kubectl describe"},
		"init ends":   {one(withInit(then(ended(3), backOff))), "Crashing: init container copy ends with exit code 3" + previousLogs},
		"init image": {
			one(withInit(waits("ImagePullBackOff", "not found"))),
			"ImagePullFailed: image pull failed: registry.test/copy:1 of init container copy: the registry does not have it; correct the image, or push it",
		},
		"init runs": {one(withInit(runs)), "NotReady: init container copy is still running; the other containers wait for it: look at its logs"},
		"init done": {one(withInit(endedWith(0, "Completed"))), ""},
		"no node": {
			one(unscheduledBecause("0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available: 3 No preemption victims found.")),
			"Unschedulable: no node takes a pod: 0/3 nodes are available: 3 Insufficient cpu; add nodes, or lower resources.requests",
		},
		"no volume": {
			one(unscheduledBecause(`persistentvolumeclaim "search-blue-7d9-a-cache" not found`)),
			`Unschedulable: no node takes a pod: persistentvolumeclaim "<pod>-cache" not found; check the nodes, their taints, and the pod's volumes`,
		},
		"the gravest of several": {
			[]corev1.Pod{
				pod("a", withContainer(runs)), pod("b", withContainer(ended(1))), pod("c", unscheduledBecause("no room")),
				pod("d", withContainer(endedWith(137, "OOMKilled"))),
			},
			"OutOfMemory: container app was killed at its memory limit; raise resources.limits.memory, or let it use less",
		},
		"two containers": {
			one(withContainer(runs), withContainer(func() corev1.ContainerStatus { s := ended(2); s.Name = "proxy"; return s }())),
			"Crashing: container proxy ends with exit code 2" + previousLogs,
		},
		"on its way out": {one(withContainer(ended(1)), func(p *corev1.Pod) { p.DeletionTimestamp = new(hour(4)) }), ""},
		"evicted":        {one(withContainer(ended(1)), func(p *corev1.Pod) { p.Status.Phase = corev1.PodFailed }), ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := told(tc.pods); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
			var turned, trimmed []corev1.Pod
			for _, p := range tc.pods {
				turned = append([]corev1.Pod{p}, turned...)
				trimmed = append(trimmed, trim(t, p))
			}
			if got := told(turned); got != tc.want {
				t.Errorf("in another order: %s", got)
			}
			if got := told(trimmed); got != tc.want {
				t.Errorf("from the cache: %s", got)
			}
		})
	}
}

func told(pods []corev1.Pod) string {
	c := firstCause(pods).withSecrets(&appsv1.Deployment{})
	if c.reason == "" {
		return ""
	}
	return c.reason + ": " + c.message()
}

func trim(t *testing.T, p corev1.Pod) corev1.Pod {
	t.Helper()
	kept, err := TrimPod(&p)
	if err != nil {
		t.Fatal(err)
	}
	return *kept.(*corev1.Pod)
}

func TestCauseNamesThePullSecrets(t *testing.T) {
	d := &appsv1.Deployment{}
	d.Spec.Template.Spec.ImagePullSecrets = []corev1.LocalObjectReference{{Name: "a"}, {Name: "b"}}
	c := firstCause([]corev1.Pod{pod("a", withContainer(waits("ErrImagePull", "401 Unauthorized")))}).withSecrets(d)
	if want := "the registry refuses access; check the credentials in Secret a, b"; !strings.HasSuffix(c.message(), want) {
		t.Errorf("%s, want %s", c.message(), want)
	}
}

// A pod that fails goes round in circles; none of it is news.
func TestCauseOfAFailingPodStays(t *testing.T) {
	end := ended(1)
	backOff := func(after string) corev1.ContainerStatus {
		return then(end, waits("CrashLoopBackOff", "back-off "+after+" restarting failed container=app"))
	}
	const why = `failed to resolve reference "registry.test/search:2": not found`
	circles := map[string][]corev1.Pod{
		"crash loop": {
			pod("a", withContainer(end)), pod("a", withContainer(backOff("10s"))), pod("a", withContainer(then(end, runs))),
			pod("a", withContainer(then(end, end))), pod("a", withContainer(backOff("5m0s"))), pod("b", withContainer(end)),
		},
		"image": {
			pod("a", withContainer(waits("ErrImagePull", why))),
			pod("a", withContainer(waits("ImagePullBackOff", `Back-off pulling image "registry.test/search:2": ErrImagePull: `+why))),
			pod("b", withContainer(waits("ErrImagePull", why))),
		},
	}
	for name, states := range circles {
		t.Run(name, func(t *testing.T) {
			for i := range states {
				was, is := &states[i], &states[(i+1)%len(states)]
				if told([]corev1.Pod{*was}) != told([]corev1.Pod{*is}) {
					t.Errorf("%s becomes %s", told([]corev1.Pod{*was}), told([]corev1.Pod{*is}))
				}
				if statusChanged().Update(event.UpdateEvent{ObjectOld: was, ObjectNew: is}) {
					t.Errorf("step %d wakes the operator", i)
				}
			}
		})
	}
	was, is := pod("a", withContainer(runs)), pod("a", withContainer(end))
	if !statusChanged().Update(event.UpdateEvent{ObjectOld: &was, ObjectNew: &is}) {
		t.Error("the first crash does not wake the operator")
	}
}

// Status tells which images run, and only a new one is news.
func TestImagesOf(t *testing.T) {
	running := func(id string) corev1.Pod {
		return pod("a", withContainer(runs), func(p *corev1.Pod) { p.Status.ContainerStatuses[0].ImageID = id })
	}
	starting, ending, sidecar := running(""), running("search@sha256:3"), running("proxy@sha256:4")
	now := metav1.Now()
	ending.DeletionTimestamp = &now
	sidecar.Status.ContainerStatuses[0].Name = "proxy"
	one, two := running("search@sha256:1"), running("search@sha256:2")
	got := imagesOf([]corev1.Pod{two, one, starting, two, ending, sidecar})
	if diff := cmp.Diff([]string{"search@sha256:1", "search@sha256:2"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var many []corev1.Pod
	for i := range 2 * maxImages {
		many = append(many, running(fmt.Sprintf("search@sha256:%d", i)))
	}
	if got := imagesOf(many); len(got) != maxImages {
		t.Errorf("%d images", len(got))
	}
	for wakes, change := range map[bool][2]corev1.Pod{true: {starting, one}, false: {one, one}} {
		if got := statusChanged().Update(event.UpdateEvent{ObjectOld: &change[0], ObjectNew: &change[1]}); got != wakes {
			t.Errorf("%s to %s wakes: %v", imageOf(&change[0]), imageOf(&change[1]), got)
		}
	}
	if kept := trim(t, one); imageOf(&kept) != imageOf(&one) {
		t.Error("the cache loses the image")
	}
}

func TestCauseIsBounded(t *testing.T) {
	p := pod("a", unscheduledBecause(strings.Repeat("x", 4000)))
	d := deployment(1, 0)
	o := observed{microservice: search(v1alpha1.WorkloadSpec{}), slot: "blue", deployment: d, pods: []corev1.Pod{p}}
	for _, c := range statusOf(o, outcome{}).Conditions {
		if c.Message != conditions.Shorten(c.Message) {
			t.Errorf("%s: %d bytes", c.Type, len(c.Message))
		}
	}
}

// The cache keeps little of a pod, and trimming it again changes nothing.
func TestTrimPod(t *testing.T) {
	full := pod("a", withContainer(then(ended(1), runs)), func(p *corev1.Pod) {
		p.Annotations = map[string]string{"a": strings.Repeat("x", 5000)}
		p.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubelet"}}
		p.Labels["other"] = "x"
		p.Spec.Containers = []corev1.Container{{Name: "app", Image: "registry.test/search:2"}}
		p.Status.PodIP = "10.0.0.1"
	})
	kept := trim(t, full)
	if size := kept.Size(); size > 1000 {
		t.Errorf("%d bytes are kept", size)
	}
	if kept.Annotations != nil || kept.ManagedFields != nil || len(kept.Spec.Containers) > 0 || kept.Labels["other"] != "" {
		t.Errorf("kept %v", kept)
	}
	if diff := cmp.Diff(kept, trim(t, kept)); diff != "" {
		t.Errorf("trimmed again (-once +twice):\n%s", diff)
	}
	if full.Status.PodIP == "" || full.Labels["other"] == "" {
		t.Error("the object itself was changed")
	}
}

// Only pods of the newest version speak of it.
func TestNewest(t *testing.T) {
	of := func(name, hash string, born int) corev1.Pod {
		return pod(name, func(p *corev1.Pod) {
			p.Name, p.CreationTimestamp = name, metav1.NewTime(hour(1).Add(time.Duration(born)*time.Second))
			p.Labels["pod-template-hash"] = hash
			p.OwnerReferences[0].Name = "search-blue-" + hash
		})
	}
	foreign := of("foreign", "new", 9)
	foreign.OwnerReferences = nil
	green := of("green", "new", 9)
	green.Labels["streamplane.dev/slot"] = "green"
	all := []corev1.Pod{of("a", "old", 1), of("b", "new", 2), of("c", "old", 3), foreign, green}
	cases := map[string]struct {
		message string
		want    []string
	}{
		"named":                      {`ReplicaSet "search-blue-new" is progressing.`, []string{"b"}},
		"rolled back":                {`Found new replica set "search-blue-old"`, []string{"a", "c"}},
		"named and without pods yet": {`Created new replica set "search-blue-newer"`, nil},
		"not named: the newest pod":  {"Deployment does not have minimum availability.", []string{"a", "c"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			d := deployment(2, 2, func(d *appsv1.Deployment) { d.Status.Conditions[0].Message = tc.message })
			var got []string
			slot := labels.SelectorFromSet(desired.SlotSelector(search(v1alpha1.WorkloadSpec{}), "blue"))
			for _, p := range newest(d, podsOf(d, all, slot)) {
				got = append(got, p.Name)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
